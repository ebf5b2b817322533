"""The copy as Parquet: a folder for each table, a file for each week. The list of builds comes last."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

import duckdb
from filelock import FileLock

from metric_store.sql import sql_parquet, sql_text
from orchestration.copies.plan import Copied, Original, changed_weeks, is_whole
from orchestration.home.files import sync
from orchestration.publication.tables import PUBLICATION, PublishedTable

_SECONDS_TO_WAIT = 1800
_WHOLE = "all.parquet"


def copy_to_folder(original: Original, folder: Path) -> Copied:
    """Bring the Parquet files of a folder up to the store; raises OSError.

    Each file is there as a whole or as it was; a copy that comes to no end is caught up by the next.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock", timeout=_SECONDS_TO_WAIT):
        weeks = changed_weeks(original.builds, _builds(original, folder / PUBLICATION.name / _WHOLE))
        stale = [table for table in original.tables if _has_other_columns(original, folder / table.name, table)]
        for table in original.tables:  # PUBLICATION is the last of them
            _write(original, table, folder / table.name, original.builds if table in stale else weeks)
    return Copied(str(folder), sorted(weeks))


def _write(original: Original, table: PublishedTable, folder: Path, weeks: Collection[date]) -> None:
    folder.mkdir(exist_ok=True)
    if is_whole(table):
        _write_file(original, original.rows(table), folder / _WHOLE)
        return
    for week in sorted(weeks):
        if week in original.builds:
            _write_file(original, original.rows(table, week), folder / f"{week}.parquet")
        else:
            (folder / f"{week}.parquet").unlink(missing_ok=True)
    sync(folder)


def _write_file(original: Original, rows: str, file: Path) -> None:
    unfinished = file.with_name(f".{file.name}.next")
    original.db.execute(f"copy ({rows}) to {sql_text(str(unfinished))} (format parquet, compression zstd)")
    sync(unfinished)
    unfinished.replace(file)


def _builds(original: Original, publication: Path) -> dict[date, str]:
    if not publication.is_file():
        return {}
    query = f"select week_start, build_id from {sql_parquet([publication])} where is_current"
    return dict(original.db.execute(query).fetchall())


def _has_other_columns(original: Original, folder: Path, table: PublishedTable) -> bool:
    """Whether the table isn't there yet, or was written by a release with other columns."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return True
    found = original.db.execute(f"describe from {sql_parquet(files[-1:])}").fetchall()
    wanted = [(name, str(duckdb.type(kind)).lower()) for name, (kind, _) in table.columns.items()]
    return [(name, kind.lower()) for name, kind, *_ in found] != wanted
