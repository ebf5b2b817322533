"""When weeks are calculated, and when they are late: as instants, and as what Dagster takes for them."""

from __future__ import annotations

import csv
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import available_timezones

from metric_store.words import WEEK
from orchestration.configuration import Configuration
from orchestration.home.files import read_plain
from orchestration.home.layout import Home
from orchestration.project import DEFAULT_CONFIG_DIR

_LONGEST_SETTINGS = 1024 * 1024
#: Dagster asks for less than the week between two deadlines.
_LONGEST_WINDOW = timedelta(days=6)


def publish_within(configuration: Configuration) -> timedelta:
    """How long after its A a week may be published."""
    return timedelta(hours=configuration.settings.publish_within_hours)


def late_weeks(
    configuration: Configuration, known: Collection[date], published: Collection[date], now: datetime
) -> list[date]:
    """Weeks that aren't published though their A + `publish_within_hours` has passed at `now` (UTC), in order.

    known: weeks that landed or are published; from the first of them on every week counts, one without data too.
    """
    within = publish_within(configuration)
    late = []
    week = min(known, default=None)
    while week is not None and configuration.calculated_at(week) + within <= now:
        if week not in published:
            late.append(week)
        week += WEEK
    return late


def tick_of(home: Home) -> tuple[str, str]:
    """Cron and time zone of A, by the home's settings; by the defaults, where these can't be read."""
    hours, _, zone = _settings_of(home)
    return _cron(hours), zone


def deadline_of(home: Home) -> tuple[str, timedelta, str]:
    """Cron of A + `publish_within_hours`, how long before it a week could be published, and the time zone."""
    hours, within, zone = _settings_of(home)
    return _cron(hours + within), min(timedelta(hours=within), _LONGEST_WINDOW), zone


def _settings_of(home: Home) -> tuple[int, int, str]:
    """The hour of A after the end of the week, publish_within_hours, and the time zone.

    Read as text: checking them asks the engine, and loading the definitions opens none.
    """
    values = {"reporting_timezone": "UTC", "calculation_offset_hours": "3", "publish_within_hours": "12"}
    for folder in (DEFAULT_CONFIG_DIR, home.config):
        with suppress(OSError, ValueError, csv.Error):
            lines = read_plain(folder / "settings.csv", _LONGEST_SETTINGS).decode("utf-8-sig").splitlines()
            values |= {row[0].strip(): row[1].strip() for row in csv.reader(lines) if len(row) == 2}
    zone, hours, within = (
        values[name] for name in ("reporting_timezone", "calculation_offset_hours", "publish_within_hours")
    )
    if zone not in available_timezones() or not hours.isdecimal() or not within.isdecimal() or within == "0":
        return 3, 12, "UTC"  # a tick tells what is wrong with the settings
    return int(hours), int(within), zone


def _cron(hours: int) -> str:
    """So many hours after the end of a week, on the wall clock."""
    days, hour = divmod(hours, 24)
    return f"0 {hour} * * {(1 + days) % 7}"
