"""S, E and A of a week: by one time zone database, for every zone, and the same for ingest, planning and the models."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import pytest

from orchestration.configuration import load_configuration
from orchestration.ingest.touches import quarter_hour, week_of
from orchestration.weeks.calendar import calendar, calendar_query, time_zones

#: IANA's names, of which DuckDB knows every one; how a system calls its own zone isn't among them.
ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


@pytest.mark.parametrize(
    ("zone", "hours", "week", "starts_at", "ends_at", "calculated_at", "calculated_on"),
    [
        ("UTC", 3, "2024-08-05", "2024-08-05 00:00", "2024-08-12 00:00", "2024-08-12 03:00", "2024-08-12"),
        # the offset to A is counted in hours, and doesn't stretch with a change of clocks
        ("Europe/Berlin", 3, "2024-03-25", "2024-03-24 23:00", "2024-03-31 22:00", "2024-04-01 01:00", "2024-04-01"),
        ("Europe/Berlin", 3, "2024-10-21", "2024-10-20 22:00", "2024-10-27 23:00", "2024-10-28 02:00", "2024-10-28"),
        # at 22:00 of a Sunday in UTC it is Monday there already
        ("Asia/Ho_Chi_Minh", 5, "2024-08-05", "2024-08-04 17:00", "2024-08-11 17:00", "2024-08-11 22:00", "2024-08-12"),
        # the permanent offset that Morocco has had since 2026-09-20: older time zone data is an hour off
        ("Africa/Casablanca", 3, "2026-09-14", "2026-09-13 23:00", "2026-09-21", "2026-09-21 03:00", "2026-09-21"),
    ],
)
def test_a_week_runs_from_monday_to_monday_of_its_zone(
    zone: str, hours: int, week: str, starts_at: str, ends_at: str, calculated_at: str, calculated_on: str
) -> None:
    found = calendar(zone, hours)[date.fromisoformat(week)]
    assert [found.starts_at, found.ends_at, found.calculated_at] == [
        datetime.fromisoformat(instant) for instant in (starts_at, ends_at, calculated_at)
    ]
    assert found.calculated_on == date.fromisoformat(calculated_on)


def test_the_calendar_has_the_monday_of_every_accepted_instant() -> None:
    weeks = list(calendar("UTC", 3))
    assert weeks[0] <= date(1969, 12, 29)
    assert {later - earlier for earlier, later in pairwise(weeks)} == {timedelta(days=7)}
    assert weeks[-1] > date(2199, 12, 25)


def test_the_engine_knows_every_zone_that_a_configuration_may_name() -> None:
    assert set(ZONES) <= time_zones()


def test_the_ingest_agrees_with_the_calendar_in_every_zone_for_the_weeks_of_two_years() -> None:
    """The last instant of a week lies in it, its end in the next."""
    first, last = date(2025, 12, 29), date(2027, 12, 27)
    with duckdb.connect() as engine:
        engine.execute("set TimeZone = 'UTC'")
        apart = []
        for zone in ZONES:
            begins, before_end, ends = (
                week_of(instant, zone) for instant in ("starts_at", "ends_at - interval 1 microsecond", "ends_at")
            )
            apart += engine.execute(
                f"select '{zone}', week_start from ({calendar_query(zone, 3)}) "
                f"where week_start between date '{first}' and date '{last}' "
                f"and not (week_start = {begins} and week_start = {before_end} and week_start + 7 = {ends} "
                f"and calculated_at = ends_at + interval 3 hour)"
            ).fetchall()
    assert apart == []


def test_no_week_begins_within_what_the_ingest_counts_together() -> None:
    """In every zone, from 1970 to 2040: the start of a week is the start of a quarter of an hour, or of a second."""
    with duckdb.connect() as engine:
        within = [
            found
            for zone in ZONES
            for found in engine.execute(
                f"select '{zone}', week_start, starts_at from (select cast(week_start as date) as week_start, "
                f"timezone('UTC', timezone('{zone}', week_start)) as starts_at from range(timestamp '1970-01-05', "
                f"timestamp '2040-01-01', interval 7 days) as weeks(week_start)) "
                f"where starts_at <> {quarter_hour('starts_at')}"
            ).fetchall()
        ]
    assert within == []


def test_the_configuration_asks_the_calendar(tmp_path) -> None:
    (tmp_path / "settings.csv").write_text(
        "key,value\nreporting_timezone,Africa/Casablanca\ncalculation_offset_hours,4\n"
    )
    configuration = load_configuration(tmp_path)
    assert configuration.calculated_at(date(2026, 9, 14)) == datetime(2026, 9, 21, 4)
