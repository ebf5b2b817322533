"""`metric-store recovery`: what stands against a seller, until when, and what would end it. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import click

from orchestration.cli.evidence import require_seller
from orchestration.cli.metric import require_published, tell_waivers
from orchestration.cli.rows import printable
from orchestration.home.layout import Home
from orchestration.publication.reading import open_store, withheld_because
from orchestration.weeks.names import WEEK, in_words

#: The metrics whose units are orders; those of the others are sub-orders.
_OF_ORDERS = ("ovl_cancellation_rate", "ovl_on_time_rate", "shipment_in_target_duration")

_LIMIT = """
    select daily_order_limit, applies_from, limited_since, met_weeks_in_a_row
    from marts.fct_seller_ovl_week
    where week_start = $week and seller_id = $seller and is_limited
"""
_GRADE = "select final_grade, tier from marts.fct_seller_grade_week where week_start = $week and seller_id = $seller"
_STANDING = """
    select
        family, metric_id, misses, units, is_on_target, misses_allowed, clean_units_needed, recovers_on,
        next_units, next_misses
    from marts.fct_seller_recovery_week
    inner join marts.dim_metric using (metric_id)
    where week_start = $week and seller_id = $seller
    order by family, metric_id
"""


def show_recovery(home: Home, seller_id: str) -> None:
    """Print what stands against a seller in the newest published week. Raises MetricStoreError for an unknown one."""
    week = max(weeks := require_published(home))
    with open_store(home.published_store) as store:
        require_seller(store, seller_id, week)
        asked = {"week": week, "seller": seller_id}
        limits = store.execute(_LIMIT, asked).fetchall()
        grades = store.execute(_GRADE, asked).fetchall()
        cursor = store.execute(_STANDING, asked)
        names = [column[0] for column in cursor.description]
        standing = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if withheld := [later for later in withheld_because(home.published_store) if later > week]:
        click.echo(f"Withheld since, see metric-store status: {in_words(withheld)}", err=True)
    tell_waivers(home, [week])
    click.echo(f"{printable(seller_id)} in the week of {week}, as of {weeks[week].calculated_at:%Y-%m-%d %H:%M} UTC")
    for grade, tier in grades:
        click.echo(f"Grade {grade}, {printable(tier)}" if grade is not None else "No grade: nothing to judge")
    ends = [row["recovers_on"] for row in standing if row["family"] == "order_volume_limit"]
    for limit in limits:
        click.echo(_limit(ends, *limit))
    if not limits:
        click.echo("No limit of orders")
    if not standing:
        click.echo("No order counts against it in the limit or the grade.")
    for row in standing:
        click.echo(f"\n{row['metric_id']}")
        for line in _lines(row, week):
            click.echo(f"  {line}")


def _limit(ends: list[date | None], orders: int, applies_from: date, since: date, met: int) -> str:
    end = next((day for day in ends if day), None)
    until = f"from {end} on no more, if every week to come is assessable and met" if end else f"met in a row: {met}"
    limit = f"{orders:,} order{'' if orders == 1 else 's'} a day"
    return f"Limited to {limit} in the week of {applies_from}, since {since}; {until}"


def _lines(row: dict[str, Any], week: date) -> Iterator[str]:
    """A metric: what counts against it, what would mend that, and what of the week to come counts already."""
    orders = "orders" if row["metric_id"] in _OF_ORDERS else "sub-orders"
    is_of_grade = row["family"] == "seller_grade"
    if not row["units"]:
        yield f"Nothing to judge in {week}."
    else:
        against = f"{row['misses']:,} of {row['units']:,} {orders} {_count(row['misses'])} against it"
        allowed = f"at most {row['misses_allowed']:,} may" if row["misses_allowed"] else "none may"
        if row["misses_allowed"] is None:
            allowed = "no number would do"
        if row["is_on_target"] is None:
            yield f"{against}; it has no target."
        else:
            yield f"{against}, {allowed}: {'on target' if row['is_on_target'] else 'not on target'}."
    if row["is_on_target"] is False:
        if row["clean_units_needed"] is None:
            yield f"100,000 more {orders} without a miss would not be enough."
        else:
            would = "bring it back" if is_of_grade else "would have met it"
            yield f"{row['clean_units_needed']:,} more {orders} without a miss {would}."
    if is_of_grade and row["recovers_on"]:
        yield f"As they leave the period: back on {row['recovers_on']}, if nothing more counts against it."
    if row["next_units"]:
        due = f"{row['next_units']:,} {orders} due in {week + WEEK}"
        yield f"Of {due}, {row['next_misses']:,} {_count(row['next_misses'])} against it already."


def _count(orders: int) -> str:
    return "counts" if orders == 1 else "count"
