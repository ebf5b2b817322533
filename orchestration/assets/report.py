"""The report: pages of the weeks whose publication changed. Reads the published store and nothing else."""

from base64 import b64encode
from datetime import date
from typing import Any

from dagster import AssetExecutionContext, AssetKey, MaterializeResult, MetadataValue, asset

from orchestration.assets.landing import OWNERS
from orchestration.assets.markdown import table
from orchestration.assets.publish import PUBLICATION
from orchestration.publication.reading import open_store
from orchestration.resources import MetricStoreResource
from orchestration.weeks import in_words

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
            **_last_week(store),
        }
    )


def _last_week(store: MetricStoreResource) -> dict[str, Any]:
    """The newest published week as text and plots, for people who look at Dagster alone."""
    from orchestration.report.charts import plot
    from orchestration.report.reading import HEADLINES, read_headlines, read_metrics
    from orchestration.report.tables import Store

    with open_store(store.place.published_store) as connection:
        tables = Store(connection)
        weeks: list[tuple[date | None]] = tables.rows("select max(week_start) from marts.publication where is_current")
        week = weeks[0][0]
        if week is None:
            return {}
        metrics = read_metrics(tables)
        headlines = read_headlines(tables, week)
        failures = tables.rows(
            "select flow, l2_category, failed, contribution from marts.fct_failure_contribution_week "
            "where week_start = $week and oms_client = 'all' order by flow, contribution_rank, l2_category",
            {"week": week},
        )
    figures = table(
        ("figure", "value", "change", "of"),
        (
            (
                metrics[row["metric_id"]]["setup_name"] + (" (small sample)" if row["is_small_sample"] else ""),
                row["display_value"],
                *("" if row[name] is None else str(row[name]) for name in ("change", "denominator")),
            )
            for row in (headline.figure for headline in headlines)
        ),
        ("value", "change", "of"),
    )
    causes = table(
        ("flow", "category", "failed", "%"),
        ((flow, category, str(failed), str(share)) for flow, category, failed, share in failures),
        ("failed", "%"),
    )
    drawn = [
        _picture(plot(headline.history, metrics[headline.figure["metric_id"]]["setup_name"]))
        for headline in headlines
        if headline.figure["metric_id"] in HEADLINES[:4] and sum(value is not None for value in headline.history) > 1
    ]
    return {
        "last_week": MetadataValue.md(f"Week of {week}\n\n{figures}"),
        "why_orders_fail": MetadataValue.md(causes),
        **({"twelve_weeks": MetadataValue.md("\n\n".join(drawn))} if drawn else {}),
    }


def _picture(svg: bytes) -> str:
    return f"![twelve weeks](data:image/svg+xml;base64,{b64encode(svg).decode()})"
