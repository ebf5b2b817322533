"""Parts of the weekly job launched apart, as in Dagster's UI: each works, or is refused with what to launch instead."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from dagster import ExecuteInProcessResult

from metric_store.reading import published_weeks
from orchestration.assets.build import after_gate
from orchestration.cli.causes import cause_of
from orchestration.home.layout import Home
from orchestration.transform.runner import DbtRunner
from tests.conftest import SAMPLE_WEEKS
from tests.parts import launch

WEEKS = [date.fromisoformat(week) for week in SAMPLE_WEEKS]


@pytest.fixture
def home(home_copy: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Three published weeks, and the warehouse as the run that published them left it."""
    monkeypatch.setenv("METRIC_STORE_HOME", str(home_copy))
    return Home(home_copy)


def why(result: ExecuteInProcessResult, home: Home) -> str:
    assert not result.success
    return str(cause_of(result.all_events, result.run_id, home))


def builds(home: Home) -> dict[date, str]:
    return {week: found.build_id for week, found in published_weeks(home.published_store).items()}


def test_publication_launched_again_adds_no_build(home: Home) -> None:
    before = builds(home)
    assert launch(WEEKS, "published_store").success, "without the asset `publication`, which the step makes, too"
    assert launch(WEEKS, "published_store", "publication", "report").success
    assert builds(home) == before


def test_a_run_for_other_weeks_than_were_prepared_is_refused(home: Home) -> None:
    before = builds(home)
    for step in ("gate", "published_store"):
        said = why(launch(WEEKS[:1], step), home)
        assert said.startswith(
            "This run is for 2026-01-05, but 2026-01-05..2026-01-19 was prepared last.\nLaunch run_in"
        )
    assert builds(home) == before


def test_what_was_made_from_another_configuration_is_refused(home: Home) -> None:
    home.config.mkdir(exist_ok=True)
    (home.config / "settings.csv").write_text("key,value\nsmall_sample,31\n")
    for step in ("gate", "marts/fct_promise_week", "published_store"):
        said = why(launch([], step), home)
        assert said.startswith("2026-01-05..2026-01-19 was prepared from other configuration than there is since.")


def test_the_last_steps_of_a_run_that_was_killed_after_run_inputs_are_refused(home: Home) -> None:
    before = builds(home)
    (home.config).mkdir(exist_ok=True)
    (home.config / "settings.csv").write_text("key,value\nsmall_sample,31\n")
    assert launch(WEEKS, "run_inputs").success
    for step in ("gate", "published_store"):
        said = why(launch(WEEKS, step), home)
        assert said.startswith("The step build isn't done for 2026-01-05..2026-01-19 as it was prepared last.\nLaunch ")
    assert "isn't done" in why(launch([], "marts/fct_promise_week"), home), "one mart of a build that isn't there"
    assert builds(home) == before


def test_one_mart_can_be_made_again(home: Home) -> None:
    assert launch([], "marts/fct_promise_week").success
    assert launch(WEEKS, "published_store").success, "the others are as they were"


def test_the_job_without_weeks_takes_what_is_new_or_due(home: Home) -> None:
    result = launch([], "inbox", "run_inputs", "published_store")
    assert result.success
    assert [event.step_key for event in result.get_asset_materialization_events() if event.step_key] != []


def test_nothing_is_prepared_in_a_home_without_a_warehouse(home: Home) -> None:
    home.warehouse.unlink()
    assert why(launch(WEEKS, "gate"), home).startswith("No week is prepared. Launch run_inputs, build, gate and ")


def test_dbt_that_tells_of_too_little_fails_the_step(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster would skip what comes after, and call the run a success."""
    monkeypatch.setattr(DbtRunner, "build", lambda *_: iter(()))
    made = ["/".join(key.path) for key in after_gate.keys]
    assert "dbt told of no result for " in why(launch([], *made), home)
    assert "The step after_gate isn't done" in why(launch(WEEKS, "published_store"), home)
