"""What landed: one step reads every new file of the inbox; each source shows the weeks that it has records of."""

from collections import Counter
from datetime import date
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
)

from metric_store.reading import published_weeks
from orchestration.assets.owners import OWNERS
from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.landing import IngestContext, ingest_sources
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.resources import MetricStoreResource
from orchestration.weeks.change import follow_calendar
from orchestration.weeks.far_logs import keep_unmoved_weeks, landed_so_far
from orchestration.weeks.partitions import WEEKS, weeks_to_follow, with_partition

INBOX = AssetKey("inbox")

_FILE_COLUMNS = (
    "source",
    "path",
    "status",
    "rows_read",
    "landed",
    "quarantined",
    "duplicates",
    "late",
    "backwards",
    "ignored_columns",
    "missing_columns",
    "column_hints",
    "error",
)


@asset(
    key=INBOX,
    group_name="landing",
    owners=OWNERS,
    kinds={"duckdb", "parquet"},
    pool="metric_store_writer",
    description=(
        "Every new file of the inbox, read once: typed, checked, deduplicated, landed as Parquet or quarantined. A "
        "file holds the weeks that it holds, so this has no partitions; the sources after it show theirs."
    ),
)
def inbox(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
    follow_calendar(store.place, store.configuration, weeks_to_follow(context.run), store.limits)
    with Ledger(store.place.ledger) as ledger:
        before = landed_so_far(store.place, ledger)

    def tell(source: Source, files: list[FileRecord]) -> None:
        for file in files:
            _say(context, file)
        if files:
            context.log.info(f"{source.name}: {_in_words(files)}")
        _report_landed(context, source, files)

    taken = ingest_sources(store.place, SOURCES, ingest_context(context.run_id, store), tell)
    if taken:
        with Ledger(store.place.ledger) as ledger:
            keep_unmoved_weeks(store.place, ledger, before)
    return MaterializeResult(metadata=_metadata(taken))


def landing_key(source: Source) -> AssetKey:
    """The asset of a source's landed records."""
    return AssetKey(["landing", source.name])


def landing_spec(source: Source) -> AssetSpec:
    """A source's landed records: `inbox` makes them, and says of which weeks."""
    columns = "\n".join(f"- `{c.name}` {c.sql_type}{' (required)' if c.required else ''}" for c in source.columns)
    return AssetSpec(
        landing_key(source),
        deps=[INBOX],
        group_name="landing",
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        partitions_def=WEEKS if source.event_time else None,
        description=(
            f"Records of `{source.name}`, typed, checked and deduplicated; key {', '.join(source.key)}.\n\n{columns}"
        ),
    )


def ingest_context(run_id: str, store: MetricStoreResource) -> IngestContext:
    """What the ingest has to know of the run."""
    zone, hours = store.configuration.calendar_settings
    return IngestContext(
        run_id=run_id,
        now=store.clock,
        reporting_timezone=zone,
        calculation_offset_hours=hours,
        published_weeks=frozenset(published_weeks(store.place.published_store)),
        limits=store.limits,
        input_limits=store.configuration.input_limits,
    )


def _in_words(files: list[FileRecord]) -> str:
    landed, quarantined = (sum(getattr(file, name) for file in files) for name in ("landed", "quarantined"))
    return f"{len(files):,} new files, {landed:,} records landed, {quarantined:,} quarantined"


def _say(context: AssetExecutionContext, file: FileRecord) -> None:
    if file.status == "failed":
        context.log.warning(f"{file.source}/{file.path} can't be read: {file.error}")
    else:
        context.log.debug(
            f"{file.source}/{file.path}: {file.rows_read} read, {file.landed} landed, {file.quarantined} quarantined, "
            f"{file.duplicates} duplicates, {file.late} late"
        )
        named = {"unknown columns": file.ignored_columns, "missing columns": file.missing_columns}
        if said := "; ".join([*(f"{what}: {names}" for what, names in named.items() if names), file.column_hints]):
            context.log.info(f"{file.source}/{file.path}: {said.removesuffix('; ')}")


def _report_landed(context: AssetExecutionContext, source: Source, files: list[FileRecord]) -> None:
    """Mark exactly the weeks that something landed of; of a source without event time, that something landed."""
    if not any(file.landed for file in files):
        return
    metadata = _metadata(files)
    if source.event_time is None:
        context.log_event(AssetMaterialization(landing_key(source), metadata=metadata))
        return
    rows: Counter[date] = Counter()
    for file in files:
        rows.update(file.event_weeks)
    for key in with_partition(rows):
        landed = {"landed_in_week": rows[date.fromisoformat(key)]}
        context.log_event(AssetMaterialization(landing_key(source), partition=key, metadata={**metadata, **landed}))


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


LANDING_SPECS = [landing_spec(source) for source in SOURCES]
