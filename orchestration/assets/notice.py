"""The notice: a digest of what the run did, and of what keeps weeks from being published, to METRIC_STORE_NOTIFY."""

from collections.abc import Sequence

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, MaterializeResult, asset

from orchestration.assets.owners import OWNERS
from orchestration.notices.telling import tell
from orchestration.resources import MetricStoreResource

NOTICE = AssetKey("notice")


def notice_after(steps: Sequence[AssetKey]) -> AssetsDefinition:
    """The asset, for a code location that has targets: the last step of a run."""

    @asset(
        key=NOTICE,
        deps=steps,
        group_name="publish",
        owners=OWNERS,
        kinds={"notification"},
        pool="metric_store_writer",
        description="A digest to each target of METRIC_STORE_NOTIFY, of what it hasn't been told yet.",
    )
    def notice(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
        told = tell(store.place, context.log.warning, run_id=context.run_id)
        return MaterializeResult(metadata={"targets_told": told})

    return notice
