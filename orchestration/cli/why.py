"""`metric-store why`: why a brand metric differs from the week before. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import click
import duckdb

from orchestration.cli.metric import no_such_metric, require_week, tell_waivers
from orchestration.cli.rows import print_table
from orchestration.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.publication.reading import open_store, unmeasured_metrics
from orchestration.weeks.names import WEEK

#: The rates of failed orders, with the flow whose failures fct_failure_contribution_week has by category.
_FLOWS = {"acceptance_failure_rate": "acceptance", "manifestation_failure_rate": "manifestation"}
#: How many categories are shown, and of each how many OMS clients.
_CATEGORIES, _CLIENTS = 5, 3

_FIGURE = """
    select
        unit, numerator, denominator, value, display_value, previous_value, change, is_small_sample,
        changes.week_start is not null as has_interval, previous_numerator, previous_denominator,
        change_low, change_high, is_signal, usual_low, usual_high, usual_weeks, is_unusual, value_year_before
    from marts.fct_metric_week
    inner join marts.dim_metric using (metric_id)
    left join marts.fct_metric_change_week as changes using (week_start, metric_id, dimension, member)
    where week_start = $week and metric_id = $metric and dimension = 'overall'
"""
_DRIVERS = """
    select
        dimension, member, effect, rate_effect, mix_effect,
        rate_before, rate_now, share_before, share_now
    from marts.fct_metric_driver_week
    where week_start = $week and metric_id = $metric
    order by dimension, driver_rank, member
"""
# A category without a failure has no row.
_FAILURES = f"""
    with failures as (
        select
            l2_category, oms_client, coalesce(before.failed, 0) as failed_before, coalesce(now.failed, 0) as failed,
            before.contribution as contribution_before, now.contribution,
            abs(coalesce(now.failed, 0) - coalesce(before.failed, 0)) as moved
        from (from marts.fct_failure_contribution_week where week_start = $week and flow = $flow) as now
        full join (from marts.fct_failure_contribution_week where week_start = $before and flow = $flow) as before
            using (oms_client, l2_category)
    ),
    categories as (
        select l2_category, row_number() over (order by moved desc, l2_category) as place
        from failures
        where oms_client = 'all' and moved > 0
    ),
    clients as (
        select *, row_number() over (partition by l2_category order by moved desc, oms_client) as client_place
        from failures
        where oms_client <> 'all' and moved > 0
    )
    select place, l2_category, oms_client, failed_before, failed, contribution_before, contribution
    from categories
    inner join (
        select *, 0 as client_place from failures where oms_client = 'all'
        union all
        from clients where client_place <= {_CLIENTS}
    ) using (l2_category)
    order by place, client_place
"""


def show_why(home: Home, metric_id: str, week: date) -> None:
    """Print what moved a metric. Raises MetricStoreError for an unknown metric, and a week that isn't published."""
    require_week(home, week)
    with open_store(home.published_store) as store:
        _check_metric(store, metric_id)
        asked = {"metric": metric_id, "week": week}
        found = _rows(store, _FIGURE, asked)
        if not found:
            unmeasured = unmeasured_metrics(store).get(week, {}).get(metric_id)
            click.echo(unmeasured or f"{metric_id} has no figure in {week}: its source had no file.")
            return
        [figure] = found
        previous_weeks = store.execute(
            "select week_start from marts.publication where is_current and week_start = $before",
            {"before": week - WEEK},
        ).fetchall()
        drivers = _rows(store, _DRIVERS, asked)
        failures = []
        if metric_id in _FLOWS:
            failures = _rows(store, _FAILURES, {"week": week, "before": week - WEEK, "flow": _FLOWS[metric_id]})
    tell_waivers(home, (week - WEEK, week))
    for line in _about(metric_id, week, figure):
        click.echo(line)
    if not previous_weeks:
        click.echo(f"The week before, {week - WEEK}, isn't published: there is no change to explain.")
        return
    click.echo(_change(figure))
    _print_drivers(drivers, figure["has_interval"])
    if metric_id in _FLOWS and figure["change"] is not None:
        _print_failures(failures)


def _check_metric(store: duckdb.DuckDBPyConnection, metric_id: str) -> None:
    families = dict(store.execute("select metric_id, family from marts.dim_metric").fetchall())
    brand = [metric for metric, family in families.items() if family == "brand"]
    if metric_id not in families:
        raise no_such_metric(metric_id, brand)
    if metric_id not in brand:
        raise MetricStoreError(
            f"{metric_id} is no figure of all sellers together, so nothing says what moved it.\n"
            f"metric-store why explains {', '.join(sorted(brand))}."
        )


def _rows(store: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    cursor = store.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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
        columns = [name for name in rows[0] if name != "dimension"]
        print_table(columns, [[row[name] for name in columns] for row in rows])


def _print_failures(failures: list[dict[str, Any]]) -> None:
    if not failures:
        click.echo("\nNo failure category moved.")
        return
    click.echo("\nFailures by category, those first whose number moved most, and the OMS clients behind them:")
    shown = [row for row in failures if row["place"] <= _CATEGORIES]
    columns = [name for name in failures[0] if name != "place"]
    print_table(columns, [[row[name] for name in columns] for row in shown])
    if (left_out := failures[-1]["place"] - _CATEGORIES) > 0:
        click.echo(f"and {left_out} more in fct_failure_contribution_week")
