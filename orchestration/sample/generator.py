"""Writes a sample: day by day the orders and calls, week by week the exports, keeping only the last weeks in memory."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from orchestration.home.layout import Home
from orchestration.sample.calls import background_calls, calls_of_sub_orders, reconciliation_polls
from orchestration.sample.exports import WeeklyExports
from orchestration.sample.files import Inbox, SampleSummary, spoil
from orchestration.sample.frames import stream
from orchestration.sample.lifecycle import follow_parcels, settle_sub_orders
from orchestration.sample.log_files import LogFiles
from orchestration.sample.logs import DailyLogs
from orchestration.sample.order_exports import OrderBook
from orchestration.sample.orders import orders_per_day, place_orders
from orchestration.sample.poisons import (
    PoisonedInbox,
    check_poison,
    poison_configuration,
    poisoned_weeks,
    smallest_client,
)
from orchestration.sample.scenarios import AUGUST, POISON, Scenario, scenario_named
from orchestration.sample.season import Season
from orchestration.sample.world import World, build_world

DEFAULT_START = date(2026, 1, 5)
"""A Monday; fixed, so that the default sample is the same on every day."""


def write_sample(
    home: Path,
    *,
    weeks: int = 6,
    start: date | None = None,
    sellers: int = 200,
    orders_per_week: int = 5000,
    seed: int = 7,
    scenario: str = "normal",
    poison: str | None = None,
) -> SampleSummary:
    """Write `weeks` weeks of synthetic raw files of all ten sources into the home's inbox.

    The same arguments give the same bytes, and more weeks leave the files of the earlier weeks as they are. `start`
    is the first Monday, 2026-01-05 unless given. `poison` is the rule of the gate that the scenario poison trips, by
    default one rule after the other. ValueError says which argument can't be used, and why.
    """
    chosen = scenario_named(scenario)
    if chosen is AUGUST:
        raise ValueError("the scenario august is one month of a size of its own: write_august writes it")
    start = DEFAULT_START if start is None else start
    _check(weeks, start, sellers, orders_per_week, seed)
    if poison is not None and chosen is not POISON:
        raise ValueError(f"a rule to trip is for the scenario {POISON.name}, not for {chosen.name}")
    world = build_world(chosen, start=start, sellers=sellers, orders_per_week=orders_per_week, seed=seed)
    inbox = Inbox(Home.of(home).inbox)
    if chosen is POISON:
        check_poison(poison, weeks, sellers, orders_per_week)
        poison_configuration(Home.of(home).config, poison)
        poisoned, client = poisoned_weeks(poison, start, weeks), smallest_client(world, start)
        inbox = PoisonedInbox(Home.of(home).inbox, poisoned, client, orders_per_week)
    with inbox:
        sample = _Sample(chosen, world, inbox, start=start, orders_per_week=orders_per_week, seed=seed)
        for week in range(weeks):
            sample.write_week(start + timedelta(weeks=week))
        if chosen.claimed_capacity:
            _write_capacities(Home.of(home).config / "oms_capacity.csv", sample.claimed_capacity)
    return SampleSummary(tuple(inbox.files), dict(sorted(inbox.rows.items())))


def _check(weeks: int, start: date, sellers: int, orders_per_week: int, seed: int) -> None:
    for name, value, least in (("weeks", weeks, 1), ("sellers", sellers, 1), ("seed", seed, 0)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
    if orders_per_week < 7:
        raise ValueError(f"orders_per_week must be at least 7, one for each day, not {orders_per_week}")
    if start.weekday() != 0:
        monday = start - timedelta(days=start.weekday())
        raise ValueError(f"start must be a Monday; {start} is a {start:%A}, the Monday before is {monday}")


def _write_capacities(file: Path, capacities: Mapping[str, int]) -> None:
    """The clients' load tests are configuration, not a source. A file that is there is left as it is."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{client},{calls}" for client, calls in capacities.items()]
    file.write_text("\n".join(["oms_client,tested_hourly_calls", *lines, ""]), encoding="utf-8")


class _Sample:
    """A sample in the making; its weeks are written one after the other."""

    def __init__(
        self, scenario: Scenario, world: World, inbox: Inbox, *, start: date, orders_per_week: int, seed: int
    ) -> None:
        self._scenario, self._world, self._inbox = scenario, world, inbox
        self._orders_per_week, self._seed = orders_per_week, seed
        self._book = OrderBook()
        self._season = Season(scenario, self._world, start, orders_per_week)
        self._logs = DailyLogs(scenario, self._world, self._season)
        self._log_files = LogFiles(scenario, inbox)
        self._exports = WeeklyExports(
            scenario, self._world, self._season, inbox, start=start, orders_per_week=orders_per_week, seed=seed
        )

    @property
    def claimed_capacity(self) -> dict[str, int]:
        """Hourly calls that the load test of each client is said to have shown."""
        return self._season.claimed_capacity

    def write_week(self, monday: date) -> None:
        """All files of one week."""
        self._log_files.write_late(monday)
        week = round(self._orders_per_week * self._season.load(monday))
        for day, orders in orders_per_day(self._scenario, monday, week, self._seed).items():
            self._write_day(day, orders)
        self._write_orders(monday)
        self._exports.write_week(monday, self._book.recent(21))

    def _stream(self, source: str, day: date) -> np.random.Generator:
        return stream(self._seed, source, day)

    def _write_day(self, day: date, orders: int) -> None:
        rng = self._stream("seller_orders", day)
        parcels, sub_orders = place_orders(self._world, day, orders, rng)
        strain = self._season.strain(day)
        fates = follow_parcels(self._world, parcels, strain, rng)
        sub_orders = settle_sub_orders(self._scenario, self._world, sub_orders, fates, strain, rng)
        self._book.add(sub_orders, self._stream("packages", day))

        rng = self._stream("oms_logs", day)
        self._logs.add(calls_of_sub_orders(self._world, sub_orders, rng))
        self._logs.add(background_calls(self._world, day, orders, rng))
        self._logs.add(reconciliation_polls(self._world, day, self._book.recent(8), rng))
        self._log_files.write_day(day, self._logs.records_of(day, rng), rng)

    def _write_orders(self, monday: date) -> None:
        placed, updates = self._book.exports(monday)
        rng = self._stream("exports", monday)
        bad = self._scenario.bad_record_share
        self._inbox.write("seller_orders", f"{monday}-placed.csv.gz", spoil("seller_orders", placed, bad, rng)[0])
        self._inbox.write("seller_orders", f"{monday}-updates.csv.gz", updates)
        packages = self._book.packages(monday)
        self._inbox.write("packages", f"{monday}.csv.gz", spoil("packages", packages, bad, rng)[0])
