"""The copy of the published tables that METRIC_STORE_COPY_TO names: whatever becomes of it, the publication stands."""

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    asset,
)

from metric_store.errors import MetricStoreError
from metric_store.words import in_words
from orchestration.assets.owners import OWNERS
from orchestration.assets.publish import PUBLICATION
from orchestration.copies.copying import copy_target, keep_copy, name_of
from orchestration.resources import MetricStoreResource

COPY = AssetKey("copy")


@asset(
    key=COPY,
    deps=[PUBLICATION],
    group_name="publish",
    owners=OWNERS,
    kinds={"postgres", "parquet"},
    pool="metric_store_writer",
    check_specs=[AssetCheckSpec("up_to_date", asset=COPY, description="The copy has what is published.")],
    description="The published tables in PostgreSQL or as Parquet, where METRIC_STORE_COPY_TO says.",
)
def copy(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
    to = copy_target()
    done = keep_copy(store.place, to, store.clock)
    is_done = not isinstance(done, MetricStoreError)
    if isinstance(done, MetricStoreError):
        context.log.warning(str(done).splitlines()[0])
    else:
        context.log.info(f"copied to {done.name}: {in_words(done.weeks) or 'no week'}")
    said = in_words(done.weeks) or "none" if not isinstance(done, MetricStoreError) else str(done)
    return MaterializeResult(
        metadata={"to": name_of(to), "weeks": said},
        check_results=[
            AssetCheckResult(
                passed=is_done, check_name="up_to_date", severity=AssetCheckSeverity.WARN, description=said
            )
        ],
    )
