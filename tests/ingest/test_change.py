"""Another time zone or hour of calculation on a home: refused, or followed by all that has landed."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from metric_store.errors import MetricStoreError
from metric_store.reading import PublishedWeek
from orchestration.cli.forget import forget_files
from orchestration.configuration import Configuration, load_configuration
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.landing import IngestContext, ingest_source
from orchestration.ingest.ledger import Ledger
from orchestration.weeks import change
from orchestration.weeks.change import check_calendar, check_whole, follow_calendar
from tests.ingest.ingest_kit import Place, logs, row

NOW = datetime(2024, 9, 1)
SOURCES_READ = ("oms_logs", "seller_orders", "claims")
W1, W2 = date(2024, 8, 5), date(2024, 8, 12)


def settings(place: Place, zone: str, hours: int = 3) -> Configuration:
    place.home.config.mkdir(parents=True, exist_ok=True)
    text = f"key,value\nreporting_timezone,{zone}\ncalculation_offset_hours,{hours}\n"
    (place.home.config / "settings.csv").write_text(text)
    return load_configuration(place.home.config)


def put(place: Place) -> None:
    """Records around the bounds of weeks, and versions that meet those of other files."""
    place.put(
        "oms_logs/a.csv", [*logs("L1", logged_at="2024-08-05T02:00:00Z"), *logs("L2", logged_at="2024-08-11T23:30:00Z")]
    )
    place.put(
        "oms_logs/b.csv", [*logs("L3", logged_at="2024-08-12T01:00:00Z"), *logs("L1", logged_at="2024-08-05T02:00:00Z")]
    )
    order = {"ordered_at": "2024-08-05T01:00:00Z", "updated_at": "2024-08-06"}
    place.put("seller_orders/a.csv", [row("seller_orders", **order)])
    place.put(
        "seller_orders/b.csv",
        [row("seller_orders", **{**order, "shipped_at": "2024-08-12T04:30:00Z", "updated_at": "2024-08-13"})],
    )
    place.put("claims/a.csv", [row("claims", raised_at="2024-08-12T03:00:00Z", updated_at="2024-08-12T03:00:00Z")])
    place.put("claims/b.csv", [row("claims", raised_at="2024-08-12T03:00:00Z", updated_at="2024-08-20", verdict="x")])


def land(place: Place, configuration: Configuration) -> None:
    follow_calendar(place.home, configuration)
    for source in SOURCES_READ:
        ingest_source(place.home, SOURCES_BY_NAME[source], IngestContext("run", NOW, *configuration.calendar_settings))


def weeks_of(place: Place) -> dict[str, list[tuple]]:
    with sqlite3.connect(place.home.ledger) as db:
        return {
            name: db.execute(f"select * from {name} order by {', '.join(map(str, range(1, columns + 1)))}").fetchall()
            for name, columns in (("event_weeks", 3), ("touches", 4), ("calendars", 3))
        }


@pytest.mark.parametrize(("zone", "hours"), [("America/New_York", 3), ("Pacific/Kiritimati", 47), ("UTC", 0)])
def test_a_ledger_that_follows_is_that_of_a_home_that_landed_so(zone: str, hours: int, tmp_path: Path) -> None:
    followed, landed_so = Place(tmp_path / "one"), Place(tmp_path / "other")
    for place in (followed, landed_so):
        put(place)
    land(followed, settings(followed, "UTC"))
    before = weeks_of(followed)
    follow_calendar(followed.home, settings(followed, zone, hours))
    land(landed_so, settings(landed_so, zone, hours))
    assert weeks_of(followed) == weeks_of(landed_so)
    assert weeks_of(followed)["touches"] != before["touches"]
    assert [place.rejected(source) for place in (followed, landed_so) for source in SOURCES_READ] == [[]] * 6


def published(configuration: Configuration, *weeks: date) -> dict[date, PublishedWeek]:
    return {
        week: PublishedWeek(
            week, "build", NOW, configuration.calculated_at(week), configuration.config_hash(week), "code", "raw", True
        )
        for week in weeks
    }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    put(found)
    return found


def test_published_weeks_of_another_calendar_are_not_mixed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings(place, "UTC")
    land(place, before)
    store = published(before, W1, W2)
    with Ledger(place.home.ledger) as ledger:
        ledger.keep_calendar("published", before.calendar_settings)
        check_calendar(ledger, before, store, None)
        now = settings(place, "Asia/Ho_Chi_Minh")
        with pytest.raises(MetricStoreError, match=r"run --weeks 2024-08-05\.\.2024-08-12 --new-calendar"):
            check_calendar(ledger, now, store, None)
        with pytest.raises(MetricStoreError, match="one store can't hold both"):
            check_calendar(ledger, now, store, [W1])
        check_calendar(ledger, now, store, [W1, W2])
        with pytest.raises(MetricStoreError, match="the gate withholds 2024-08-12"):
            check_whole(ledger, now, store, [W1])
        check_whole(ledger, now, store, [W1, W2])
    kept = weeks_of(place)
    monkeypatch.setattr(change, "published_weeks", lambda _: store)
    with pytest.raises(MetricStoreError, match="one store can't hold both"):
        follow_calendar(place.home, now)
    with pytest.raises(MetricStoreError, match="one store can't hold both"):
        forget_files(place.home, ["oms_logs/a.csv"])
    assert weeks_of(place) == kept, "nothing was named anew"


def test_a_home_of_an_earlier_release_is_known_by_its_a(place: Place) -> None:
    before = settings(place, "UTC")
    store = {week: replace(found, config_hash="of then") for week, found in published(before, W1).items()}
    with Ledger(place.home.ledger) as ledger:
        check_calendar(ledger, before, store, None)
        with pytest.raises(MetricStoreError, match="one store can't hold both"):
            check_calendar(ledger, settings(place, "Europe/Berlin"), store, None)


def test_a_run_that_was_killed_before_it_noted_the_calendar_is_done(place: Place) -> None:
    now = settings(place, "Asia/Ho_Chi_Minh")
    with Ledger(place.home.ledger) as ledger:
        ledger.keep_calendar("published", ("UTC", 3))
        check_calendar(ledger, now, published(now, W1, W2), None)
