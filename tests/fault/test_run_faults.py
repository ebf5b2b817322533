"""Runs that are killed, interrupted or started twice; each ends, and the next repairs.

A home goes through one story, told by a fixture; the tests say what must be true of it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.ingest.ledger import Ledger
from tests.conftest import SAMPLE_WEEKS, Ended, evidence_of, metric_store, published_tables, query, run
from tests.running import Running, is_free

ALL_WEEKS = f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[-1]}"


def history(home: Path, column: str = "status") -> list[str]:
    """The states of the home's runs, in their order."""
    database = sqlite3.connect(f"file:{home}/dagster/history/runs.db?mode=ro", uri=True)
    try:
        return [row[0] for row in database.execute(f"select {column} from runs order by id")]
    finally:
        database.close()


def errors(text: str) -> list[str]:
    """The lines of the error that ended a command."""
    lines = text.splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("Error: ")]
    return lines[at:]


@dataclass
class Disturbed:
    """A home whose first three runs did not end."""

    home: Path
    landed_when_killed: set[tuple[str, str]]
    orphans: list[int]
    interrupted: Ended
    free_after_interrupt: bool
    free_after_kill: bool
    history_before_last: list[str]
    second: Ended
    status_meanwhile: Ended
    metric_meanwhile: Ended
    last: Ended


@pytest.fixture(scope="module")
def disturbed(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Disturbed:
    """Killed while it landed files, interrupted while it built, killed before it published; then left alone."""
    home = tmp_path_factory.mktemp("disturbed") / "home"
    shutil.copytree(sample_home / "inbox", home / "inbox")
    orphans: list[int] = []

    first = Running(home, "--weeks", ALL_WEEKS)
    first.wait_for("oms_logs:")
    first.kill()
    first.end()
    with Ledger(home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        landed = {(row["source"], row["path"]) for row in ledger.files()}

    second = Running(home, "--weeks", ALL_WEEKS)
    second.wait_for("run_inputs")
    time.sleep(2)
    second.interrupt()
    time.sleep(0.1)
    second.interrupt()  # as people do who don't see at once that it ends
    interrupted = second.end()
    free_after_interrupt = is_free(home)
    orphans += second.children_that_stay

    third = Running(home, "--weeks", ALL_WEEKS)
    third.wait_for("s  gate")
    third.kill()
    third.end()
    free_after_kill = is_free_without_a_trace(home)
    orphans += first.children_that_stay + third.children_that_stay
    assert not (home / "published" / "metric_store.duckdb").exists()
    (home / "published").mkdir(exist_ok=True)
    (home / "published" / ".next-of-a-killed-run.duckdb").write_bytes(b"half")

    last = Running(home, "--weeks", ALL_WEEKS)
    last.wait_for("s  inbox")  # from here on it holds the home, and has far to go
    history_before_last = history(home)
    status_meanwhile = metric_store("status", "--home", home)
    metric_meanwhile = metric_store("metric", "o2d_ratio", "--home", home)
    another = run(home, ALL_WEEKS)
    ended = last.end()
    return Disturbed(
        home,
        landed,
        orphans,
        interrupted,
        free_after_interrupt,
        free_after_kill,
        history_before_last,
        another,
        status_meanwhile,
        metric_meanwhile,
        ended,
    )


def is_free_without_a_trace(home: Path) -> bool:
    """Whether the lock is free, with the note of the run that was killed left as it is."""
    note = (home / ".writer.json").read_bytes()
    try:
        return is_free(home)
    finally:
        (home / ".writer.json").write_bytes(note)


class TestDisturbedRuns:
    def test_the_last_run_ends_well_and_equals_an_undisturbed_one(
        self, disturbed: Disturbed, sample_home: Path
    ) -> None:
        assert disturbed.last.status == 0, disturbed.last.text
        expected, found = published_tables(sample_home, "publication"), published_tables(disturbed.home, "publication")
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name] == expected[name], name
        assert evidence_of(disturbed.home) == evidence_of(sample_home)
        assert query(
            disturbed.home, "select week_start::varchar, count(*) from marts.publication group by 1 order by 1"
        ) == [(week, 1) for week in SAMPLE_WEEKS]

    def test_no_file_is_read_twice_and_none_is_lost(self, disturbed: Disturbed, sample_home: Path) -> None:
        """What had landed when the run was killed stays landed."""
        assert {source for source, _ in disturbed.landed_when_killed} >= {"oms_logs"}
        with Ledger(disturbed.home / "landing" / "ledger.sqlite", read_only=True) as ledger:
            files = ledger.files()
        with Ledger(sample_home / "landing" / "ledger.sqlite", read_only=True) as ledger:
            undisturbed = ledger.files()
        assert len(files) == len({(row["source"], row["path"]) for row in files})
        assert {(row["source"], row["path"], row["landed"]) for row in files} == {
            (row["source"], row["path"], row["landed"]) for row in undisturbed
        }

    def test_no_process_is_left_behind(self, disturbed: Disturbed) -> None:
        assert disturbed.orphans == []

    def test_nothing_unfinished_is_left_in_the_home(self, disturbed: Disturbed) -> None:
        assert {path.name for path in (disturbed.home / "published").iterdir()} == {"metric_store.duckdb", "evidence"}
        assert len(list((disturbed.home / "published" / "evidence").glob("*/*"))) == len(SAMPLE_WEEKS)
        assert not (disturbed.home / ".scratch").exists()
        assert not (disturbed.home / ".writer.json").exists()

    def test_ctrl_c_ends_a_run_with_one_line(self, disturbed: Disturbed) -> None:
        ended = disturbed.interrupted
        assert (ended.status, ended.out) == (1, "")
        assert errors(ended.err) == ["Error: Interrupted. The published store is whole; run again to go on from here."]
        assert "Traceback" not in ended.err
        assert disturbed.free_after_interrupt

    def test_the_lock_is_free_after_kill_9(self, disturbed: Disturbed) -> None:
        assert disturbed.free_after_kill

    def test_the_history_shows_how_runs_ended(self, disturbed: Disturbed) -> None:
        """A run that Dagster has at work for ever keeps every later one from being launched."""
        assert disturbed.history_before_last == ["FAILURE", "FAILURE", "FAILURE", "STARTED"]
        assert history(disturbed.home)[3] == "SUCCESS"
        assert "STARTED" not in history(disturbed.home)

    def test_the_ui_can_start_each_of_them_again(self, disturbed: Disturbed) -> None:
        for noted in history(disturbed.home, "run_body"):
            assert json.loads(noted)["external_pipeline_origin"]["pipeline_name"] == "weekly_run"

    def test_a_second_run_is_refused_and_names_the_first(self, disturbed: Disturbed) -> None:
        second = disturbed.second
        assert (second.status, second.out) == (1, "")
        said = errors(second.err)
        assert len(said) == 2
        assert said[0].startswith(f"Error: Another run is writing {disturbed.home} (run ")
        assert ", process " in said[0]
        assert said[1] == "Wait until it ends; metric-store status shows what is published."
        assert "Traceback" not in second.err

    def test_reading_commands_meet_no_lock(self, disturbed: Disturbed) -> None:
        assert disturbed.status_meanwhile.status == 0, disturbed.status_meanwhile.text
        assert all(week in disturbed.status_meanwhile.out for week in SAMPLE_WEEKS)
        assert errors(disturbed.metric_meanwhile.err)[0].startswith("Error: No week is published")
