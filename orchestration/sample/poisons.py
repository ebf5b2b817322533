"""Samples that trip a rule of the gate: one thing is wrong with the input, and no other rule objects to it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from orchestration.configuration.files import FILES_BY_STEM
from orchestration.configuration.ids import GATE_RULES
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.sample.clients import CLIENT_NAMES
from orchestration.sample.files import UTC_FORMAT, Inbox
from orchestration.sample.frames import midnight
from orchestration.sample.words import USER_TYPES
from orchestration.sample.world import World

LEAST_SELLERS, LEAST_ORDERS = 12, 300
"""Of a poisoned sample: in a smaller one a rule trips by chance, or a client is too large a part of the whole."""

_WEEK = timedelta(weeks=1)
_REUSED_BY = 300  # sub-orders, about, that come under one request id
_LOW_MAXIMUM = ("null_request_id_rate", "10")


@dataclass(frozen=True)
class Poison:
    """What is done to the records of a source in a poisoned week.

    change: columns that get another value, with the SQL for it. lost: SQL for the records that never arrive. `client`
    is the smallest OMS client, `number` a record's number within its day, `day` that within the week, 0 for Monday.
    lacks: a column that the week's export comes without. weeks_before: sound weeks that the rule compares with. Poisons
    without a source are no matter of records.
    """

    source: str = ""
    change: Mapping[str, str] = field(default_factory=dict)
    lost: str = "false"
    lacks: str = ""
    weeks_before: int = 0


#: By rule, in the order in which `--scenario poison` goes through the weeks. The first two trip another rule after a
#: week that landed: a day without records is none as usual, and a rate this high is a shift. A week that lacks a day
#: hasn't landed.
_OF_FIRST_WEEKS = {
    "days_present": Poison("oms_logs", lost="day = 3"),
    "null_request_id_rate": Poison("oms_logs", {"request_id": "case when number % 100 >= 15 then request_id end"}),
}
_OF_ONE_WEEK = {
    **_OF_FIRST_WEEKS,
    "null_request_id_shift": Poison(
        "oms_logs",
        {"request_id": "coalesce(request_id, case when number % 100 < 30 then 'X' || log_id end)"},
        weeks_before=1,
    ),
    "null_request_id_rate_client": Poison(
        "oms_logs", {"request_id": "case when oms_client <> client or number % 4 = 0 then request_id end"}
    ),
    "quarantine_rate": Poison("packages", {"order_id": "case when number % 10 > 0 then order_id end"}),
    "sub_orders_per_request": Poison(
        "oms_logs",
        {
            "request_id": "case when request_id is not null and flow = 'acceptance' and attempt = 1 "
            "and number % rarity = 0 then 'R-REUSED' else request_id end"
        },
    ),
    "day_volume": Poison("oms_logs", lost="day = 3 and number % 10 > 0", weeks_before=1),
    "volume_shift": Poison("tickets", lost="true", weeks_before=1),
    "unknown_sellers": Poison(
        "settlements", {"seller_id": "case when number % 5 = 0 then 'X' || seller_id else seller_id end"}
    ),
    "timestamps_backwards": Poison("seller_orders", {"confirmed_at": "confirmed_at - interval 7 hours"}),
    "snapshot_days": Poison("inventory_snapshots", lost="system = 'marketplace' and day = 2"),
    "client_calls": Poison("oms_logs", lost="oms_client = client", weeks_before=1),
    "columns_present": Poison("products", lacks="delisted_at", weeks_before=1),
}
#: What no single week has. A file that can't be read withholds every week that isn't published; a bound holds for all.
_OF_ALL_WEEKS = {"files_readable": Poison(), "rates_in_bounds": Poison()}
POISONS = {**_OF_ONE_WEEK, **_OF_ALL_WEEKS}

_REFUSED = "is checked before anything is built: a run with such a file ends with an error, and gets to no gate"
WITHOUT_POISON = {
    "score_bands": f"grade_bands.csv {_REFUSED}",
    "weights": f"grade_weights.csv {_REFUSED}",
    "records_reconciled": "the ingest counts a file as landed only once its records add up",
    "contributions_sum": "the parts are shares of their own sum, so they make up 100 whatever the records are",
    "keys_unique": "every published table is grouped by its key, and repeated records never land",
    "restatement_size": "it compares with what is published, so it takes a week that was published before",
}
"""Rules that no sample trips, for the reason named: most guard against a fault of this project's own."""


def check_poison(rule: str | None, weeks: int, sellers: int, orders_per_week: int) -> None:
    """Raises ValueError where the sample can't be poisoned for the rule (None: for one after the other), and why."""
    if rule in WITHOUT_POISON:
        raise ValueError(f"no input can trip {rule}: {WITHOUT_POISON[rule]}; rules to choose from: {_choice()}")
    if rule is not None and rule not in POISONS:
        raise ValueError(f"the gate has no rule {rule!r} to poison a sample for; rules to choose from: {_choice()}")
    if sellers < LEAST_SELLERS or orders_per_week < LEAST_ORDERS:
        raise ValueError(
            f"a poisoned sample has at least {LEAST_SELLERS} sellers and {LEAST_ORDERS} orders per week, so that "
            "no rule trips by chance"
        )
    if rule is not None and weeks <= POISONS[rule].weeks_before:
        raise ValueError(f"{rule} compares a week with those before it: give at least 2 weeks, the last is poisoned")


def _choice() -> str:
    return ", ".join(rule for rule in GATE_RULES if rule in POISONS)


def poisoned_weeks(rule: str | None, start: date, weeks: int) -> dict[date, str]:
    """The rule that each poisoned week trips, by its Monday.

    Without a rule each week has the next one, and those after the last are sound. Else the last week is poisoned; all
    of them by what concerns all, and by what would trip another rule after a sound week.
    """
    mondays = [start + timedelta(weeks=number) for number in range(weeks)]
    if rule is None:
        return dict(zip(mondays, _OF_ONE_WEEK, strict=False))
    if rule in _OF_ALL_WEEKS or rule in _OF_FIRST_WEEKS:
        return dict.fromkeys(mondays, rule)
    return {mondays[-1]: rule}


class PoisonedInbox(Inbox):
    """An inbox whose records are poisoned by their event time: late, replayed and newer ones are like the first."""

    def __init__(self, folder: Path, weeks: Mapping[date, str], client: str, orders_per_week: int) -> None:
        super().__init__(folder)
        self._weeks = weeks
        self._client = client
        self._rarity = max(1, orders_per_week // _REUSED_BY)

    def write(self, source: str, name: str, table: pa.Table, *, time_format: str = UTC_FORMAT) -> None:
        """Write what the poisons leave of a table."""
        for monday, rule in self._weeks.items():
            poison = POISONS[rule]
            if poison.source != source or not table.num_rows:
                continue
            if not poison.lacks:
                table = self._poisoned(poison, table, monday)
            elif name.startswith(str(monday)):
                table = table.drop_columns([poison.lacks])
        super().write(source, name, table, time_format=time_format)

    def _poisoned(self, poison: Poison, table: pa.Table, monday: date) -> pa.Table:
        source = SOURCES_BY_NAME[poison.source]
        happened_at = table[str(source.event_time)].to_numpy()
        if happened_at.max() < midnight(monday) or happened_at.min() >= midnight(monday + _WEEK):
            return table
        self._connection.register("sound", table)
        columns = ", ".join(
            f"case when is_of_week then {poison.change[name]} else {name} end as {name}"
            if name in poison.change
            else name
            for name in table.column_names
        )
        poisoned = self._connection.sql(
            f"""
            with days as (
                select *, date_diff('day', date '{monday}', cast({source.event_time} as date)) as day from sound
            )
            select {columns}
            from (
                select
                    *,
                    day between 0 and 6 as is_of_week,
                    try_cast(regexp_extract(cast({source.key[0]} as varchar), '[0-9]+$') as bigint) as number,
                    '{self._client}' as client,
                    {self._rarity} as rarity
                from days
            )
            where not (is_of_week and ({poison.lost}))
            """
        ).to_arrow_table()
        self._connection.unregister("sound")
        return poisoned

    def _put_in_place(self, partial: Path, path: Path) -> None:
        """The last week's export of the products breaks off on its way, where that is the poison."""
        last = max(self._weeks)
        if self._weeks[last] == "files_readable" and path.parts[-2:] == ("products", f"{last}.parquet"):
            with partial.open("rb+") as file:
                file.truncate(partial.stat().st_size * 2 // 3)
        super()._put_in_place(partial, path)


def smallest_client(world: World, start: date) -> str:
    """The OMS client with the fewest orders among those that make calls from the first week on."""
    calls = world.sellers["user_type"] != USER_TYPES.index("no_flow")
    calls &= (world.sellers["client"] >= 0) & (world.sellers["onboarded_at"] < midnight(start))
    orders = np.bincount(world.sellers["client"][calls], weights=world.sellers["weight"][calls])
    return CLIENT_NAMES[int(np.argmin(np.where(orders > 0, orders, np.inf)))]


def poison_configuration(folder: Path, rule: str | None) -> None:
    """Write the configuration file of a poison that is one. ValueError where another one is there already."""
    if rule != "rates_in_bounds":
        return
    default = FILES_BY_STEM["metric_catalog"].default_path
    rows = list(csv.DictReader(default.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        if row["metric_id"] == _LOW_MAXIMUM[0]:
            row["maximum"] = _LOW_MAXIMUM[1]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file = folder / default.name
    if file.exists() and file.read_text(encoding="utf-8") != text.getvalue():
        raise ValueError(f"{rule} needs {file.name} of its own, and {file} is there already: move it away")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text.getvalue(), encoding="utf-8")
