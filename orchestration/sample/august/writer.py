"""Writes the scenario: the heavy sources by the engine, the small ones week by week like those of other scenarios."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from orchestration.home.layout import Home
from orchestration.sample.august.counts import DAYS, MONTH, Counts
from orchestration.sample.august.month import Month
from orchestration.sample.exports import WeeklyExports
from orchestration.sample.files import Inbox, SampleSummary
from orchestration.sample.frames import Frame, midnight, stack, take
from orchestration.sample.scenarios import AUGUST
from orchestration.sample.season import Season
from orchestration.sample.world import build_world

_ORDERS_PER_WEEK = 400_000  # at scale 1: what the small sources, products and buyers are as many as
_FEWEST_ORDERS_PER_WEEK = 500
_FOLLOWED = 40  # at scale 1: one in so many sub-orders may lead to a claim
_WEEK = timedelta(days=7)


def write_august(home: Path, *, scale: float = 1.0, seed: int = 7, threads: int | None = None) -> SampleSummary:
    """Write the month into the home's inbox; the same scale and seed give the same bytes, however many the threads.

    ValueError says which argument can't be used, and why.
    """
    counts = Counts.at(scale)
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")
    place = Home.of(home)
    start = MONTH - timedelta(days=MONTH.weekday())
    orders = max(_FEWEST_ORDERS_PER_WEEK, round(scale * _ORDERS_PER_WEEK))
    world = build_world(AUGUST, start=start, sellers=counts.sellers, orders_per_week=orders, seed=seed)

    followed: list[Frame] = []
    one_in = max(1, round(scale * _FOLLOWED))
    scratch = place.scratch / "sample"
    scratch.mkdir(parents=True, exist_ok=True)  # the engine makes no folder above the one that it spills into
    try:
        with Month(place.inbox, scratch, counts, world, seed, threads) as month:
            month.write(lambda _: followed.append(month.some_sub_orders(one_in)))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):  # a run has files there
            place.scratch.rmdir()
    known = stack(followed)
    with Inbox(place.inbox) as inbox:
        season = Season(AUGUST, world, start, orders)
        exports = WeeklyExports(AUGUST, world, season, inbox, start=start, orders_per_week=orders, seed=seed)
        for monday in (start + n * _WEEK for n in range((DAYS[-1] - start) // _WEEK + 1)):
            exports.write_week(monday, take(known, known["ordered_at"] < midnight(monday + _WEEK)))
    return SampleSummary((*month.files, *inbox.files), dict(sorted((month.rows + inbox.rows).items())))
