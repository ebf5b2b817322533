"""`metric-store run`: plans, launches the weekly job in this process, and says how each week ended."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from metric_store.errors import MetricStoreError
from metric_store.reading import published_waivers, published_weeks, withheld_because
from metric_store.words import in_words, printable, unbroken
from orchestration.cli.causes import cause_of
from orchestration.cli.progress import Progress
from orchestration.cli.repair import tidy_up
from orchestration.cli.told import next_file, tell_files
from orchestration.configuration import Configuration, load_configuration
from orchestration.errors import full_disk_named
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.measured import absent_columns, not_measured
from orchestration.limits import EngineLimits
from orchestration.weeks.planning import check_over, plan_weeks, state_of
from orchestration.weeks.work import work_of

if TYPE_CHECKING:
    from dagster import AssetKey, JobDefinition


def run_weeks(
    home: Home,
    requested: Sequence[date] | None,
    now: datetime | None,
    limits: EngineLimits,
    new_calendar: bool = False,
) -> bool:
    """Run the weekly job for these weeks, or for all that are new or due.

    new_calendar: the weeks, all that are published, follow the time zone and the hour that the settings name now.
    Returns whether all is well: the gate withheld none of them, and each new file could be read and landed something.
    """
    moment = now or datetime.now(UTC).replace(tzinfo=None)
    configuration = load_configuration(home.config)
    run_ids: list[str] = []
    first_new = next_file(home)
    # Whatever can't be written: what lands, the ledger, or Dagster's history.
    with full_disk_named(home.root), Progress() as progress:
        launcher = _Launcher(home, now, limits, progress, new_calendar)
        work = work_of(home, configuration, moment, requested if new_calendar else None)
        if requested is None:
            if work.new_files:
                launcher.land()
                work = work_of(home, configuration, moment)
            for weeks in unbroken(work.weeks):
                run_ids.append(launcher.compute(weeks))
                _check_verdicts(home, configuration, moment, run_ids[-1], weeks)
        else:
            check_over(configuration, moment, requested)
            if work.new_files or _to_compute(home, configuration, moment, requested):
                run_ids.append(launcher.land_and_compute(requested))
                _check_verdicts(home, configuration, moment, run_ids[-1], requested)
        if not run_ids:
            tidy_up(home)
    new = tell_files(home, first_new)
    return not _say(home, run_ids, new.files) and not new.is_refused


#: Without any handler, Python prints warnings.
_SILENT = logging.NullHandler()


class _Launcher:
    """Executes the weekly job, or the part of it that is wanted, in this process. Each raises what made it fail."""

    def __init__(
        self, home: Home, now: datetime | None, limits: EngineLimits, progress: Progress, new_calendar: bool
    ) -> None:
        self._home, self._now, self._limits, self._progress = home, now, limits, progress
        self._new_calendar = new_calendar

    def land(self) -> str:
        """Land what the inbox has."""
        return self._execute([], lambda key, inbox: key == inbox)

    def compute(self, weeks: Sequence[date]) -> str:
        """Compute an unbroken range of weeks from what has landed; returns the run's id."""
        return self._execute(weeks, lambda key, inbox: key != inbox)

    def land_and_compute(self, weeks: Sequence[date]) -> str:
        """The whole job; returns the run's id."""
        return self._execute(weeks, lambda _key, _inbox: True)

    @cached_property
    def _job(self) -> JobDefinition:
        from orchestration.definitions import build_definitions
        from orchestration.jobs import WEEKLY_RUN
        from orchestration.resources import MetricStoreResource, import_early

        import_early()
        store = MetricStoreResource(
            memory_limit=self._limits.memory,
            threads=self._limits.threads or 0,
            wait_seconds=0,
            now=self._now.isoformat() if self._now else "",
        )
        definitions = build_definitions({"store": store}, loggers={"console": self._progress.logger()})
        return definitions.resolve_job_def(WEEKLY_RUN.name)

    def _execute(self, weeks: Sequence[date], wanted: Callable[[AssetKey, AssetKey], bool]) -> str:
        self._progress.step("starting")
        warnings.simplefilter("ignore")  # of libraries, about one another
        logging.getLogger("dagster").propagate = False  # what it has to say is in the history, and in our lines
        logging.getLogger("dagster").addHandler(_SILENT)
        from dagster import DagsterInstance

        from orchestration.assets.landing import INBOX
        from orchestration.home.instance import prepare_instance
        from orchestration.leftovers import process_tag
        from orchestration.reruns import let_ui_start_again
        from orchestration.weeks.partitions import NEW_CALENDAR_TAG, tags_for

        prepare_instance(self._home)
        run_id = str(uuid4())
        tags = process_tag(run_id) | (tags_for(weeks) if weeks else {})
        if self._new_calendar:
            tags[NEW_CALENDAR_TAG] = "true"
        keys = [key for key in self._job.asset_layer.executable_asset_keys if wanted(key, INBOX)]
        with DagsterInstance.get() as instance:
            try:
                result = self._job.execute_in_process(
                    instance=instance,
                    run_config={"loggers": {"console": {}}},
                    run_id=run_id,
                    tags=tags,
                    asset_selection=keys,
                    raise_on_error=False,
                )
            finally:
                with suppress(Exception):  # on a full disk: it may not take the place of what ended the run
                    let_ui_start_again(instance, instance.get_run_by_id(run_id))
            if not result.success:
                raise cause_of(result.all_events, run_id, self._home)
        return run_id


def _to_compute(home: Home, configuration: Configuration, now: datetime, weeks: Sequence[date]) -> set[date]:
    """Those of the weeks that aren't published as they would come out."""
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, published_weeks(home.published_store))
    return {plan.week_start for plan in plan_weeks(state, configuration, now, weeks)}


def _check_verdicts(
    home: Home, configuration: Configuration, now: datetime, run_id: str, weeks: Sequence[date]
) -> None:
    """Raises MetricStoreError where a week was neither left out of the run nor judged.

    Dagster skips what comes after a step that yields less than it should, and calls the run a success.
    """
    with Ledger(home.ledger, read_only=True) as ledger:
        judged = {week for week, row in ledger.attempts().items() if row["run_id"] == run_id}
    silent = _to_compute(home, configuration, now, weeks) - judged
    if silent:
        raise MetricStoreError(
            f"The run ended without a verdict on {in_words(silent)}; nothing of it is published.\n"
            f"See run {run_id} in metric-store ui, and run again."
        )


def _say(home: Home, run_ids: Sequence[str], new_files: int) -> list[date]:
    """Print how the weeks of the runs ended, and what failed; returns those withheld."""
    import click

    with Ledger(home.ledger, read_only=True) as ledger:
        failed = ledger.files(status="failed")
        state = state_of(ledger, published_weeks(home.published_store))
        unmeasured = not_measured(absent_columns(ledger))
    for file in failed:
        is_adapter = file["path"].endswith(".sql")
        place = file["path"] if is_adapter else f"inbox/{file['source']}/{file['path']}"
        click.echo(printable(f"Unreadable: {place}: {file['error']}. Correct it, or move it away."), err=True)
    blocked = {week for week in state.attempts if state.withheld_by(week)}
    tried = {week for week, row in state.attempts.items() if row["run_id"] in run_ids}
    withheld = sorted(tried & blocked)
    done = sorted(tried - blocked)
    if not tried:
        still = f"; withheld as before: {in_words(blocked)}, see metric-store status" if blocked else ""
        nothing = "No week is new or due" if new_files else "Nothing to do"
        click.echo(f"{nothing}: {len(state.published)} weeks are published as they are{still}.")
        return []
    if done:
        click.echo(f"Published {len(done)} week{'s' if len(done) > 1 else ''}: {in_words(done)}")
        for week, waivers in published_waivers(home.published_store).items():
            if week in done:
                click.echo(f"Waived in {week}: {'; '.join(map(str, waivers))}")
    because = withheld_because(home.published_store)
    for week in withheld:
        click.echo(printable(f"Withheld {week}: {because.get(week, '')}"))
    for line in unmeasured:
        click.echo(line)
    click.echo(f"Store: {home.published_store}")
    click.echo(f"Report: {home.report_index}")
    return withheld
