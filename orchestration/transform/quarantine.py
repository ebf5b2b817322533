"""`inputs.quarantined`: rejected records that may count in the weeks of a run; have their keys landed since?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from metric_store.sql import sql_instant, sql_parquet, sql_text
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.records import identity_text
from orchestration.weeks.planning import Week

_TABLE = (
    "source varchar, file_id bigint, read_order bigint, reason varchar, event_at timestamp, ingested_at timestamp, "
    "record_key varchar, has_landed_since boolean"
)


def put_quarantined(
    db: duckdb.DuckDBPyConnection,
    home: Home,
    ledger: Ledger,
    weeks: Sequence[Week],
    landed: Mapping[str, Sequence[Path]],
) -> None:
    """Make the table `inputs.quarantined`, after `inputs.files`. landed: source -> the landed files that the run reads.

    What came later follows from `read_order`: a file that is read again has a later id, and keeps its place.
    """
    db.execute(f"create or replace table inputs.quarantined ({_TABLE})")
    place = {int(row["file_id"]): int(row["read_order"]) for row in ledger.files()}
    known = {int(row["file_id"]) for row in ledger.files() if row["quarantined"]}
    files = [file for file in sorted(home.quarantine.glob("*/*.parquet")) if _file_id(file) in known]
    if not files or not weeks:
        return
    first, end = min(week.starts_at for week in weeks), max(week.ends_at for week in weeks)
    # files of an earlier release have no key
    rejected = (
        "select cast(null as varchar) as record_key where false "
        f"union all by name select * from {sql_parquet(files, ', union_by_name = true')}"
    )
    db.execute(
        "insert into inputs.quarantined "
        "select rejected.source, _file_id, read_order, reason, event_at, rejected.ingested_at, record_key, false "
        f"from ({rejected}) as rejected inner join inputs.files on _file_id = file_id "
        f"where coalesce(event_at, rejected.ingested_at) >= {sql_instant(first)} "
        f"and coalesce(event_at, rejected.ingested_at) < {sql_instant(end)}"
    )
    firsts = dict(db.execute("select source, min(read_order) from inputs.quarantined group by 1").fetchall())
    for source in SOURCES:
        if source.name not in firsts:
            continue
        later = [file for file in landed[source.name] if place[_file_id(file)] > firsts[source.name]]
        if later:
            db.execute(_mark_landed_since(source, later))


def _mark_landed_since(source: Source, files: Sequence[Path]) -> str:
    """SQL: note whose key is in one of the landed files that was read after the file of the rejected record."""
    name = sql_text(source.name)
    return f"""
        update inputs.quarantined as rejected set has_landed_since = true
        from (
            select record_key, max(read_order) as read_order
            from (
                select
                    {identity_text(source)} as record_key,
                    cast(split_part(parse_filename(filename), '-', 1) as bigint) as file_id
                from {sql_parquet(files, ", filename = true")}
            )
            inner join inputs.files using (file_id)
            where record_key in (select record_key from inputs.quarantined where source = {name})
            group by record_key
        ) as landed
        where rejected.source = {name} and rejected.record_key = landed.record_key
            and landed.read_order > rejected.read_order
    """


def _file_id(file: Path) -> int:
    """The id of the file of the inbox that a landed or quarantined file is from."""
    return int(file.stem.split("-")[0])
