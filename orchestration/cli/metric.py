"""`metric-store metric`: a metric of the published store, as a table, JSON or CSV. Reads; computes nothing."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Sequence
from datetime import date
from typing import Any

import click
import duckdb

from orchestration.cli.rows import print_rows, print_table
from orchestration.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.publication.reading import (
    PublishedWeek,
    not_published,
    open_store,
    published_waivers,
    published_weeks,
    unmeasured_metrics,
    withheld_because,
)
from orchestration.weeks.names import in_words

#: Where the metrics of a family are, the column of their id, or None where a row holds all of the family, and the
#: columns that are shown. Only a rate with an interval has a signal and a usual range.
_TABLES: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "brand": (
        "fct_metric_week left join marts.fct_metric_change_week using (week_start, metric_id, dimension, member)",
        "metric_id",
        (
            *("week_start", "dimension", "member", "numerator", "denominator", "value", "display_value"),
            *("previous_value", "change", "is_small_sample", "interval_low", "interval_high"),
            *("is_signal", "usual_low", "usual_high", "is_unusual"),
        ),
    ),
    "seller_rating": (
        "fct_seller_rating_week",
        "kpi_id",
        ("week_start", "seller_id", "numerator", "denominator", "value", "display_value", "period_start", "period_end"),
    ),
    "seller_grade": (
        "fct_seller_grade_metric_week",
        "metric_id",
        ("week_start", "seller_id", "numerator", "denominator", "value", "score", "weight", "contribution"),
    ),
    "order_volume_limit": (
        "fct_seller_operational_week",
        None,
        (
            *("week_start", "seller_id", "orders_due", "cancelled_seller_fault", "not_on_time"),
            *("cancellation_rate", "on_time_rate", "is_assessable", "is_met"),
        ),
    ),
}


def show_metric(home: Home, metric_id: str, week: date | None, dimension: str | None, form: str) -> None:
    """Print a published metric. Raises MetricStoreError for an unknown metric, week or dimension."""
    if week:
        require_week(home, week)
    else:
        require_published(home)
    with open_store(home.published_store) as store:
        columns, rows = _read(store, metric_id, week, dimension)
        if form == "table":
            tell_formula(store, metric_id)
        unmeasured = [
            (unmeasured_week, lines[metric_id])
            for unmeasured_week, lines in unmeasured_metrics(store).items()
            if metric_id in lines and week in (None, unmeasured_week)
        ]
    shown = {row[0] for row in rows}
    for line in dict.fromkeys(line for _, line in unmeasured):
        click.echo(f"{in_words(at for at, said in unmeasured if said == line)}: {line}", err=True)
    tell_waivers(home, shown)
    if form != "table":
        print_rows(form, columns, rows)
    elif rows:
        print_table(columns, rows)
    elif not unmeasured:
        click.echo("No rows: the metric's source had no file.")


def _read(
    store: duckdb.DuckDBPyConnection, metric_id: str, week: date | None, dimension: str | None
) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
    family = _family(store, metric_id)
    table, id_column, columns = _TABLES[family]
    where: list[str] = [f"{id_column} = ?"] if id_column else ["true"]
    parameters: list[object] = [metric_id] if id_column else []
    if week:
        where, parameters = [*where, "week_start = ?"], [*parameters, week]
    if family == "brand":
        wanted = dimension or "overall"
        known = [
            r[0]
            for r in store.execute(
                f"select distinct dimension from marts.{table} where metric_id = ? order by 1", [metric_id]
            ).fetchall()
        ]
        if known and wanted not in known:
            raise MetricStoreError(f"{metric_id} has no dimension {wanted}; it has {', '.join(known)}.")
        where, parameters = [*where, "dimension = ?"], [*parameters, wanted]
    elif dimension not in (None, "seller_id"):
        raise MetricStoreError(f"{metric_id} has no dimension {dimension}; it has seller_id.")
    query = f"select {', '.join(columns)} from marts.{table} where {' and '.join(where)} order by all"
    return columns, store.execute(query, parameters).fetchall()


def tell_formula(store: duckdb.DuckDBPyConnection, metric_id: str) -> None:
    """Say on standard error what the formula of a metric is, and where its SQL stands."""
    told = store.sql("from marts.dim_metric where metric_id = $metric", params={"metric": metric_id})
    for texts in told.fetchall():
        metric = dict(zip(told.columns, texts, strict=True))
        click.echo(f"{metric_id}: {metric['formula']}", err=True)
        if metric.get("sql"):  # a store of an earlier release doesn't say
            click.echo(f"SQL: {metric['sql']}", err=True)


def _family(store: duckdb.DuckDBPyConnection, metric_id: str) -> str:
    families: dict[str, str] = dict(store.execute("select metric_id, family from marts.dim_metric").fetchall())
    shown = {metric: family for metric, family in families.items() if family in _TABLES}
    if metric_id not in shown:
        raise no_such_metric(metric_id, shown)
    return shown[metric_id]


def require_published(home: Home) -> dict[date, PublishedWeek]:
    """The published weeks of a home. Raises MetricStoreError where there is none."""
    weeks = published_weeks(home.published_store)
    if not weeks:
        raise MetricStoreError(f"No week is published in {home.root} yet; run metric-store run --home {home.quoted}")
    return weeks


def require_week(home: Home, week: date) -> None:
    """Raises MetricStoreError for a week that isn't published, with what the gate withheld it by."""
    if week in published_weeks(home.published_store):
        return
    if because := withheld_because(home.published_store).get(week):
        raise MetricStoreError(
            f"{week} isn't published: the gate withheld it, by {because}.\n"
            f"Mend the cause and run again; metric-store status --home {home.quoted} shows all weeks."
        )
    raise not_published(week, require_published(home))


def tell_waivers(home: Home, weeks: Container[date]) -> None:
    """Say on standard error which of the weeks are published in spite of a failure."""
    for week, waivers in published_waivers(home.published_store).items():
        if week in weeks:
            click.echo(f"{week} is published with a waiver: {'; '.join(map(str, waivers))}", err=True)


def no_such_metric(metric_id: str, known: Iterable[str]) -> MetricStoreError:
    """The error for a metric that isn't one of these, with what may have been meant."""
    metrics, asked = sorted(known), metric_id.lower()
    # A part of the id is close to no id as a whole.
    near = [metric for metric in metrics if asked and asked in metric] or difflib.get_close_matches(asked, metrics)
    hint = f"Did you mean {' or '.join(near[:3])}?" if near else f"Metrics: {', '.join(metrics)}."
    return MetricStoreError(f"There is no metric {metric_id}. {hint}")
