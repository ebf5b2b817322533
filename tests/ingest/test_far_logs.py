"""Logs of long before a published week make it due only where they can change its sustained load."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from metric_store.reading import published_weeks
from metric_store.words import WEEK
from orchestration.ingest.ledger import Ledger
from orchestration.project import code_version
from orchestration.weeks.far_logs import keep_unmoved_weeks, landed_so_far
from orchestration.weeks.planning import state_of
from tests.ingest.ingest_kit import Place, Row, logs, row, without

OLD = date(2024, 8, 5)
#: The weeks from the old one on, by how many lie between: rules look back over four, the sustained load over twelve.
WEEKS = [OLD + number * WEEK for number in range(14)]
NEAR, ALL = WEEKS[:5], WEEKS[:13]
NOW = datetime(2024, 12, 1)
HOUR = datetime(2024, 8, 7, 10)
Sustained = Mapping[tuple[date, str], int | None]


def calls(number: int, name: str = "first", at: datetime = HOUR, **values: str | None) -> list[Row]:
    """So many calls within an hour."""
    return logs(*(f"{name}-{n}" for n in range(number)), logged_at=str(at + timedelta(minutes=59)), **values)


def everywhere(sustained: Mapping[str, int | None]) -> Sustained:
    return {(week, client): calls for week in WEEKS for client, calls in sustained.items()}


class Published(Place):
    """A home with some logs, and all weeks published from them with a sustained load."""

    def __init__(self, folder: Path, first: Sequence[Row], sustained: Sustained, zone: str = "UTC") -> None:
        super().__init__(folder, zone=zone)
        self.land("first", first)
        with Ledger(self.home.ledger) as ledger:
            for subject in ("landed", "published"):
                ledger.keep_calendar(subject, (zone, 3))
        self.home.published.mkdir()
        with duckdb.connect(str(self.home.published_store)) as db:
            db.execute(
                "create schema marts; create table marts.publication (week_start date primary key, build_id text, "
                "published_at timestamp, calculated_at timestamp, config_hash text, code_version text, raw_fingerprint "
                "text, is_current boolean); create table marts.fct_oms_readiness_week (week_start date, oms_client "
                "text, sustained_hourly_calls bigint, primary key (week_start, oms_client))"
            )
            db.executemany(
                "insert into marts.publication values (?, 'none', ?, ?, 'c', ?, 'none', true)",
                [(week, NOW, NOW, code_version()) for week in WEEKS],
            )
        self.publish(WEEKS, sustained)

    def publish(self, weeks: Sequence[date], sustained: Sustained, build: str = "b") -> None:
        with Ledger(self.home.ledger, read_only=True) as ledger:
            marks = state_of(ledger, published_weeks(self.home.published_store)).fingerprints
        with duckdb.connect(str(self.home.published_store)) as db:
            for week in weeks:
                db.execute(
                    "update marts.publication set raw_fingerprint = ?, build_id = ? where week_start = ?",
                    [marks[week], build, week],
                )
            for (week, client), most in sustained.items():
                if week in weeks:
                    db.execute(
                        "insert or replace into marts.fct_oms_readiness_week values (?, ?, ?)", [week, client, most]
                    )

    def land(self, name: str, rows: Sequence[Row]) -> None:
        """As the step `inbox` does, with what else is in the inbox."""
        self.put(f"oms_logs/{name}.jsonl", rows)
        with Ledger(self.home.ledger) as ledger:
            before = landed_so_far(self.home, ledger)
        for source in {path.parent.name for path in self.home.inbox.glob("*/*")}:
            self.ingest(source, NOW)
        with Ledger(self.home.ledger) as ledger:
            keep_unmoved_weeks(self.home, ledger, before)

    def take_back(self, name: str) -> None:
        with Ledger(self.home.ledger) as ledger:
            ledger.take_back(file["file_id"] for file in ledger.files() if file["path"] == f"{name}.jsonl")

    @property
    def due(self) -> list[date]:
        with Ledger(self.home.ledger, read_only=True) as ledger:
            return state_of(ledger, published_weeks(self.home.published_store)).due


def published(folder: Path, sustained: Mapping[str, int | None], zone: str = "UTC") -> Published:
    """A home with three calls of an hour in the old week."""
    return Published(folder, calls(3), everywhere(sustained), zone)


@pytest.mark.parametrize(
    ("sustained", "late", "due"),
    [
        ({"unicart": 6}, calls(2, "late"), NEAR),
        ({"unicart": 5}, calls(2, "late"), ALL),
        ({"unicart": 4}, calls(2, "late"), ALL),
        ({"unicart": None}, calls(1, "late"), ALL),
        ({"unicart": 5}, calls(2, "late", flow=None), NEAR),
        ({"unicart": 5}, calls(2, "late", at=HOUR + timedelta(hours=1)), NEAR),
        ({"unicart": 5}, calls(2, "late", oms_client="easyecom"), NEAR),
        ({"easyecom": 1}, calls(9, "late"), NEAR),
    ],
    ids=["below", "at", "above", "none", "no call", "other hour", "other client", "client without a call in the week"],
)
def test_a_week_far_off_is_due_where_an_hour_reaches_what_it_sustains(
    sustained: dict[str, int | None], late: list[Row], due: list[date], tmp_path: Path
) -> None:
    home = published(tmp_path, sustained)
    assert home.due == []
    home.land("late", late)
    assert home.due == due


def test_late_files_count_together_with_those_that_changed_nothing(tmp_path: Path) -> None:
    home = published(tmp_path, {"unicart": 6})
    home.land("late", calls(2, "late"))
    home.land("other", calls(2, "other", flow=None))
    assert home.due == NEAR
    home.land("later", calls(1, "later"))
    assert home.due == ALL


def test_a_file_of_many_weeks_is_near_to_some_and_far_from_others(tmp_path: Path) -> None:
    home = published(tmp_path, {"unicart": 6})
    home.land("late", [*calls(1, "late"), *calls(1, "new", at=HOUR + 7 * WEEK)])
    assert home.due == [*NEAR, *WEEKS[7:12]]


def test_hours_count_from_the_start_of_the_week_in_a_zone_of_half_hours(tmp_path: Path) -> None:
    """In Kolkata an hour begins at half past of UTC: 10:59 and 11:05 are in one."""
    home = published(tmp_path, {"unicart": 5}, zone="Asia/Kolkata")
    home.land("late", calls(2, "late", at=HOUR + timedelta(minutes=6)))
    assert home.due == ALL


def test_a_week_is_due_when_what_it_was_built_from_is_gone(tmp_path: Path) -> None:
    """After it was built from a late file, that belongs to it, too, although it changed nothing when it came."""
    home = published(tmp_path, {"unicart": 6})
    home.land("late", calls(1, "late"))
    home.take_back("late")
    assert home.due == []
    home.land("late again", calls(1, "late"))
    assert home.due == NEAR
    home.publish(WEEKS, everywhere({"unicart": 4}), "other configuration")
    assert home.due == []
    home.take_back("late again")
    assert home.due == ALL


def test_a_week_that_was_due_stays_so(tmp_path: Path) -> None:
    home = published(tmp_path, {"unicart": 6})
    home.land("many", calls(9, "many"))
    home.land("few", calls(1, "few", at=HOUR + timedelta(hours=1)))
    assert home.due == ALL


def test_what_concerns_every_week_leaves_none_alone(tmp_path: Path) -> None:
    """A column or a source that is there for the first time; the correction of a rejected log of an unknown date."""
    first = [without(record, "request_id") for record in calls(3)]
    home = Published(tmp_path / "column", first, everywhere({"unicart": 6}))
    home.put("oms_logs/whole.csv", calls(1, "whole"))
    home.land("late", calls(1, "late"))
    assert home.due == ALL

    home = published(tmp_path / "source", {"unicart": 6})
    home.put("inventory_snapshots/first.jsonl", [row("inventory_snapshots", snapshot_at="2024-01-01")])
    home.land("late", calls(1, "late"))
    assert home.due == ALL

    home = Published(
        tmp_path / "rejected",
        [*calls(3), *calls(1, "bad", at=HOUR + 9 * WEEK, attempt="0")],
        everywhere({"unicart": 6}),
    )
    home.land("corrected", calls(1, "bad"))
    assert home.due == [*NEAR, WEEKS[9]]


def test_a_week_that_reads_something_else_that_is_new_is_due(tmp_path: Path) -> None:
    home = published(tmp_path, {"unicart": 6})
    home.put("inventory_snapshots/first.jsonl", [row("inventory_snapshots")])
    home.land("few", calls(1, "few"))
    home.publish(WEEKS, {})
    home.put(
        "inventory_snapshots/late.jsonl", [row("inventory_snapshots", sku_id="K2", snapshot_at=str(HOUR + 7 * WEEK))]
    )
    home.land("late", calls(1, "late"))
    assert home.due == [*NEAR, *WEEKS[7:12]]


class History:
    """Logs that come at random, and the sustained load of each week by its definition."""

    def __init__(self, zone: str, chance: random.Random) -> None:
        self.zone, self.chance, self.rows = zone, chance, list[Row]()

    def starts_at(self, week: date) -> datetime:
        return datetime(week.year, week.month, week.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def new(self, hours: int, most: int) -> list[Row]:
        """Up to so many logs in each of so many hours: by the edges of weeks, of which one has a change of clocks."""
        found = []
        for _ in range(hours):
            near = self.starts_at(self.chance.choice([*WEEKS, WEEKS[-1] + WEEK]))
            begins = near + timedelta(hours=self.chance.choice([-25, -24, -2, -1, 0, 1, 5, 24]))
            client, is_slow = self.chance.choice(["unicart", "easyecom"]), self.chance.random() < 0.2
            for _ in range(self.chance.randint(1, most)):
                at = begins + timedelta(seconds=self.chance.choice([0, 1, 1799, 1800, 3599]))
                name = f"{len(self.rows) + len(found)}"
                stamps = {"t1_received_at": str(at)[:19], "t5_label_sent_at": str(at + timedelta(hours=is_slow))[:19]}
                flow = self.chance.choice(["manifestation", "manifestation", "acceptance", None])
                found += logs(name, logged_at=str(at)[:19], flow=flow, oms_client=client, **stamps)
        self.rows += found
        return found

    def sustained(self) -> dict[tuple[date, str], int | None]:
        answered: dict[tuple[date, str, int], list[bool | None]] = defaultdict(list)
        starts = {week - 13 * WEEK: self.starts_at(week - 13 * WEEK) for week in WEEKS} | {
            w: self.starts_at(w) for w in WEEKS
        }
        for record in self.rows:
            at = datetime.fromisoformat(record["logged_at"]).replace(tzinfo=UTC)
            week = max((week for week, start in starts.items() if start <= at), default=None)
            if record["flow"] and week:
                hour = (at - starts[week]) // timedelta(hours=1)
                is_fast = record["t1_received_at"] == record["t5_label_sent_at"]
                answered[week, record["oms_client"], hour].append(
                    is_fast if record["flow"] == "manifestation" else None
                )
        found: dict[tuple[date, str], int | None] = {}
        for week in WEEKS:
            for client in ("unicart", "easyecom"):
                borne = [
                    len(seen)
                    for (of, by, _), seen in answered.items()
                    if by == client and week - 12 * WEEK <= of <= week
                    if (known := [x for x in seen if x is not None]) and 100 * sum(known) >= 95 * len(known)
                ]
                found[week, client] = max(borne, default=None)
        return found


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_no_week_whose_load_changes_is_left_alone(zone: str, tmp_path: Path) -> None:
    history = History(zone, random.Random(zone))
    home = Published(tmp_path, history.new(60, 9), before := history.sustained(), zone)
    named, moved = 0, 0
    for number in range(8):
        late = history.new(1, history.chance.choice([1, 2, 12]))
        home.land(f"late-{number}", late)
        now, due = history.sustained(), home.due
        changed = {week for (week, client), most in now.items() if most != before[week, client]}
        assert changed <= {*due}, late
        named, moved = named + len(due), moved + len(changed)
        home.publish(due, now, f"build {number}")
        before = now
    assert 0 < moved < named
