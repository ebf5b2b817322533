"""`metric-store metric`: metrics of the published store, as a table, JSON or CSV. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import click
import duckdb

from metric_store.figures import figures, totals, weeks_of
from metric_store.layout import nothing_published
from metric_store.reading import PublishedWeek, current_builds, open_store, published_weeks, waivers_in
from orchestration.cli.rows import print_rows, print_table
from orchestration.home.layout import Home

#: What the list of metrics shows of the catalogue to be looked at.
_CATALOGUE = ("metric_id", "family", "unit", "direction", "setup_name")
#: What is said of weeks, not of their figures.
_OF_WEEKS = ("build_id", "waiver")


def show_metrics(home: Home, form: str) -> None:
    """Print the catalogue: some columns as a table, all of them otherwise."""
    names = ", ".join(_CATALOGUE) if form == "table" else "*"
    with published_store(home) as store:
        catalogue = store.sql(f"select {names} from marts.dim_metric order by metric_id")
        columns, rows = catalogue.columns, catalogue.fetchall()
    if form == "table":
        print_table(columns, rows)
    else:
        print_rows(form, columns, rows)


def show_metric(
    home: Home, metrics: Sequence[str], weeks: Sequence[date], dimension: str | None, is_total: bool, form: str
) -> None:
    """Print published metrics of these weeks, or of all; one by one, or added up.

    Raises MetricStoreError for an unknown metric, week or dimension, and for a metric that doesn't add up.
    """
    told: list[str] = []
    first, last = (weeks[0], weeks[-1]) if weeks else (None, None)
    with published_store(home) as store:
        asked = weeks_of(store, first, last, told.append)
        found = (totals if is_total else figures)(store, list(dict.fromkeys(metrics)), dimension, asked, told.append)
        names, rows = found.columns, found.fetchall()
        for text in told:
            click.echo(text, err=True)
        tell_waivers(store, asked)
        for metric in metrics if form == "table" else ():
            tell_formula(store, metric)
    left_out = _OF_WEEKS if len(metrics) > 1 else (*_OF_WEEKS, "metric_id")
    shown = [place for place, name in enumerate(names) if name not in left_out]
    columns, cells = [names[place] for place in shown], ([row[place] for place in shown] for row in rows)
    if form != "table":
        print_rows(form, columns, cells)
    elif rows:
        print_table(columns, cells)
    elif not told:
        click.echo("No rows: the metric's source had no file.")


def tell_formula(store: duckdb.DuckDBPyConnection, metric_id: str) -> None:
    """Say on standard error what the formula of a metric is, and where its SQL stands."""
    told = store.sql("from marts.dim_metric where metric_id = $metric", params={"metric": metric_id})
    for texts in told.fetchall():
        metric = dict(zip(told.columns, texts, strict=True))
        click.echo(f"{metric_id}: {metric['formula']}", err=True)
        if metric.get("sql"):  # a store of an earlier release doesn't say
            click.echo(f"SQL: {metric['sql']}", err=True)


def require_published(home: Home) -> dict[date, PublishedWeek]:
    """The published weeks of a home. Raises MetricStoreError where there is none."""
    weeks = published_weeks(home.published_store)
    if not weeks:
        raise nothing_published(home.root)
    return weeks


@contextmanager
def published_store(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store of a home. Raises MetricStoreError where no week is published."""
    if not home.published_store.is_file():
        raise nothing_published(home.root)
    with open_store(home.published_store) as store:
        if not current_builds(store):
            raise nothing_published(home.root)
        yield store


def tell_waivers(store: duckdb.DuckDBPyConnection, weeks: Container[date]) -> None:
    """Say on standard error which of the weeks are published in spite of a failure."""
    for week, waivers in waivers_in(store).items():
        if week in weeks:
            click.echo(f"{week} is published with a waiver: {'; '.join(map(str, waivers))}", err=True)
