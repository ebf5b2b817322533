"""Failed and cancelled runs of a home whose work no later run has completed, from Dagster's history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from metric_store.errors import MetricStoreError
from orchestration.cli.causes import cause_of
from orchestration.home.layout import Home

#: How far back the history is looked through.
_RUNS = 100


@dataclass(frozen=True)
class FailedRun:
    """A run without success. weeks: those it was launched for, none where it only lands files. ended_at: UTC."""

    run_id: str
    status: str
    ended_at: datetime
    weeks: list[date]
    reason: str


def failed_runs(home: Home) -> list[FailedRun]:
    """The latest runs without success, newest first, up to one that succeeded for the same weeks.

    Empty where Dagster has no history here. Raises MetricStoreError where it can't be read.
    """
    if not (home.dagster / "history").is_dir():
        return []
    from dagster import DagsterError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return list(_failed_runs(home))
    except (SQLAlchemyError, DagsterError, OSError) as error:
        said = str(error).splitlines()[0]
        raise MetricStoreError(
            f"The history of runs in {home.dagster} can't be read: {said}\n"
            "If it is broken, move that folder away: the next run begins a new one."
        ) from error


def _failed_runs(home: Home) -> Iterator[FailedRun]:
    from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus

    from orchestration.weeks.partitions import weeks_of

    made_up_for: set[date | None] = set()
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        for record in instance.get_run_records(limit=_RUNS):
            run = record.dagster_run
            about: set[date | None] = {*weeks_of(run)} or {None}
            is_without_success = run.status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
            if is_without_success and about - made_up_for:
                kinds = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
                entries = instance.all_logs(run.run_id, of_type=kinds)
                events = [entry.dagster_event for entry in entries if entry.dagster_event]
                is_cancelled = run.status == DagsterRunStatus.CANCELED
                yield FailedRun(
                    run.run_id,
                    "cancelled" if is_cancelled else "failed",
                    datetime.fromtimestamp(record.end_time or 0, UTC).replace(tzinfo=None, microsecond=0),
                    weeks_of(run),
                    "" if is_cancelled else str(cause_of(events, run.run_id, home)),
                )
            if run.is_finished:
                made_up_for |= about  # by success, or told already
