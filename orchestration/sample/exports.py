"""The weekly files of the small sources: cases, master data and stock counts."""

from datetime import date

import numpy as np

from orchestration.sample.cases import TICKET_TIME_FORMAT, Cases
from orchestration.sample.files import Inbox, spoil
from orchestration.sample.frames import Frame, stream
from orchestration.sample.master_data import FlaggedUsers, inventory_export, products_export, sellers_export
from orchestration.sample.scenarios import Scenario
from orchestration.sample.season import Season
from orchestration.sample.world import World


class WeeklyExports:
    """The exports of one week after the other; what is decided in a later week waits in here."""

    def __init__(
        self,
        scenario: Scenario,
        world: World,
        season: Season,
        inbox: Inbox,
        *,
        start: date,
        orders_per_week: int,
        seed: int,
    ) -> None:
        self._scenario, self._world, self._season, self._inbox = scenario, world, season, inbox
        self._start, self._orders_per_week, self._seed = start, orders_per_week, seed
        self._cases = Cases(world)
        self._flagged_users = FlaggedUsers(world, start, self._stream("first flags", start))

    def write_week(self, monday: date, recent: Frame) -> None:
        """The week's files. Claims are about `recent`, the sub-orders of the last weeks."""
        strain, bad = self._season.strain(monday), self._scenario.bad_record_share
        orders = round(self._orders_per_week * strain.load)
        claims = self._cases.claims(monday, recent, self._stream("claims", monday))
        self._inbox.write("claims", f"{monday}.jsonl", claims)
        tickets = self._cases.tickets(monday, orders, self._stream("tickets", monday))
        self._inbox.write("tickets", f"{monday}.csv", tickets, time_format=TICKET_TIME_FORMAT)
        rng = self._stream("settlements", monday)
        documents = self._cases.settlements(monday, orders, rng)
        self._inbox.write("settlements", f"{monday}.jsonl.gz", spoil("settlements", documents, bad, rng)[0])
        self._inbox.write("sellers", f"{monday}.csv", sellers_export(self._world, monday))
        self._inbox.write("products", f"{monday}.parquet", products_export(self._world, monday))
        flags = self._flagged_users.export(monday, self._stream("flagged_users", monday))
        self._inbox.write("flagged_users", f"{monday}.jsonl", flags)
        rng = self._stream("inventory_snapshots", monday)
        stock = inventory_export(self._world, self._start, monday, self._orders_per_week, strain, rng)
        self._inbox.write(
            "inventory_snapshots", f"{monday}.jsonl.zst", spoil("inventory_snapshots", stock, bad, rng)[0]
        )

    def _stream(self, source: str, day: date) -> np.random.Generator:
        return stream(self._seed, source, day)
