"""What a run holds: the home with its writer's lock, dbt, and the gate's process. One of each for a whole run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property

from dagster import (
    ConfigurableResource,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    InitResourceContext,
    RunsFilter,
)
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from filelock import FileLock, Timeout
from pydantic import PrivateAttr

from orchestration.configuration import Configuration, load_configuration
from orchestration.dbt import DbtProjectRun
from orchestration.engines import chosen_engine
from orchestration.errors import MetricStoreError
from orchestration.gate.worker import GateWorker
from orchestration.limits import EngineLimits
from orchestration.partitions import weeks_of
from orchestration.publication.files import write_whole
from orchestration.publication.reading import published_weeks
from orchestration.publication.store import remove_leftovers
from orchestration.settings import Home

#: The tag by which a run of the command line names its process.
PROCESS_TAG = "metric_store/process"


class HomeIsBusyError(MetricStoreError):
    """Another run writes this home."""


@contextmanager
def writer_lock(
    home: Home, run_id: str, wait_seconds: float, instance: DagsterInstance | None = None
) -> Iterator[None]:
    """Hold the home's only place for a writer. The lock is the process's: it ends with it, kill -9 included.

    What a killed holder left is put right: in the history of `instance`, in the home, and in the report.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.lock)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise HomeIsBusyError(
            f"Another run is writing {home.root}{_holder(home)}.\n"
            "Wait until it ends; metric-store status shows what is published."
        ) from None
    try:
        if instance is not None:
            _end_killed_run(home, instance)
        write_whole(
            home.lock_note,
            json.dumps({"run_id": run_id, "pid": os.getpid(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}),
        )
        yield
    finally:
        home.lock_note.unlink(missing_ok=True)
        lock.release()


def clear_killed_run(home: Home, instance: DagsterInstance) -> None:
    """Put right what a killed run left, without a run: else nothing is launched behind it, and pages stay old."""
    if home.lock_note.is_file() or _ended_runs(home, instance):
        with suppress(HomeIsBusyError), writer_lock(home, "", 0, instance):
            pass


def _end_killed_run(home: Home, instance: DagsterInstance) -> None:
    """Dagster has a run that was killed at work for ever, with its slots. Its pages may show what was before it."""
    if home.lock_note.is_file():
        _clear(home)
        from orchestration.report.writing import write_report  # draws charts: a run needs it only at its end

        with suppress(Exception):  # pages are no ground to stop a run; it writes them again, and says what is wrong
            write_report(home)
    for run in _ended_runs(home, instance):
        instance.report_run_failed(run, "The process of this run was killed, or couldn't write how it ended.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _ended_runs(home: Home, instance: DagsterInstance) -> list[DagsterRun]:
    """Runs that the history has at work or about to begin, and that have ended: the one that the note of a killed
    holder names, and those of the command line whose process is gone, because a full disk takes no end of a run."""
    at_work = instance.get_runs(filters=RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED, *IN_PROGRESS_RUN_STATUSES]))
    noted = _noted_run(home)
    return [run for run in at_work if run.run_id == noted or _is_gone(run.tags.get(PROCESS_TAG))]


def _noted_run(home: Home) -> str | None:
    try:
        return str(json.loads(home.lock_note.read_text())["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_gone(process: str | None) -> bool:
    if process is None:
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is another user's
        return False
    return False


def _holder(home: Home) -> str:
    try:
        held = json.loads(home.lock_note.read_text())
        return f" (run {held['run_id'][:8]}, process {held['pid']}, since {held['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _clear(home: Home) -> None:
    """Remove working files, and what a publication that came to no end left beside the store."""
    for folder in (home.scratch, home.spill):
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(MetricStoreError, OSError):  # whoever needs the store says what is wrong with it
        remove_leftovers(home)


class MetricStoreResource(ConfigurableResource):
    """The home of a run.

    home: its folder. memory_limit, threads: of the engine, such as 4GB and 2; by default a quarter of the machine's
    memory, and all cores. wait_seconds: how long to wait for another writer before giving up. now: the time of
    ingestion as ISO 8601 in UTC, for tests; else the clock's.
    """

    home: str
    memory_limit: str = ""
    threads: int = 0
    wait_seconds: float = 3600.0
    now: str = ""

    _dbt: DbtProjectRun | None = PrivateAttr(default=None)
    _gate: GateWorker | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[MetricStoreResource]:
        """Lock the home, and clear what a killed run left."""
        place = self.place
        chosen_engine().require()
        if not place.ledger.is_file() and published_weeks(place.published_store):
            # Computed from the files that happen to be left, published weeks would come out smaller, and pass.
            raise MetricStoreError(
                f"Weeks are published, but the record of what landed is missing: {place.ledger}.\n"
                f"Restore {place.landing}, or move {place.published} away and put every file back into the inbox."
            )
        with writer_lock(place, context.run_id or "", self.wait_seconds, context.instance):
            _clear(place)
            place.scratch.mkdir(parents=True)
            if context.dagster_run and weeks_of(context.dagster_run):
                _ = self.dbt, self.gate  # import and parse while the run lands files
            try:
                yield self
            finally:
                for process in (self._dbt, self._gate):
                    if process is not None:
                        process.close()
                _clear(place)

    @property
    def place(self) -> Home:
        return Home.of(self.home)

    @property
    def limits(self) -> EngineLimits:
        return EngineLimits.of(self.memory_limit, self.threads)

    @property
    def clock(self) -> datetime:
        """Now, naive UTC."""
        return datetime.fromisoformat(self.now) if self.now else datetime.now(UTC).replace(tzinfo=None, microsecond=0)

    @cached_property
    def configuration(self) -> Configuration:
        return load_configuration(self.place.config)

    @property
    def dbt(self) -> DbtProjectRun:
        """dbt on this home's warehouse."""
        if self._dbt is None:
            self._dbt = DbtProjectRun(self.place, limits=self.limits)
        return self._dbt

    @property
    def gate(self) -> GateWorker:
        """The gate."""
        if self._gate is None:
            self._gate = GateWorker(self.place)
        return self._gate
