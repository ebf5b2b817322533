"""Runs of a home that failed or were cancelled, and that no later run has made up for; from Dagster's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

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

    Empty where Dagster has no history here, or where it can't be read.
    """
    if not (home.dagster / "history").is_dir():
        return []
    from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus

    from orchestration.home.instance import prepare_instance
    from orchestration.weeks.partitions import weeks_of

    prepare_instance(home)
    made_up_for: set[date | None] = set()
    found = []
    with DagsterInstance.get() as instance:
        for record in instance.get_run_records(limit=_RUNS):
            run = record.dagster_run
            about: set[date | None] = {*weeks_of(run)} or {None}
            if run.status == DagsterRunStatus.SUCCESS:
                made_up_for |= about
            elif run.status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED) and about - made_up_for:
                kinds = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
                entries = instance.all_logs(run.run_id, of_type=kinds)
                events = [entry.dagster_event for entry in entries if entry.dagster_event]
                found.append(
                    FailedRun(
                        run.run_id,
                        "cancelled" if run.status == DagsterRunStatus.CANCELED else "failed",
                        datetime.fromtimestamp(record.end_time or 0, UTC).replace(tzinfo=None, microsecond=0),
                        weeks_of(run),
                        "" if run.status == DagsterRunStatus.CANCELED else str(cause_of(events, run.run_id, home)),
                    )
                )
                made_up_for |= about  # older ones of the same weeks tell nothing new
    return found
