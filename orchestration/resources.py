"""What a run holds: the home with its writer's lock, and dbt. One of each for a whole run."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property, partial

from dagster import ConfigurableResource, InitResourceContext

from metric_store.errors import MetricStoreError
from metric_store.reading import published_weeks
from orchestration.configuration import Configuration, load_configuration
from orchestration.home.files import keep_from_others
from orchestration.home.layout import Home
from orchestration.home.lock import writer_lock
from orchestration.home.retention import forget_old_runs
from orchestration.leftovers import clear_working_files, end_killed_run
from orchestration.limits import EngineLimits
from orchestration.transform.choice import chosen_engine
from orchestration.transform.runner import DbtRunner
from orchestration.weeks.partitions import weeks_of


class MetricStoreResource(ConfigurableResource):
    """The home of a run, which METRIC_STORE_HOME names: a launch can't choose another.

    memory_limit, threads: of the engine, such as 4GB and 2; by default a quarter of the machine's memory, and all
    cores. wait_seconds: how long to wait for another writer before giving up. now: the time of ingestion as ISO 8601
    in UTC, for tests; else the clock's.
    """

    memory_limit: str = ""
    threads: int = 0
    wait_seconds: float = 3600.0
    now: str = ""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[MetricStoreResource]:
        """Lock the home, and clear what a killed run left."""
        keep_from_others()  # a run that Dagster launched by itself
        place = self.place
        chosen_engine().require()
        if not place.ledger.is_file() and published_weeks(place.published_store):
            # Computed from the files that happen to be left, published weeks would come out smaller, and pass.
            raise MetricStoreError(
                f"Weeks are published, but the record of what landed is missing: {place.ledger}.\n"
                f"Restore {place.landing}, or move {place.published} away and put every file back into the inbox."
            )
        assert context.instance is not None
        put_right = partial(end_killed_run, place, context.instance)
        with writer_lock(place, context.run_id or "", self.wait_seconds, put_right):
            clear_working_files(place)
            place.scratch.mkdir(parents=True)
            with suppress(MetricStoreError):  # the reader of the configuration reports what is wrong with it
                forget_old_runs(context.instance, self.clock, self.configuration.settings.keep_runs_days)
            if context.dagster_run and weeks_of(context.dagster_run):
                import_early()
            try:
                yield self
            finally:
                self.dbt.close()
                clear_working_files(place)

    @cached_property
    def place(self) -> Home:
        """The home; asked of the environment once, because dbt's variables change while it works."""
        return Home.of()

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

    @cached_property
    def dbt(self) -> DbtRunner:
        """dbt on this home's warehouse."""
        return DbtRunner(self.place, chosen_engine(), self.limits)


def import_early() -> None:
    """Import dbt and Great Expectations in a thread, while the first files land: it takes seconds.

    Raises nothing: whoever needs them next meets the error again.
    """

    # Dagster goes on importing parts of it: two threads in one import cycle can see a partially imported module.
    importlib.import_module("sqlalchemy.orm")

    def import_them() -> None:
        with suppress(ImportError):
            for name in ("dbt.cli.main", "dbt.task.build", "orchestration.gate.judge"):
                importlib.import_module(name)

    threading.Thread(target=import_them, daemon=True).start()
