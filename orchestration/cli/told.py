"""What a run reports about files: those it read, with their rejected records, and those it left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import duckdb

from metric_store.sql import sql_parquet
from metric_store.words import printable
from orchestration.home.layout import Home
from orchestration.ingest.checking import is_rejected_whole
from orchestration.ingest.contracts import SOURCES, SOURCES_BY_NAME
from orchestration.ingest.landing import look
from orchestration.ingest.ledger import Ledger

_MOST = 20


@dataclass(frozen=True)
class NewFiles:
    """What a run read. is_refused: a file failed, or all that it read of a source was rejected."""

    files: int
    is_refused: bool


def next_file(home: Home) -> int:
    """The id that the next file will get: what a run reads has it, or a later one."""
    with Ledger(home.ledger, read_only=True) as ledger:
        return ledger.next_file_id()


def tell_files(home: Home, since: int) -> NewFiles:
    """Print what became of the files that were read since then, and which are left out."""
    with Ledger(home.ledger, read_only=True) as ledger:
        # A file that is read again because another one was taken back is no new one.
        new = [row for row in ledger.files() if row["file_id"] >= since and row["read_order"] == row["file_id"]]
    landed = [row for row in new if row["status"] == "landed"]
    rejected = [row for row in landed if row["quarantined"]]
    for row in rejected[:_MOST]:
        click.echo(printable(f"{_place(row)}: {_rejected_in_words(home, row)}"), err=True)
    if len(rejected) > _MOST:
        click.echo(f"and {len(rejected) - _MOST} more files with rejected records, see {home.quarantine}", err=True)
    for row in landed:
        if row["note"]:
            click.echo(printable(f"{row['path']}: {row['note']}"), err=True)
    for line in _left_out(home):
        click.echo(printable(line), err=True)
    if landed:
        counts = {name: sum(row[name] for row in landed) for name in ("landed", "quarantined", "duplicates")}
        click.echo(
            f"Read {len(landed)} new file{'s' if len(landed) > 1 else ''}: {counts['landed']:,} records landed, "
            f"{counts['quarantined']:,} rejected, {counts['duplicates']:,} dropped as duplicates",
            err=True,
        )
    return NewFiles(len(new), any(row["status"] == "failed" for row in new) or _is_a_source_rejected_whole(landed))


def _is_a_source_rejected_whole(landed: list[dict[str, Any]]) -> bool:
    """A file of bad records alone is as good as bad records in another file of its source, which came with it."""
    read: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for row in landed:
        read[row["source"]] += row["rows_read"]
        rejected[row["source"]] += row["quarantined"]
    return any(is_rejected_whole(read[source], rejected[source]) for source in read)


def _place(row: dict[str, Any]) -> str:
    return str(row["path"]) if row["path"].endswith(".sql") else f"inbox/{row['source']}/{row['path']}"


def _rejected_in_words(home: Home, row: dict[str, Any]) -> str:
    """`3 of 20 records rejected: 2 bad_type (ordered_at), 1 not_in_set (shipment_type)`."""
    file = Path(home.quarantine, row["source"], f"{row['file_id']:08d}-1.parquet")
    with duckdb.connect() as engine:
        found = engine.execute(
            f"select reason, columns, count(*) as records from {sql_parquet([file])} group by all order by 3 desc, 1, 2"
        ).fetchall()
    named = ", ".join(f"{records:,} {reason} ({columns})" for reason, columns, records in found[:5])
    more = f" and {len(found) - 5} more reasons" if len(found) > 5 else ""
    return f"{row['quarantined']:,} of {row['rows_read']:,} records rejected: {named}{more}"


def _left_out(home: Home) -> list[str]:
    """Files that are there and aren't read, though somebody may wait for it."""
    inbox = look(home)
    lines = [f"Not used: {path}: {why}" for source, path, why in inbox.broken_adapters if source not in SOURCES_BY_NAME]
    with Ledger(home.ledger, read_only=True) as ledger:
        for source in SOURCES:
            for file in inbox.candidates(source.name):
                if file.key in ledger.forgotten(source.name):
                    place = _place({"source": source.name, "path": file.path})
                    lines.append(f"Forgotten, so not read: {place}. Correct it, or move it away.")
    return lines
