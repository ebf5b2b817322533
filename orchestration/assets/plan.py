"""The weeks of the run, and what the models read, written before dbt starts. Computes no figure."""

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, MetadataValue, asset

from metric_store.reading import published_weeks
from metric_store.words import in_words
from orchestration.assets.landing import INBOX
from orchestration.assets.owners import OWNERS
from orchestration.ingest.ledger import Ledger
from orchestration.resources import MetricStoreResource
from orchestration.transform.choice import chosen_engine
from orchestration.transform.warehouse import prepare
from orchestration.weeks.change import follow_calendar
from orchestration.weeks.partitions import weeks_of, weeks_to_follow
from orchestration.weeks.planning import plan_weeks, state_of

RUN_INPUTS = AssetKey("run_inputs")


@asset(
    key=RUN_INPUTS,
    deps=[INBOX],
    group_name="plan",
    owners=OWNERS,
    kinds={"duckdb"},
    pool="metric_store_writer",
    description=(
        "The weeks that the run computes, the record of files and the configuration, put before the models: those that "
        "it was launched for, else all that are new or due. Weeks that would come out as they are published are left "
        "out; every configuration file is checked first."
    ),
)
def run_inputs(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
    follow_calendar(store.place, store.configuration, weeks_to_follow(context.run), store.limits)
    with Ledger(store.place.ledger) as ledger:
        state = state_of(ledger, published_weeks(store.place.published_store))
        asked = weeks_of(context.run)
        weeks = plan_weeks(state, store.configuration, store.clock, asked or None)
        for week in weeks:
            store.configuration.check_week(week.week_start)
        prepare(store.place, ledger, store.configuration, weeks, chosen_engine(), asked=asked)
    named = in_words(week.week_start for week in weeks) or "none"
    context.log.info(f"weeks of this run: {named}")
    return MaterializeResult(
        metadata={
            "weeks": named,
            "new": sum(not week.is_published for week in weeks),
            "restated": sum(week.is_published for week in weeks),
            "configuration": MetadataValue.json(
                {name: str(path) for name, path in sorted(store.configuration.paths.items())}
            ),
        }
    )
