"""The weekly job, its schedule and the inbox sensor. The steps of the job are in `assets`."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster import (
    AssetSelection,
    DagsterInstance,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    SkipReason,
    define_asset_job,
    in_process_executor,
    run_failure_sensor,
    schedule,
    sensor,
)

from metric_store.words import WEEK, in_words, unbroken
from orchestration.assets.landing import INBOX
from orchestration.cli.causes import cause_of
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from orchestration.leftovers import clear_killed_run
from orchestration.notices.telling import failures_told, tell
from orchestration.weeks.deadlines import tick_of
from orchestration.weeks.partitions import tags_for, weeks_of
from orchestration.weeks.work import work_of

#: Whether schedule and sensor start switched on, as in the demo.
AUTOMATION_VARIABLE = "METRIC_STORE_AUTOMATION"
#: The tag that names what the sensor launched a run for.
WORK_TAG = "metric_store/work"
_LEAST_PAUSE, _GREATEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)

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


_CRON, _ZONE = tick_of(Home.of())


@schedule(
    job=WEEKLY_RUN,
    cron_schedule=_CRON,
    execution_timezone=_ZONE,
    default_status=DefaultScheduleStatus.RUNNING if _ON else DefaultScheduleStatus.STOPPED,
    description="At A of each week, by default Monday 03:00 UTC: that week, and every one that is new or due.",
)
def monday_0300_utc(context: ScheduleEvaluationContext) -> list[RunRequest]:
    home, now = Home.of(), context.scheduled_execution_time.astimezone(UTC).replace(tzinfo=None)
    with failures_told(home, context.log.warning):
        configuration = load_configuration(home.config)
        monday = now.date() - timedelta(days=now.weekday())
        # A may lie up to two weeks after the Monday that names the week, and a day before it elsewhere on earth.
        passed = next(week for n in range(-1, 9) if configuration.calculated_at(week := monday - n * WEEK) <= now)
        wanted = [passed, *work_of(home, configuration, now).weeks]
    return [RunRequest(run_key=f"{now:%Y-%m-%dT%H:%M} {weeks[0]}", tags=tags_for(weeks)) for weeks in unbroken(wanted)]


@sensor(
    job=WEEKLY_RUN,
    minimum_interval_seconds=60,
    default_status=DefaultSensorStatus.RUNNING if _ON else DefaultSensorStatus.STOPPED,
    description="Lands files as they come; then runs the complete weeks that are new or due because of them.",
)
def inbox_sensor(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
    home, now = Home.of(), _now()
    clear_killed_run(home, context.instance)
    with failures_told(home, context.log.warning):
        work = work_of(home, load_configuration(home.config), now)
    if work.new_files:
        wanted = [_asked_for(context.instance, now, f"files-{work.new_files}", asset_selection=[INBOX])]
    else:
        wanted = [
            _asked_for(context.instance, now, f"weeks-{work.mark_of(weeks)}-{weeks[0]}", tags=tags_for(weeks))
            for weeks in unbroken(work.weeks)
        ]
    requests = [request for request in wanted if isinstance(request, RunRequest)]
    # Dagster takes requests or one reason, not both.
    yield from requests or wanted[:1] or [SkipReason("nothing new in the inbox, and no week to compute")]


def _asked_for(instance: DagsterInstance, now: datetime, what: str, **request: Any) -> RunRequest | SkipReason:
    """The request for what is to do. What a run left undone is asked for again, after a pause that grows to an hour."""
    tried = [
        record
        for record in instance.get_run_records(RunsFilter(tags={WORK_TAG: what}))
        if record.dagster_run.is_finished and record.end_time
    ]
    if tried:
        ended = datetime.fromtimestamp(max(record.end_time or 0 for record in tried), UTC).replace(tzinfo=None)
        again = ended + min(2 ** (len(tried) - 1) * _LEAST_PAUSE, _GREATEST_PAUSE)
        if now < again:
            return SkipReason(f"{what}: tried {len(tried)} times without an end to it; again at {again:%H:%M} UTC")
    tags = {**request.pop("tags", {}), WORK_TAG: what}
    return RunRequest(run_key=f"{what}-{len(tried)}", tags=tags, **request)


@run_failure_sensor(
    monitored_jobs=[WEEKLY_RUN],
    default_status=DefaultSensorStatus.RUNNING,
    description="Tells the targets of METRIC_STORE_NOTIFY of runs that fail, whatever launched them here.",
)
def failed_run_notice(context: RunFailureSensorContext) -> None:
    home, run = Home.of(), context.dagster_run
    cause = cause_of([*context.get_step_failure_events(), context.failure_event], run.run_id, home)
    about = f"the run of {in_words(weeks_of(run))}: " if weeks_of(run) else ""
    tell(home, context.log.warning, failure=f"{about}{cause}")


SCHEDULES: list[ScheduleDefinition] = [monday_0300_utc]
SENSORS = [inbox_sensor]
