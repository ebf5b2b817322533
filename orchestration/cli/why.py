"""`metric-store why`: why a brand metric differs from the week before. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import click
import duckdb

from metric_store.changes import FLOWS, change, changed_failures, drivers, require_brand_metric
from metric_store.reading import current_builds, require_week, unmeasured_metrics
from metric_store.words import WEEK
from orchestration.cli.metric import published_store, tell_waivers
from orchestration.cli.rows import print_table
from orchestration.home.layout import Home

#: How many categories are shown, and of each how many OMS clients.
_CATEGORIES, _CLIENTS = 5, 3


def show_why(home: Home, metric_id: str, week: date) -> None:
    """Print what moved a metric. Raises MetricStoreError for an unknown metric, and a week that isn't published."""
    with published_store(home) as store:
        require_week(store, week)
        require_brand_metric(store, metric_id)
        found = _records(change(store, metric_id, week))
        if not found:
            unmeasured = unmeasured_metrics(store).get(week, {}).get(metric_id)
            click.echo(unmeasured or f"{metric_id} has no figure in {week}: its source had no file.")
            return
        [figure] = found
        has_week_before = week - WEEK in current_builds(store)
        members = _records(drivers(store, [metric_id], week))
        failures = _records(changed_failures(store, [FLOWS[metric_id]], week, _CLIENTS)) if metric_id in FLOWS else []
        tell_waivers(store, (week - WEEK, week))
    for line in _about(metric_id, week, figure):
        click.echo(line)
    if not has_week_before:
        click.echo(f"The week before, {week - WEEK}, isn't published: there is no change to explain.")
        return
    click.echo(_change(figure))
    _print_drivers(members, figure["has_interval"])
    if metric_id in FLOWS and figure["change"] is not None:
        _print_failures(failures)


def _records(found: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def _about(metric_id: str, week: date, figure: dict[str, Any]) -> Iterator[str]:
    """The figure, and whether it is usual."""
    counts = _of(figure["numerator"], figure["denominator"])
    small = "; a small sample" if figure["is_small_sample"] else ""
    yield f"{metric_id} of {week}: {figure['display_value'] or 'no rate, nothing to divide by'}{counts}{small}"
    if not figure["has_interval"]:
        return
    if figure["usual_low"] is None:
        yield f"No usual range: {figure['usual_weeks']} of the 12 weeks before have the rate, 6 are needed."
    else:
        verdict = {True: ": unusual", False: ": as usual", None: ""}[figure["is_unusual"]]
        usual = f"{figure['usual_low']}% to {figure['usual_high']}%"
        yield f"Usual range: {usual}, by {figure['usual_weeks']} of the 12 weeks before{verdict}."
    if figure["value_year_before"] is not None:
        yield f"52 weeks before: {figure['value_year_before']}%"


def _change(figure: dict[str, Any]) -> str:
    """The change, and whether it is more than chance."""
    if figure["change"] is None:
        return "There is no change to explain: one of the two weeks has no figure, or nothing to divide by."
    if figure["unit"] == "count":
        moved = f"change {figure['change']:+,.0f}" if figure["change"] else "nothing moved"
        return f"Week before: {figure['previous_value']:,.0f}; {moved}. A count has no interval and no drivers."
    counts = _of(figure["previous_numerator"], figure["previous_denominator"])
    moved = f"change {figure['change']:+} points" if figure["change"] else "no change"
    text = f"Week before: {figure['previous_value']}%{counts}; {moved}"
    if not figure["has_interval"]:
        return f"{text}. It has no interval: what is counted is no part of what it is divided by."
    interval = f"99 % interval {figure['change_low']:+} to {figure['change_high']:+}"
    return f"{text}, {interval}: {'a signal' if figure['is_signal'] else 'may be chance'}."


def _of(numerator: int | None, denominator: int | None) -> str:
    return "" if numerator is None or denominator is None else f" ({numerator:,} of {denominator:,})"


def _print_drivers(drivers: list[dict[str, Any]], is_of_parts: bool) -> None:
    """is_of_parts: what is counted is part of what it is divided by, member by member."""
    but_for = "rounding" if is_of_parts else "rounding and members with nothing to divide by"
    for dimension in dict.fromkeys(row["dimension"] for row in drivers):
        rows = [row for row in drivers if row["dimension"] == dimension]
        if not any(row["rate_effect"] or row["mix_effect"] for row in rows):
            click.echo(f"\nBy {dimension} nothing moved.")
            continue
        click.echo(f"\nBy {dimension}, in points; the effects add up to the change, but for {but_for}:")
        columns = [name for name in rows[0] if name not in ("metric_id", "dimension", "driver_rank")]
        print_table(columns, [[row[name] for name in columns] for row in rows])


def _print_failures(failures: list[dict[str, Any]]) -> None:
    if not failures:
        click.echo("\nNo failure category moved.")
        return
    click.echo("\nFailures by category, those first whose number moved most, and the OMS clients behind them:")
    shown = [row for row in failures if row["place"] <= _CATEGORIES]
    columns = [name for name in failures[0] if name not in ("place", "flow")]
    print_table(columns, [[row[name] for name in columns] for row in shown])
    if (left_out := failures[-1]["place"] - _CATEGORIES) > 0:
        click.echo(f"and {left_out} more in fct_failure_contribution_week")
