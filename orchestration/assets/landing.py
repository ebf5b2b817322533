"""One asset per source: its landed records. What the records mean is no business of this module."""

from collections import Counter
from datetime import date
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
)

from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.landing import IngestContext, ingest_source
from orchestration.ingest.ledger import FileRecord
from orchestration.partitions import ONE_RUN, WEEKS, weeks_of, with_partition
from orchestration.planning import week_offset
from orchestration.publication.reading import published_weeks
from orchestration.resources import MetricStoreResource

OWNERS = ["team:data-reliability"]
_FILE_COLUMNS = (
    "path",
    "status",
    "rows_read",
    "landed",
    "quarantined",
    "duplicates",
    "late",
    "backwards",
    "ignored_columns",
    "error",
)


def landing_key(source: Source) -> AssetKey:
    """The asset of a source's landed records."""
    return AssetKey(["landing", source.name])


def landing_asset(source: Source) -> AssetsDefinition:
    """The asset of one source."""
    columns = "\n".join(f"- `{c.name}` {c.sql_type}{' (required)' if c.required else ''}" for c in source.columns)

    @asset(
        key=landing_key(source),
        group_name="landing",
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        partitions_def=WEEKS if source.event_time else None,
        backfill_policy=ONE_RUN if source.event_time else None,
        pool="metric_store_writer",
        description=(
            f"Records of `{source.name}`, typed, checked and deduplicated; key {', '.join(source.key)}.\n\n{columns}"
        ),
    )
    def landed(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
        files = ingest_source(
            store.place, source, ingest_context(context.run_id, store), lambda file: _say(context, file)
        )
        _report_other_weeks(context, source, files)
        return MaterializeResult(metadata=_metadata(files))

    return landed


def ingest_context(run_id: str, store: MetricStoreResource) -> IngestContext:
    """What the ingest has to know of the run."""
    zone, hours = week_offset(store.configuration)
    return IngestContext(
        run_id=run_id,
        now=store.clock,
        reporting_timezone=zone,
        calculation_offset_hours=hours,
        published_weeks=frozenset(published_weeks(store.place.published_store)),
        limits=store.limits,
    )


def _say(context: AssetExecutionContext, file: FileRecord) -> None:
    if file.status == "failed":
        context.log.warning(f"{file.source}/{file.path} can't be read: {file.error}")
    else:
        context.log.info(
            f"{file.source}/{file.path}: {file.rows_read} read, {file.landed} landed, {file.quarantined} quarantined, "
            f"{file.duplicates} duplicates, {file.late} late"
        )


def _report_other_weeks(context: AssetExecutionContext, source: Source, files: list[FileRecord]) -> None:
    """A file holds the weeks that it holds: name those the run wasn't launched for, too."""
    rows: Counter[date] = Counter()
    for file in files:
        rows.update(file.event_weeks)
    for key in with_partition(sorted(set(rows) - set(weeks_of(context.run)))):
        context.log_event(
            AssetMaterialization(landing_key(source), partition=key, metadata={"landed": rows[date.fromisoformat(key)]})
        )


def _metadata(files: list[FileRecord]) -> dict[str, Any]:
    total = {
        name: sum(getattr(file, name) for file in files)
        for name in ("rows_read", "landed", "quarantined", "duplicates", "late", "backwards")
    }
    reasons: Counter[str] = Counter()
    for file in files:
        reasons.update(file.reasons)
    metadata: dict[str, Any] = {
        "files": len(files),
        "failed_files": sum(file.status == "failed" for file in files),
        **total,
        "unreconciled": sum(abs(file.unreconciled) for file in files),
        "quarantined_by_reason": MetadataValue.json(dict(reasons)),
    }
    if files:
        metadata["new_files"] = MetadataValue.table(
            records=[TableRecord({name: _cell(getattr(file, name)) for name in _FILE_COLUMNS}) for file in files[:200]],
            schema=TableSchema([TableColumn(name, "string") for name in _FILE_COLUMNS]),
        )
    return metadata


def _cell(value: object) -> str:
    return "" if value is None else str(value)


LANDING_ASSETS = [landing_asset(source) for source in SOURCES]
