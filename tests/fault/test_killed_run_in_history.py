"""A run that was killed, in the history of Dagster: who ends it there, and who leaves it alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from orchestration.home.layout import Home
from orchestration.home.lock import writer_lock
from orchestration.leftovers import clear_killed_run, end_killed_run


class TestKilledRuns:
    """Dagster has a killed run at work for ever, and launches nothing behind it."""

    @staticmethod
    def started(instance: DagsterInstance) -> str:
        return instance.create_run(
            job_name="weekly_run",
            run_id=None,
            run_config=None,
            status=DagsterRunStatus.STARTED,
            tags=None,
            root_run_id=None,
            parent_run_id=None,
            step_keys_to_execute=None,
            execution_plan_snapshot=None,
            job_snapshot=None,
            parent_job_snapshot=None,
            asset_selection=None,
            asset_check_selection=None,
            resolved_op_selection=None,
            op_selection=None,
            remote_job_origin=None,
            job_code_origin=None,
            asset_graph=None,
        ).run_id

    def test_the_next_writer_ends_it_in_the_history(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        with DagsterInstance.ephemeral() as instance:
            run_id = self.started(instance)
            note = json.dumps({"run_id": run_id, "pid": 1, "since": "2026-01-01 00:00 UTC"})
            home.lock_note.write_text(note)
            with writer_lock(home, "next", 0, partial(end_killed_run, home, instance)):
                assert instance.get_run_by_id(run_id).status.value == "FAILURE"
                assert json.loads(home.lock_note.read_text())["run_id"] == "next"
            assert not home.lock_note.exists()

    def test_without_a_run_it_is_cleared_only_when_no_writer_is_at_work(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        with DagsterInstance.ephemeral() as instance:
            run_id = self.started(instance)
            with writer_lock(home, run_id, 0):
                subprocess_clear(home)
                assert not instance.get_run_by_id(run_id).is_finished
                assert json.loads(home.lock_note.read_text())["run_id"] == run_id
            home.lock_note.write_text(json.dumps({"run_id": run_id}))
            clear_killed_run(home, instance)
            assert instance.get_run_by_id(run_id).is_finished
            assert not home.lock_note.exists()

    @pytest.mark.parametrize("note", ["", "{}", "[]", '{"run_id": "unknown"}', '{"run_id": ""}'])
    def test_a_note_that_says_nothing_stops_nobody(self, note: str, tmp_path: Path) -> None:
        home = Home(tmp_path)
        home.lock_note.write_text(note)
        with (
            DagsterInstance.ephemeral() as instance,
            writer_lock(home, "next", 0, partial(end_killed_run, home, instance)),
        ):
            pass


def subprocess_clear(home: Home) -> None:
    """Another process that would clear up."""
    code = f"""
        from pathlib import Path
        from dagster import DagsterInstance
        from orchestration.leftovers import clear_killed_run, end_killed_run
        from orchestration.home.layout import Home
        with DagsterInstance.ephemeral() as instance:
            clear_killed_run(Home(Path({str(home.root)!r})), instance)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
