"""The published store: takes over the rows of the weeks that the gate let through."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetSpec,
    FreshnessPolicy,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    multi_asset,
)

from metric_store.reading import open_store
from metric_store.words import in_words
from orchestration.assets.gate import GATE
from orchestration.assets.markdown import table
from orchestration.assets.owners import OWNERS
from orchestration.home.layout import Home
from orchestration.publication.step import publish_prepared
from orchestration.publication.store import Published
from orchestration.publication.tables import mart_tables
from orchestration.report.reading import HEADLINES
from orchestration.resources import MetricStoreResource
from orchestration.transform.project import manifest_path
from orchestration.weeks.deadlines import deadline_of
from orchestration.weeks.partitions import ONE_RUN, WEEKS, weeks_of, with_partition

PUBLISHED_STORE = AssetKey("published_store")
#: How each week of the run ended. There in any case, so that the report follows also where weeks are withheld.
PUBLICATION = AssetKey("publication")
_DEADLINE, _WINDOW, _ZONE = deadline_of(Home.of())


@multi_asset(
    name="published_store",
    specs=[
        AssetSpec(
            PUBLISHED_STORE,
            deps=[GATE, *(AssetKey(["marts", table.name]) for table in mart_tables(manifest_path(Home.of())))],
            group_name="publish",
            owners=OWNERS,
            kinds={"duckdb"},
            partitions_def=WEEKS,
            skippable=True,
            # Dagster asks when any week was published last; `status` says which one is late.
            freshness_policy=FreshnessPolicy.cron(_DEADLINE, _WINDOW, _ZONE),
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
    tables = mart_tables(manifest_path(store.place))
    outcome = publish_prepared(
        store.place, store.configuration, tables, weeks_of(context.run), context.run_id, store.clock
    )
    published, withheld = in_words(outcome.published) or "none", in_words(outcome.withheld) or "none"
    context.log.info(f"published: {published}; withheld: {withheld}")
    if outcome.store:
        metadata, figures = _metadata(store, outcome.store), _headlines(store)
        # Each published week by its name: a result of this step would mark every week that the run was launched for.
        for key in with_partition(outcome.published):
            context.log_event(
                AssetMaterialization(PUBLISHED_STORE, partition=key, metadata={**metadata, **figures[key]})
            )
    if PUBLICATION in context.selected_asset_keys:
        withheld_by = {week.isoformat(): rules.split(",") for week, rules in outcome.withheld.items()}
        yield MaterializeResult(
            asset_key=PUBLICATION,
            metadata={
                "published": published,
                "withheld": withheld,
                "withheld_by": MetadataValue.json(withheld_by),
            },
        )


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
