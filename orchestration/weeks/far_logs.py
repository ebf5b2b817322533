"""Which published weeks stay as they are although logs of long before them have landed.

Of logs older than every other figure and rule looks back, `sustained_hourly_calls` alone is made: the most calls of an
hour that a client's OMS answered in time. An hour with fewer calls, the new ones among them, can't be that hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dbt_project.registry import registry
from metric_store.reading import open_store, published_weeks
from metric_store.sql import sql_parquet
from metric_store.words import WEEK
from orchestration.home.layout import Home
from orchestration.ingest.contracts import OMS_LOGS, SOURCES
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.measured import absent_columns
from orchestration.ingest.touches import touched_weeks
from orchestration.project import code_version
from orchestration.weeks.calendar import calendar_query
from orchestration.weeks.planning import State, state_of

#: SQL: the weeks that sustain no more calls than an hour has in which one arrived.
_REACHED = """
    with
        -- few rows, and no week begins within a minute
        minutes as (
            select
                oms_client,
                date_trunc('minute', logged_at) as minute,
                count(*) as calls,
                bool_or(log_id in (select log_id from arrived)) as has_arrived
            from logs
            where flow is not null
            group by all
        ),
        -- counted from S, as in int_oms_calls_hour
        hours as (
            select calendar.week_start, minutes.oms_client, sum(minutes.calls) as calls
            from minutes
            inner join calendar on minutes.minute >= calendar.starts_at and minutes.minute < calendar.ends_at
            group by 1, 2, date_sub('hour', calendar.starts_at, minutes.minute)
            having bool_or(minutes.has_arrived)
        )
    select distinct published.week_start
    from marts.fct_oms_readiness_week as published
    inner join hours
        on published.oms_client = hours.oms_client and hours.week_start between published.week_start - {days}
        and published.week_start
    where hours.calls >= coalesce(published.sustained_hourly_calls, 0)
"""

#: SQL: the weeks in which a rejected log counts that has landed now, however old it turned out to be.
_CORRECTED = """
    select distinct calendar.week_start
    from rejected
    inner join calendar
        on coalesce(rejected.event_at, rejected.ingested_at) >= calendar.starts_at
        and coalesce(rejected.event_at, rejected.ingested_at) < calendar.ends_at
    where rejected.record_key in (select log_id from arrived)
"""


@dataclass(frozen=True)
class Landed:
    """What has landed at a moment.

    files: their ids. present, absent: the sources of which there is any, and the columns that no file of one has.
    """

    state: State
    files: frozenset[int]
    present: frozenset[str]
    absent: dict[str, set[str]]


def landed_so_far(home: Home, ledger: Ledger) -> Landed:
    """What has landed until now."""
    return Landed(
        state_of(ledger, published_weeks(home.published_store)),
        frozenset(int(row["file_id"]) for row in ledger.files(status="landed")),
        frozenset(source.name for source in SOURCES if ledger.known(source.name)),
        absent_columns(ledger),
    )


def keep_unmoved_weeks(home: Home, ledger: Ledger, before: Landed) -> None:
    """Note in the ledger which published weeks come out the same with what has landed since `before`.

    A week that was due before stays so. After a kill before this is done weeks are due that needn't be.
    """
    after = landed_so_far(home, ledger)
    if after.files == before.files:
        return
    fingerprints = after.state.fingerprints
    unmoved = {week for week in before.state.unmoved if fingerprints[week] == before.state.fingerprints[week]}
    unmoved |= _unmoved_by_new_logs(home, ledger, before, after)
    ledger.keep_unmoved((week, after.state.published[week].build_id, fingerprints[week]) for week in unmoved)


def _unmoved_by_new_logs(home: Home, ledger: Ledger, before: Landed, after: Landed) -> set[date]:
    """Of the published weeks that were as they should be, those that of all new files read logs alone, in vain."""
    calendar = ledger.calendar("landed")
    if (
        # A source or column that is there for the first time concerns every week.
        (before.present, before.absent) != (after.present, after.absent)
        or not before.files <= after.files
        or calendar is None
        or calendar != ledger.calendar("published")
    ):
        return set()
    source_of = {int(row["file_id"]): row["source"] for row in ledger.files()}
    new = after.files - before.files
    touches = [(first, last, source_of[file]) for first, last, file in ledger.touches() if file in new]
    weeks = {
        week
        for week, build in before.state.published.items()
        if {source for first, last, source in touches if first <= week <= last} == {OMS_LOGS.name}
        and not before.state.has_other_records(week)
        and build.code_version == code_version()
    }
    return weeks and weeks - _moved(home, ledger, calendar, new, weeks)


def _moved(home: Home, ledger: Ledger, calendar: tuple[str, int], new: frozenset[int], weeks: set[date]) -> set[date]:
    """The weeks that the logs of new files (file_id) can change; all of `weeks` among them."""
    name, metric = OMS_LOGS.name, registry().metric("oms_headroom")
    landing = {home.landing / name / row["path"]: row for row in ledger.partitions(name)}
    arrived = [path for path, row in landing.items() if row["file_id"] in new]
    with open_store(home.published_store) as db:
        db.execute(f"create temp view arrived as select *, 0 as file_id from {sql_parquet(arrived)}")
        near = touched_weeks(db, OMS_LOGS, *calendar, days=registry().looks_back(name, but_for=metric.id))
        moved = {week for week in weeks for touch in near.get(0, []) if touch.first_week <= week <= touch.last_week}
        if moved == weeks:
            return moved
        # An hour may reach into the next week of UTC, by which the landing is parted.
        read = {date.fromisoformat(landing[path]["week"]) + n * WEEK for path in arrived for n in (-1, 0, 1)}
        logs = [path for path, row in landing.items() if date.fromisoformat(row["week"]) in read]
        db.execute(f"create temp view logs as from {sql_parquet(logs)}")
        db.execute(f"create temp table calendar as from ({calendar_query(*calendar)})")
        found = db.execute(_REACHED.format(days=metric.looks_back)).fetchall()
        if files := ledger.quarantine_files(name):
            rejected = [home.quarantine / name / f"{file_id:08d}-1.parquet" for file_id in files]
            # files of an earlier release have no key
            db.execute(
                "create temp view rejected as select cast(null as varchar) as record_key where false "
                f"union all by name from {sql_parquet(rejected, ', union_by_name = true')}"
            )
            found += db.execute(_CORRECTED).fetchall()
    return moved | {week for (week,) in found}
