"""The one partition definition: weeks by their Monday. Which of them a run works on is decided in `planning`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from dagster import BackfillPolicy, DagsterRun, WeeklyPartitionsDefinition
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from orchestration.weeks import FIRST_WEEK, weeks_between

WEEKS = WeeklyPartitionsDefinition(
    start_date=datetime.combine(FIRST_WEEK, datetime.min.time()), day_offset=1, timezone="UTC", fmt="%Y-%m-%d"
)

#: A backfill is one run over its whole range.
ONE_RUN = BackfillPolicy.single_run()

#: Names the weeks of a run where they aren't all weeks of its range.
WEEKS_TAG = "metric_store/weeks"


def tags_for(weeks: Sequence[date]) -> dict[str, str]:
    """The tags of a run over these weeks."""
    first, last = min(weeks), max(weeks)
    tags = {ASSET_PARTITION_RANGE_START_TAG: first.isoformat(), ASSET_PARTITION_RANGE_END_TAG: last.isoformat()}
    if set(weeks) != set(weeks_between(first, last)):
        tags[WEEKS_TAG] = ",".join(week.isoformat() for week in sorted(set(weeks)))
    return tags


def weeks_of(run: DagsterRun) -> list[date]:
    """The weeks that a run was launched for, by whatever launched it; none where it only lands files."""
    if named := run.tags.get(WEEKS_TAG):
        return [date.fromisoformat(week) for week in named.split(",")]
    single = run.tags.get(PARTITION_NAME_TAG)
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, single)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, single)
    return weeks_between(date.fromisoformat(first), date.fromisoformat(last)) if first and last else []


def with_partition(weeks: Iterable[date]) -> list[str]:
    """The partition keys of these weeks."""
    return [week.isoformat() for week in weeks if week >= FIRST_WEEK]
