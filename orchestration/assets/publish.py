"""The published store: takes over the rows of the weeks that the gate let through."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
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
    multi_asset,
)

from orchestration.assets.gate import GATE
from orchestration.assets.landing import OWNERS
from orchestration.assets.markdown import table
from orchestration.dbt import MANIFEST_PATH
from orchestration.ingest.ledger import Ledger
from orchestration.partitions import ONE_RUN, WEEKS, with_partition
from orchestration.planning import code_version
from orchestration.publication.reading import open_store
from orchestration.publication.store import Published, WeekToPublish, publish
from orchestration.publication.tables import mart_tables
from orchestration.report.reading import HEADLINES
from orchestration.resources import MetricStoreResource
from orchestration.warehouse import read_rows, run_weeks
from orchestration.weeks import in_words

PUBLISHED_STORE = AssetKey("published_store")
#: How each week of the run ended. There in any case, so that the report follows also where weeks are withheld.
PUBLICATION = AssetKey("publication")


@multi_asset(
    name="published_store",
    specs=[
        AssetSpec(
            PUBLISHED_STORE,
            deps=[GATE, *(AssetKey(["marts", table.name]) for table in mart_tables(MANIFEST_PATH))],
            group_name="publish",
            owners=OWNERS,
            kinds={"duckdb"},
            partitions_def=WEEKS,
            skippable=True,
            description=(
                "`published/metric_store.duckdb`, what readers open: all tables of a week change together, or not at "
                "all. A week that the gate withholds keeps what it had."
            ),
        ),
        AssetSpec(
            PUBLICATION,
            deps=[GATE],
            group_name="publish",
            owners=OWNERS,
            kinds={"duckdb"},
            description="How each week of the run ended: `marts.publication` and `marts.fct_data_quality_week`.",
        ),
    ],
    can_subset=True,
    backfill_policy=ONE_RUN,
    pool="metric_store_writer",
)
def published_store(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[MaterializeResult]:
    weeks = run_weeks(store.place)
    verdicts = {
        row["week_start"]: row["is_publishable"] for row in read_rows(store.place, "select * from inputs.gate_verdicts")
    }
    let_through = [row for row in weeks if verdicts.get(row[0])]  # a week without a verdict is withheld
    now, build_id = store.clock, _build_id(store.clock, context.run_id)
    done = publish(
        store.place,
        mart_tables(MANIFEST_PATH),
        [
            WeekToPublish(week, store.configuration.calculated_at(week), config_hash, code_version(), fingerprint)
            for week, _, fingerprint, config_hash, _ in let_through
        ],
        [row[0] for row in weeks],
        build_id,
        now,
    )
    withheld = _withheld_by(store)
    with Ledger(store.place.ledger) as ledger:
        ledger.record_attempts(
            (week, mark, context.run_id, now, withheld.get(week, "")) for week, _, _, _, mark in weeks
        )
    context.log.info(
        f"published {in_words(row[0] for row in let_through) or 'no week'}; withheld {in_words(withheld) or 'none'}"
    )
    metadata = _metadata(store, done)
    figures = _headlines(store)
    yield MaterializeResult(
        asset_key=PUBLICATION,
        metadata={
            "published": in_words(row[0] for row in let_through) or "none",
            "withheld": in_words(withheld) or "none",
            "withheld_by": MetadataValue.json({week.isoformat(): rules.split(",") for week, rules in withheld.items()}),
        },
    )
    if not withheld:
        for key in with_partition(row[0] for row in let_through):
            context.add_asset_metadata(figures[key], asset_key=PUBLISHED_STORE, partition_key=key)
        yield MaterializeResult(asset_key=PUBLISHED_STORE, metadata=metadata)
        return
    # Not every partition of the run is published: name those that are, and let the others stand as they were.
    for key in with_partition(row[0] for row in let_through):
        context.log_event(AssetMaterialization(PUBLISHED_STORE, partition=key, metadata={**metadata, **figures[key]}))


def _build_id(now: datetime, run_id: str) -> str:
    return f"{now:%Y%m%dT%H%M%S}-{run_id[:8]}"


def _withheld_by(store: MetricStoreResource) -> dict[date, str]:
    """Withheld weeks and the rules that withhold them, comma-separated."""
    rows = read_rows(
        store.place,
        "select week_start, string_agg(distinct rule_id, ',' order by rule_id) as rules from inputs.gate_results "
        "anti join inputs.gate_waivers using (week_start, rule_id, scope) "
        "where not passed and severity = 'error' group by week_start",
    )
    return {row["week_start"]: row["rules"] for row in rows}


def _metadata(store: MetricStoreResource, done: Published) -> dict[str, Any]:
    return {
        "build_id": done.build_id,
        "figures_restated": done.restated,
        "rows": MetadataValue.table(
            records=[TableRecord({"table": name, "rows": rows}) for name, rows in done.rows.items()],
            schema=TableSchema([TableColumn("table", "string"), TableColumn("rows", "int")]),
        ),
        "store": MetadataValue.path(str(store.place.published_store)),
        "reports": MetadataValue.path(str(store.place.reports)),
    }


def _headlines(store: MetricStoreResource) -> Mapping[str, dict[str, Any]]:
    """By published week: its overall figures beside those of the week before, and what Dagster plots over the weeks."""
    rows: dict[str, list[tuple[str, str, str]]] = {}
    plots: dict[str, dict[str, float]] = {}
    with open_store(store.place.published_store) as db:
        found = db.execute(
            "select week_start, metric_id, setup_name, value, display_value, change, is_small_sample "
            "from marts.fct_metric_week inner join marts.dim_metric using (metric_id) "
            "where dimension = 'overall' order by week_start, metric_id"
        ).fetchall()
    for week, metric_id, name, value, shown, change, small in found:
        row = (name + (" (small sample)" if small else ""), shown, "" if change is None else str(change))
        rows.setdefault(week.isoformat(), []).append(row)
        if metric_id in HEADLINES and value is not None:
            plots.setdefault(week.isoformat(), {})[metric_id] = float(value)
    heads = ("figure", "value", "change")
    return defaultdict(
        lambda: {"figures": MetadataValue.md("no figure")},
        {
            week: {"figures": MetadataValue.md(table(heads, lines, heads[1:])), **plots.get(week, {})}
            for week, lines in rows.items()
        },
    )
