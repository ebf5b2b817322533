"""What a run holds: the home with its writer's lock, dbt, and the gate's process. One of each for a whole run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property

from dagster import ConfigurableResource, InitResourceContext
from filelock import FileLock, Timeout
from pydantic import PrivateAttr

from orchestration.configuration import Configuration, load_configuration
from orchestration.dbt import DbtProjectRun
from orchestration.errors import MetricStoreError
from orchestration.gate.worker import GateWorker
from orchestration.settings import Home


class HomeIsBusyError(MetricStoreError):
    """Another run writes this home."""


@contextmanager
def writer_lock(home: Home, run_id: str, wait_seconds: float) -> Iterator[None]:
    """Hold the home's only place for a writer. The lock is the process's: it ends with it, kill -9 included."""
    home.root.mkdir(parents=True, exist_ok=True)
    holder = home.lock.with_suffix(".json")
    lock = FileLock(home.lock)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise HomeIsBusyError(
            f"Another run is writing {home.root}{_holder(home)}.\n"
            "Wait until it ends; metric-store status shows what is published."
        ) from None
    try:
        holder.write_text(
            json.dumps({"run_id": run_id, "pid": os.getpid(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"})
        )
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _holder(home: Home) -> str:
    try:
        held = json.loads(home.lock.with_suffix(".json").read_text())
        return f" (run {held['run_id'][:8]}, process {held['pid']}, since {held['since']})"
    except (OSError, ValueError, KeyError):
        return ""


class MetricStoreResource(ConfigurableResource):
    """The home of a run.

    home: its folder. wait_seconds: how long to wait for another writer before giving up. now: the time of ingestion as
    ISO 8601 in UTC, for tests; else the clock's.
    """

    home: str
    wait_seconds: float = 3600.0
    now: str = ""

    _gate: GateWorker | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[MetricStoreResource]:
        """Lock the home, clear what a killed run left, and start the gate's process, which takes its time to import."""
        place = self.place
        with writer_lock(place, context.run_id or "", self.wait_seconds):
            shutil.rmtree(place.scratch, ignore_errors=True)
            place.scratch.mkdir(parents=True)
            try:
                yield self
            finally:
                if self._gate is not None:
                    self._gate.close()
                shutil.rmtree(place.scratch, ignore_errors=True)

    @property
    def place(self) -> Home:
        return Home.of(self.home)

    @property
    def clock(self) -> datetime:
        """Now, naive UTC."""
        return datetime.fromisoformat(self.now) if self.now else datetime.now(UTC).replace(tzinfo=None, microsecond=0)

    @cached_property
    def configuration(self) -> Configuration:
        return load_configuration(self.place.config)

    @cached_property
    def dbt(self) -> DbtProjectRun:
        return DbtProjectRun(self.place)

    @property
    def gate(self) -> GateWorker:
        """The gate's process; asked for early, it imports while the run does other things."""
        if self._gate is None:
            self._gate = GateWorker(self.place)
        return self._gate
