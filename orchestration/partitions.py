"""The one partition definition: weeks by their Monday. Which of them a run works on is decided in `planning`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from dagster import AssetExecutionContext, BackfillPolicy, WeeklyPartitionsDefinition
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

#: Weeks before this have no partition to show; no order or log is older.
FIRST_WEEK = date(2015, 1, 5)

WEEKS = WeeklyPartitionsDefinition(
    start_date=datetime.combine(FIRST_WEEK, datetime.min.time()), day_offset=1, timezone="UTC", fmt="%Y-%m-%d"
)

#: A backfill is one run over its whole range.
ONE_RUN = BackfillPolicy.single_run()

#: Names the weeks of a run where they aren't all weeks of its range.
WEEKS_TAG = "metric_store/weeks"


def tags_for(weeks: Sequence[date]) -> dict[str, str]:
    """The tags of a run over these weeks."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: min(weeks).isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: max(weeks).isoformat(),
        WEEKS_TAG: ",".join(week.isoformat() for week in sorted(weeks)),
    }


def weeks_of(context: AssetExecutionContext) -> list[date]:
    """The weeks that a run was launched for; none where it only lands files."""
    named = context.run.tags.get(WEEKS_TAG)
    if named:
        return [date.fromisoformat(week) for week in named.split(",")]
    if context.has_partition_key or context.has_partition_key_range:
        return [date.fromisoformat(key) for key in context.partition_keys]
    return []


def with_partition(weeks: Iterable[date]) -> list[str]:
    """The partition keys of these weeks."""
    return [week.isoformat() for week in weeks if week >= FIRST_WEEK]
