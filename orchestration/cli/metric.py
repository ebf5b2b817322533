"""`metric-store metric`: a metric of the published store, as a table, JSON or CSV. Reads; computes nothing."""

from __future__ import annotations

import csv
import difflib
import json
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import click
import duckdb

from orchestration.errors import MetricStoreError
from orchestration.publication.reading import open_store, published_weeks
from orchestration.settings import Home
from orchestration.weeks import in_words

#: Where the metrics of a family are, the column of their id, or None where a row holds all of the family, and the
#: columns that are shown.
_TABLES: dict[str, tuple[str, str | None, tuple[str, ...]]] = {
    "brand": (
        "fct_metric_week",
        "metric_id",
        (
            *("week_start", "dimension", "member", "numerator", "denominator", "value", "display_value"),
            *("previous_value", "change", "is_small_sample", "interval_low", "interval_high"),
        ),
    ),
    "seller_rating": (
        "fct_seller_rating_week",
        "kpi_id",
        ("week_start", "seller_id", "numerator", "denominator", "value", "display_value", "period_start", "period_end"),
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
    weeks = published_weeks(home.published_store)
    if not weeks:
        raise MetricStoreError(f"No week is published in {home.root} yet; run metric-store run --home {home.root}")
    if week and week not in weeks:
        raise MetricStoreError(f"{week} isn't published. Published: {in_words(weeks)}.")
    with open_store(home.published_store) as store:
        columns, rows = _read(store, metric_id, week, dimension)
    if form == "json":
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=1, default=_as_json))
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if value is None else value for value in row] for row in rows)
    else:
        _print_table(columns, rows)


def _as_json(value: object) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)


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


def _family(store: duckdb.DuckDBPyConnection, metric_id: str) -> str:
    families: dict[str, str] = dict(store.execute("select metric_id, family from marts.dim_metric").fetchall())
    shown = {metric: family for metric, family in families.items() if family in _TABLES}
    if metric_id not in shown:
        near = difflib.get_close_matches(metric_id, shown, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Metrics: {', '.join(sorted(shown))}."
        raise MetricStoreError(f"There is no metric {metric_id}. {hint}")
    return shown[metric_id]


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        click.echo("No rows: the metric's source had no file.")
        return
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(columns):
        numeric = any(not isinstance(row[place], str | date | bool | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console(width=None if sys.stdout.isatty() else 240).print(table)
