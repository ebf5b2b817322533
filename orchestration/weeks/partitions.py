"""Weeks as Dagster has them: the one partition definition, and the weeks that a run was launched for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from dagster import BackfillPolicy, DagsterRun, WeeklyPartitionsDefinition

# These tags have no public names; Dagster's documentation of ranges writes them out.
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from orchestration.weeks.names import FIRST_WEEK, weeks_between

WEEKS = WeeklyPartitionsDefinition(
    start_date=datetime.combine(FIRST_WEEK, datetime.min.time()), day_offset=1, timezone="UTC", fmt="%Y-%m-%d"
)

#: The tag of a run that takes all published weeks over to another time zone, or another hour of calculation.
NEW_CALENDAR_TAG = "metric_store/new_calendar"

#: A backfill is one run over its whole range.
ONE_RUN = BackfillPolicy.single_run()


def tags_for(weeks: Sequence[date]) -> dict[str, str]:
    """The tags of a run over an unbroken range of weeks."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: min(weeks).isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: max(weeks).isoformat(),
    }


def weeks_of(run: DagsterRun) -> list[date]:
    """The weeks that a run was launched for, by whatever launched it; none where it only lands files."""
    single = run.tags.get(PARTITION_NAME_TAG)
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    return weeks_between(date.fromisoformat(first), date.fromisoformat(last)) if first and last else []


def weeks_to_follow(run: DagsterRun) -> list[date] | None:
    """The weeks of a run that is to take the store over to another calendar; None for every other run."""
    return weeks_of(run) if run.tags.get(NEW_CALENDAR_TAG) else None


def with_partition(weeks: Iterable[date]) -> list[str]:
    """The partition keys of these weeks, in order."""
    return [week.isoformat() for week in sorted(weeks) if week >= FIRST_WEEK]
