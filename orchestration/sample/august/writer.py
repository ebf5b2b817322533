"""Writes the scenario: the heavy sources by the engine, the small ones week by week like those of other scenarios."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from orchestration.sample.august.counts import DAYS, MONTH, Counts
from orchestration.sample.august.month import Month
from orchestration.sample.exports import WeeklyExports
from orchestration.sample.files import Inbox, SampleSummary
from orchestration.sample.frames import Frame, midnight, stack, take
from orchestration.sample.scenarios import Scenario
from orchestration.sample.world import build_world
from orchestration.settings import Home

_ORDERS_PER_WEEK = 400_000  # at scale 1: what the small sources, products and buyers are as many as
_FEWEST_ORDERS_PER_WEEK = 500
_DELIVERED_KEPT = 40  # at scale 1: one in so many may lead to a claim
_WEEK = timedelta(days=7)


def write_august(home: Path, *, scale: float = 1.0, seed: int = 7) -> SampleSummary:
    """Write the month into the home's inbox; the same arguments give the same bytes.

    ValueError says which argument can't be used, and why.
    """
    counts = Counts.at(scale)
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")
    place = Home.of(home)
    scenario = Scenario("august", onboarding_days=28.0)  # all sellers have joined by the end of the month
    start = MONTH - timedelta(days=MONTH.weekday())
    orders = max(_FEWEST_ORDERS_PER_WEEK, round(scale * _ORDERS_PER_WEEK))
    world = build_world(scenario, start=start, sellers=counts.sellers, orders_per_week=orders, seed=seed)

    delivered: list[Frame] = []
    one_in = max(1, round(scale * _DELIVERED_KEPT))
    scratch = place.scratch / "sample"
    try:
        with Month(place.inbox, scratch, counts, world, seed) as month:
            month.write(lambda _: delivered.append(month.delivered(one_in)))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    known = stack(delivered)
    with Inbox(place.inbox) as inbox:
        exports = WeeklyExports(scenario, world, inbox, start=start, orders_per_week=orders, seed=seed)
        for monday in (start + n * _WEEK for n in range((DAYS[-1] - start) // _WEEK + 1)):
            exports.write_week(monday, take(known, known["ordered_at"] < midnight(monday + _WEEK)))
    return SampleSummary((*month.files, *inbox.files), dict(sorted((month.rows + inbox.rows).items())))
