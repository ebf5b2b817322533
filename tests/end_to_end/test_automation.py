"""What schedule and sensor ask for, on the sample home: three weeks of January 2026, all published."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRunStatus,
    RunRequest,
    SkipReason,
    build_schedule_context,
    build_sensor_context,
)

from orchestration import jobs
from orchestration.configuration import load_configuration
from orchestration.definitions import defs
from orchestration.home.layout import Home
from orchestration.jobs import inbox_sensor, monday_0300_utc
from orchestration.weeks.deadlines import tick_of
from tests.conftest import SAMPLE_WEEKS
from tests.parts import weeks_asked_for


@pytest.fixture(autouse=True)
def home(sample_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    shutil.copytree(sample_home, home, ignore=shutil.ignore_patterns("warehouse.duckdb", "data_docs", "dagster"))
    monkeypatch.setenv("METRIC_STORE_HOME", str(home))
    return home


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


def ask(instance: DagsterInstance) -> list[RunRequest | SkipReason]:
    with build_sensor_context(instance=instance) as context:
        return list(inbox_sensor(context))


def drop(home: Path, name: str = "new.jsonl") -> None:
    (home / "inbox" / "oms_logs" / name).write_text("{}\n")


def unpublish(home: Path) -> None:
    shutil.rmtree(home / "published")


def test_the_schedule_asks_for_the_week_that_passed() -> None:
    """Published as it is: the run finds that itself, after landing what has come."""
    [request] = requests_at(datetime(2026, 1, 26, 3, tzinfo=UTC))
    assert weeks_asked_for(request.tags) == ["2026-01-19"]


@pytest.mark.parametrize(
    ("zone", "hours", "cron", "tick"),
    [
        ("America/New_York", 3, "0 3 * * 1", "2026-01-26T08:00"),
        ("Pacific/Kiritimati", 3, "0 3 * * 1", "2026-01-25T13:00"),
        ("UTC", 47, "0 23 * * 2", "2026-01-27T23:00"),
        ("Asia/Kathmandu", 0, "0 0 * * 1", "2026-01-25T18:15"),
        ("Europe/Berlin", 24, "0 0 * * 2", "2026-01-26T23:00"),
    ],
)
def test_the_schedule_ticks_at_a_of_the_home(
    home: Path, zone: str, hours: int, cron: str, tick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(home, zone, hours)
    assert tick_of(Home(home)) == (cron, zone)
    assert load_configuration(home / "config").calculated_at(date(2026, 1, 19)) == datetime.fromisoformat(tick)
    shutil.rmtree(home / "published")
    [request] = requests_at(datetime.fromisoformat(tick).replace(tzinfo=UTC))
    assert weeks_asked_for(request.tags)[-1] == "2026-01-19"


def test_settings_that_cannot_be_read_leave_the_schedule_as_it_is(home: Path) -> None:
    settings(home, "Nowhere/Else", 3)
    assert tick_of(Home(home)) == ("0 3 * * 1", "UTC")


def settings(home: Path, zone: str, hours: int) -> None:
    (home / "config").mkdir(exist_ok=True)
    text = f"key,value\nreporting_timezone,{zone}\ncalculation_offset_hours,{hours}\n"
    (home / "config" / "settings.csv").write_text(text)


def test_the_schedule_asks_for_what_is_new_as_well(home: Path) -> None:
    unpublish(home)
    [request] = requests_at(datetime(2026, 1, 26, 3, tzinfo=UTC))
    assert weeks_asked_for(request.tags) == list(SAMPLE_WEEKS)


def test_the_schedule_asks_for_no_week_between(home: Path) -> None:
    """The week that passed, and an older one that is new."""
    with sqlite3.connect(home / "landing" / "ledger.sqlite") as ledger:
        ledger.execute("delete from event_weeks where week_start <> '2026-01-05'")
    ledger.close()
    unpublish(home)
    requests = requests_at(datetime(2026, 1, 26, 3, tzinfo=UTC))
    assert [weeks_asked_for(request.tags) for request in requests] == [["2026-01-05"], ["2026-01-19"]]
    assert len({request.run_key for request in requests}) == 2


def test_the_schedule_asks_for_no_week_that_is_not_over(home: Path) -> None:
    unpublish(home)
    [request] = requests_at(datetime(2026, 1, 19, 3, tzinfo=UTC))
    assert weeks_asked_for(request.tags) == list(SAMPLE_WEEKS[:2])


def requests_at(at: datetime) -> list[RunRequest]:
    requests = list(monday_0300_utc(build_schedule_context(scheduled_execution_time=at)))
    for request in requests:
        assert request.asset_selection is None
    return requests


def test_the_sensor_skips_where_nothing_is_to_do(instance: DagsterInstance) -> None:
    [skip] = ask(instance)
    assert isinstance(skip, SkipReason)


def test_the_sensor_lands_new_files_first(home: Path, instance: DagsterInstance) -> None:
    unpublish(home)
    drop(home)
    [request] = ask(instance)
    assert isinstance(request, RunRequest)
    assert request.asset_selection == [AssetKey("inbox")]
    assert weeks_asked_for(request.tags) == []
    [again] = ask(instance)
    assert again.run_key == request.run_key, "while that run is at work, the same files aren't asked for again"
    drop(home, "more.jsonl")
    [other] = ask(instance)
    assert other.run_key != request.run_key


def test_the_sensor_asks_for_new_weeks(home: Path, instance: DagsterInstance) -> None:
    unpublish(home)
    [request] = ask(instance)
    assert isinstance(request, RunRequest)
    assert request.asset_selection is None
    assert weeks_asked_for(request.tags) == list(SAMPLE_WEEKS)
    [again] = ask(instance)
    assert again.run_key == request.run_key, "while that run is at work, the same weeks aren't asked for again"
    (home / "config").mkdir()
    (home / "config" / "settings.csv").write_text("key,value\nsmall_sample,31\n")
    [other] = ask(instance)
    assert other.run_key not in (None, request.run_key)


def test_what_a_run_left_undone_is_asked_for_again_after_a_pause(
    home: Path, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpublish(home)
    keys = []
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        [request] = ask(instance)
        assert isinstance(request, RunRequest)
        keys.append(request.run_key)
        cancelled = instance.create_run_for_job(
            job_def=defs.resolve_job_def("weekly_run"), tags=request.tags, status=DagsterRunStatus.STARTED
        )
        instance.report_run_canceled(cancelled)
        ended = datetime.now(UTC).replace(tzinfo=None)
        monkeypatch.setattr(jobs, "_now", partial(datetime.__add__, ended, timedelta(minutes=pause - 0.5)))
        assert isinstance(ask(instance)[0], SkipReason)
        monkeypatch.setattr(jobs, "_now", partial(datetime.__add__, ended, timedelta(minutes=pause + 0.1)))
    assert len(set(keys)) == 8


def test_the_sensor_ignores_files_that_are_not_there_yet(home: Path, instance: DagsterInstance) -> None:
    for name in ("new.jsonl.part", "_new.jsonl", ".new.jsonl"):
        drop(home, name)
    [skip] = ask(instance)
    assert isinstance(skip, SkipReason)
