"""The report: pages of the weeks whose publication changed. Reads the published store and nothing else."""

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, MetadataValue, asset

from metric_store.words import in_words
from orchestration.assets.owners import OWNERS
from orchestration.assets.publish import PUBLICATION
from orchestration.resources import MetricStoreResource

REPORT = AssetKey("report")


@asset(
    key=REPORT,
    deps=[PUBLICATION],
    group_name="publish",
    owners=OWNERS,
    kinds={"html"},
    pool="metric_store_writer",
    description=(
        "`reports/index.html`: a page for each week with its clients and sellers, made from the published store alone. "
        "A withheld week has a page that says which rules failed."
    ),
)
def report(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
    from orchestration.report.writing import write_report  # draws charts: no need of it to load the definitions

    written = write_report(store.place)
    context.log.info(f"pages of {in_words(written.weeks) or 'no week'} written")
    return MaterializeResult(
        metadata={
            "report": MetadataValue.url(written.index.as_uri()),
            "written": in_words(written.weeks) or "none",
            "weeks": written.known,
            "bytes": written.bytes,
        }
    )
