"""The weekly job, its schedule and the inbox sensor. What the job does stands in `assets`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    SkipReason,
    define_asset_job,
    in_process_executor,
    schedule,
    sensor,
)

from orchestration.assets.landing import INBOX
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from orchestration.leftovers import clear_killed_run
from orchestration.weeks.names import WEEK, unbroken
from orchestration.weeks.partitions import tags_for
from orchestration.weeks.work import work_of

#: Whether schedule and sensor start switched on, as in the demo.
AUTOMATION_VARIABLE = "METRIC_STORE_AUTOMATION"

WEEKLY_RUN = define_asset_job(
    "weekly_run",
    selection=AssetSelection.all(),
    executor_def=in_process_executor,
    description="Land what is new, compute weeks, judge them and publish those that pass.",
    tags={"metric_store/writer": "true"},
)
_ON = os.environ.get(AUTOMATION_VARIABLE) == "on"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


@schedule(
    job=WEEKLY_RUN,
    cron_schedule="0 3 * * 1",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING if _ON else DefaultScheduleStatus.STOPPED,
    description="Every Monday 03:00 UTC: the week that passed, and every week that is new or due for restatement.",
)
def monday_0300_utc(context: ScheduleEvaluationContext) -> list[RunRequest]:
    home, now = Home.of(), context.scheduled_execution_time.astimezone(UTC).replace(tzinfo=None)
    configuration = load_configuration(home.config)
    monday = now.date() - timedelta(days=now.weekday())
    passed = next(week for week in (monday - WEEK, monday - 2 * WEEK) if configuration.calculated_at(week) <= now)
    wanted = [passed, *work_of(home, configuration, now).weeks]
    return [RunRequest(run_key=f"{now:%Y-%m-%dT%H:%M} {weeks[0]}", tags=tags_for(weeks)) for weeks in unbroken(wanted)]


@sensor(
    job=WEEKLY_RUN,
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING if _ON else DefaultSensorStatus.STOPPED,
    description="Lands files as they come; then runs the complete weeks that are new or due because of them.",
)
def inbox_sensor(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
    home = Home.of()
    clear_killed_run(home, context.instance)
    work = work_of(home, load_configuration(home.config), _now())
    if work.new_files:
        yield RunRequest(run_key=f"files-{work.new_files}", asset_selection=[INBOX])
    elif work.weeks:
        for weeks in unbroken(work.weeks):
            yield RunRequest(run_key=f"weeks-{work.new_weeks}-{weeks[0]}", tags=tags_for(weeks))
    else:
        yield SkipReason("nothing new in the inbox, and no week to compute")


SCHEDULES: list[ScheduleDefinition] = [monday_0300_utc]
SENSORS = [inbox_sensor]
