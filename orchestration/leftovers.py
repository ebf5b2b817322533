"""Cleans up after a killed run: in the home, in the history and in the report."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import partial

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from metric_store.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.home.lock import HomeIsBusyError, writer_lock
from orchestration.publication.store import remove_leftovers
from orchestration.reruns import let_ui_start_again

#: The tag by which a run of the command line names its process, and itself: who runs it again takes over its tags.
PROCESS_TAG = "metric_store/process"

_NOT_ENDED = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
    DagsterRunStatus.SUSPENDED,
]


def clear_killed_run(home: Home, instance: DagsterInstance) -> None:
    """Put right what a killed run left, without a run: else nothing is launched behind it, and pages stay old."""
    if home.lock_note.is_file() or _ended_runs(instance, None):
        with suppress(HomeIsBusyError), writer_lock(home, "", 0, partial(end_killed_run, home, instance)):
            pass


def end_killed_run(home: Home, instance: DagsterInstance, killed: str | None) -> None:
    """For the holder of the home's lock. `killed`: the run that held it last, where that was killed.

    Dagster has a run that was killed at work for ever, with its slots. The pages may show what was before it.
    """
    if killed is not None:
        clear_working_files(home)
        from orchestration.report.writing import write_report  # draws charts: a run needs it only at its end

        with suppress(Exception):  # pages are no ground to stop a run; it writes them again, and says what is wrong
            write_report(home)
    for run in _ended_runs(instance, killed):
        instance.report_run_failed(run, "The process of this run was killed, or couldn't write how it ended.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        let_ui_start_again(instance, instance.get_run_by_id(run.run_id))


def clear_working_files(home: Home) -> None:
    """Remove working files, and what a publication that came to no end left beside the store."""
    for folder in (home.scratch, home.spill):
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(MetricStoreError, OSError):  # the reader of the store reports what is wrong with it
        remove_leftovers(home)


def _ended_runs(instance: DagsterInstance, killed: str | None) -> list[DagsterRun]:
    """Runs that the history has at work or about to begin, and that have ended: the one that held the lock and was
    killed, and those of the command line whose process is gone, because a full disk takes no end of a run."""
    at_work = instance.get_runs(filters=RunsFilter(statuses=_NOT_ENDED))
    return [run for run in at_work if run.run_id == killed or _is_gone(run)]


def process_tag(run_id: str) -> dict[str, str]:
    """The tag of a run that this process executes."""
    return {PROCESS_TAG: f"{os.getpid()} {run_id}"}


def _is_gone(run: DagsterRun) -> bool:
    process, _, run_id = run.tags.get(PROCESS_TAG, "").partition(" ")
    if run_id != run.run_id:
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is another user's
        return False
    return False
