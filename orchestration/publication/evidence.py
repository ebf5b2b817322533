"""The evidence beside the store: for each published week the Parquet of its current build.

A build's evidence is complete before the store that names the build takes its place, and stays until a store that
names another build has taken its place. What no store names is what a killed run left, or is no longer needed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb

from metric_store.layout import evidence_folder
from metric_store.sql import sql_name, sql_text
from orchestration.home.files import sync
from orchestration.publication.tables import PublishedTable


def write_evidence(
    db: duckdb.DuckDBPyConnection, table: PublishedTable, folder: Path, weeks: Sequence[date], build_id: str
) -> int:
    """Write the weeks' rows of a mart of the attached `warehouse`, a file for each week; returns how many rows.

    They lie in the order metric, seller, unit: the file's own statistics lead a query of one metric and seller there.
    On return they are on the disk.
    """
    columns = ", ".join(map(sql_name, table.columns))
    order = ", ".join(map(sql_name, table.key))
    rows = 0
    for week in weeks:
        target = evidence_folder(folder, week, build_id) / "evidence.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        [(written,)] = db.execute(
            f"copy (select {columns} from warehouse.marts.{table.name} where week_start = date '{week}' "
            f"order by {order}) to {sql_text(str(target))} (format parquet, compression zstd)"
        ).fetchall()
        rows += written
        for path in (target, target.parent, target.parent.parent):
            sync(path)
    if weeks:
        for path in (folder, folder.parent):
            sync(path)
    return rows


def remove_evidence_of_other_builds(folder: Path, builds: Mapping[date, str]) -> None:
    """Remove the evidence of every build but these, the current build of each week.

    What can't be removed now, because a reader on another machine has it open, is left for the next publication.
    """
    current = {evidence_folder(folder, week, build_id) for week, build_id in builds.items()}
    for build in folder.glob("week_start=*/build_id=*"):
        if build not in current:
            shutil.rmtree(build, ignore_errors=True)
    for week in folder.glob("week_start=*"):
        with suppress(OSError):  # holds something
            week.rmdir()
