"""`inputs.quarantined`: rejected records that may count in the weeks of a run; have their keys landed since?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.records import identity_text
from orchestration.sql import sql_instant, sql_parquet, sql_text
from orchestration.weeks.planning import Week

_TABLE = (
    "source varchar, file_id bigint, reason varchar, event_at timestamp, ingested_at timestamp, record_key varchar, "
    "has_landed_since boolean"
)


def put_quarantined(
    db: duckdb.DuckDBPyConnection,
    home: Home,
    ledger: Ledger,
    weeks: Sequence[Week],
    landed: Mapping[str, Sequence[Path]],
) -> None:
    """Make the table `inputs.quarantined`. landed: source -> the landed files that the run reads."""
    db.execute(f"create or replace table inputs.quarantined ({_TABLE})")
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
        "insert into inputs.quarantined select source, _file_id, reason, event_at, ingested_at, record_key, false "
        f"from ({rejected}) where coalesce(event_at, ingested_at) >= {sql_instant(first)} "
        f"and coalesce(event_at, ingested_at) < {sql_instant(end)}"
    )
    firsts = dict(db.execute("select source, min(file_id) from inputs.quarantined group by 1").fetchall())
    for source in SOURCES:
        later = [file for file in landed[source.name] if _file_id(file) > firsts.get(source.name, _file_id(file))]
        if later:
            db.execute(_mark_landed_since(source, later))


def _mark_landed_since(source: Source, files: Sequence[Path]) -> str:
    """SQL: note whose key is in one of the landed files that was read after the file of the rejected record."""
    name = sql_text(source.name)
    return f"""
        update inputs.quarantined as rejected set has_landed_since = true
        from (
            select record_key, max(file_id) as file_id
            from (
                select
                    {identity_text(source)} as record_key,
                    cast(split_part(parse_filename(filename), '-', 1) as bigint) as file_id
                from {sql_parquet(files, ", filename = true")}
            )
            where record_key in (select record_key from inputs.quarantined where source = {name})
            group by record_key
        ) as landed
        where rejected.source = {name} and rejected.record_key = landed.record_key
            and landed.file_id > rejected.file_id
    """


def _file_id(file: Path) -> int:
    """The id of the file of the inbox that a landed or quarantined file is from."""
    return int(file.stem.split("-")[0])
