"""When a week is late: for `status`, and for the freshness policy of Dagster."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dagster import FreshnessPolicy
from dagster._utils.schedules import get_latest_completed_cron_tick

from metric_store.words import WEEK
from orchestration.cli.status import _lines, read_status
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from orchestration.weeks.deadlines import deadline_of, late_weeks
from tests.unit.store_kit import store_of_weeks

MONDAY = date(2026, 1, 19)


def with_settings(home: Path, **settings: object) -> Home:
    (home / "config").mkdir(exist_ok=True)
    lines = ["key,value", *(f"{name},{value}" for name, value in settings.items())]
    (home / "config" / "settings.csv").write_text("\n".join(lines))
    return Home(home)


@pytest.mark.parametrize(
    ("zone", "hours", "within", "cron", "window"),
    [
        ("UTC", 3, 12, "0 15 * * 1", 12),
        ("Asia/Kathmandu", 20, 30, "0 2 * * 3", 30),
        ("Pacific/Kiritimati", 47, 240, "0 23 * * 5", 144),
    ],
)
def test_the_policy_and_status_have_the_same_deadline(
    tmp_path: Path, zone: str, hours: int, within: int, cron: str, window: int
) -> None:
    home = with_settings(tmp_path, reporting_timezone=zone, calculation_offset_hours=hours, publish_within_hours=within)
    policy = FreshnessPolicy.cron(*deadline_of(home))
    assert (policy.deadline_cron, policy.lower_bound_delta, policy.timezone) == (cron, timedelta(hours=window), zone)
    configuration = load_configuration(home.config)
    deadline = configuration.calculated_at(MONDAY) + timedelta(hours=within)
    tick = get_latest_completed_cron_tick(cron, deadline.replace(tzinfo=UTC) + timedelta(minutes=1), zone)
    assert tick.astimezone(UTC).replace(tzinfo=None) == deadline
    known, published = [MONDAY - 2 * WEEK, MONDAY], [MONDAY - 2 * WEEK]
    assert late_weeks(configuration, known, published, deadline - timedelta(minutes=1)) == [MONDAY - WEEK]
    assert late_weeks(configuration, known, published, deadline) == [MONDAY - WEEK, MONDAY]
    assert late_weeks(configuration, known, known, deadline + WEEK) == [MONDAY - WEEK, MONDAY + WEEK], (
        "without data too"
    )
    assert late_weeks(configuration, [], [], deadline) == []


@pytest.mark.parametrize("within", ["0", "soon"])
def test_settings_that_cannot_be_read_leave_the_deadline_as_it_is(tmp_path: Path, within: str) -> None:
    assert deadline_of(with_settings(tmp_path, publish_within_hours=within)) == (
        "0 15 * * 1",
        timedelta(hours=12),
        "UTC",
    )


def test_status_names_late_weeks_after_the_last_with_data(tmp_path: Path) -> None:
    """Where nothing comes any more, no week has data."""
    this_week = datetime.now(UTC).date() - timedelta(days=datetime.now(UTC).weekday())
    newest = this_week - 4 * WEEK
    home = store_of_weeks(tmp_path, [newest - WEEK, newest])
    with_settings(tmp_path, publish_within_hours=1, calculation_offset_hours=0)
    state = read_status(home)
    late = [str(newest + number * WEEK) for number in (1, 2, 3)]
    # Within the hour after A the week before this one isn't late yet.
    assert state["late_weeks"] in (late, late[:-1])
    assert [week["late"] for week in state["weeks"]] == [False, False]
    assert f"No data since; late: {late[0]}..{state['late_weeks'][-1]}" in _lines(home, state, verbose=False)
