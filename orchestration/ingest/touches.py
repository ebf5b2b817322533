"""Which weeks read something new in the records that just landed: the ground on which a published week is due again.

A record touches the weeks whose A is not before the first instant at which it changes the picture, and whose windows
reach back to it. A newer version of a record changes only what differs from the version that counted before: an order
shipped after A leaves that week alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import duckdb

from dbt_project.registry import registry
from metric_store.sql import sql_name, sql_names, sql_text
from orchestration.ingest.contracts import Source
from orchestration.ingest.ledger import Touch
from orchestration.ingest.records import runs_backwards

_NO_END = "date '9999-12-31'"
# Instants beyond these have no week that a date could name.
_FIRST, _LAST = "timestamp '0001-02-01'", "timestamp '9999-01-01'"


@dataclass(frozen=True)
class ArrivedWeeks:
    """The weeks of what arrived: records by week, those whose time runs backwards, and the weeks that read them."""

    rows: dict[date, int]
    backwards: int
    touches: list[Touch]


def arrived_weeks(
    engine: duckdb.DuckDBPyConnection, source: Source, reporting_timezone: str, calculation_offset_hours: int
) -> dict[int, ArrivedWeeks]:
    """By file_id, of the relations `arrived`, what files brought, and `landed`, earlier records that may share keys.

    Of several files none may have a version of what another has: they would have to be compared one by one.
    """
    week = week_of("quarter", reporting_timezone)
    weeks = engine.execute(
        f"select file_id, {week}, cast(sum(rows) as bigint), cast(sum(backwards) as bigint) from ("
        f"select file_id, {quarter_hour(sql_name(source.week_column))} as quarter, count(*) as rows, "
        f"count(*) filter (where {runs_backwards(source)}) as backwards from arrived group by 1, 2"
        ") group by 1, 2 order by 1, 2"
    ).fetchall()
    touches = touched_weeks(engine, source, reporting_timezone, calculation_offset_hours)
    return {
        file_id: ArrivedWeeks(
            {week: rows for _, week, rows, _ in of_file} if source.event_time else {},
            sum(backwards for *_, backwards in of_file),
            touches.get(file_id, []),
        )
        for file_id, of_file in _by_file(weeks)
    }


def touched_weeks(
    engine: duckdb.DuckDBPyConnection,
    source: Source,
    reporting_timezone: str,
    calculation_offset_hours: int,
    days: int | None = None,
) -> dict[int, list[Touch]]:
    """By file_id, the weeks that read something new in `arrived`, given `landed`. days: as `touches_query`."""
    spans = _spans_of_first_versions(source)
    if source.is_versioned:
        engine.execute(f"create or replace temp table several as {_several(source)}")
        # Of most files every record is there for the first time: they need no comparison, and no plan for it.
        if engine.execute("select count(*) > 0 from several").fetchall() == [(True,)]:
            spans = _spans_of_newest(source) if source.newest_wins else _spans_of_versions(source)
    query = touches_query(source, spans, reporting_timezone, calculation_offset_hours, days)
    rows = engine.execute(query).fetchall()
    return {file_id: [Touch(*touch) for _, *touch in of_file] for file_id, of_file in _by_file(rows)}


def _by_file(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    return ((file_id, list(of_file)) for file_id, of_file in groupby(rows, key=lambda row: int(row[0])))


def week_of(instant: str, reporting_timezone: str, shift: str = "") -> str:
    """SQL: the Monday of the week that an instant, shifted, lies in."""
    named = f"least(greatest({instant}, {_FIRST}), {_LAST})"
    return (
        f"cast(date_trunc('week', timezone({sql_text(reporting_timezone)}, timezone('UTC', {named} {shift}))) as date)"
    )


def quarter_hour(instant: str) -> str:
    """SQL: the start of the quarter of an hour that an instant lies in; before 1980, of the second.

    A week is named by the calendar of a time zone, which is slow, so few instants should ask it. In no zone does a week
    begin within a second, nor within a quarter of an hour since Kiritimati gave up its offset of 10:40 in 1979.
    """
    return (
        f"case when {instant} >= timestamp '1980-01-01' then time_bucket(interval 15 minutes, {instant}) "
        f"else date_trunc('second', {instant}) end"
    )


def touches_query(
    source: Source, spans: str, reporting_timezone: str, calculation_offset_hours: int, days: int | None = None
) -> str:
    """SQL: file_id, first_week, last_week, rows. `spans` is SQL for file_id, since, until, replaced_at of what arrived.

    since is null where a record changes nothing. days: how many days before its start a week looks; by default as many
    as any figure or rule does.
    """

    def first_week(before: str) -> str:
        # The first week whose A is at or after an instant: A lies hours after the week's end, and counts itself.
        return week_of(before, reporting_timezone, f"- interval '{calculation_offset_hours}' hour")

    reach = _NO_END
    days = registry().looks_back(source.name) if days is None else days
    if days is not None:
        # Some figures look back by weeks of the time zone, others by hours: where clocks change, these lie hours apart.
        by_hours = week_of("until", reporting_timezone, f"+ interval '{24 * days}' hour")
        reach = f"greatest({week_of('until', reporting_timezone)} + {days}, {by_hours})"
    before_since, before_replaced = (
        quarter_hour(f"({name} - interval '1' microsecond)") for name in ("since", "replaced_at")
    )
    return f"""
        select file_id, first_week, last_week, cast(sum(rows) as bigint) as rows
        from (
            select
                file_id,
                {first_week("before_since")} as first_week,
                case
                    when before_replaced is null then {reach}
                    else least({reach}, {first_week("before_replaced")} - 7)
                end as last_week,
                rows
            from (
                select
                    file_id,
                    {before_since} as before_since,
                    {"null" if days is None else quarter_hour("until")} as until,
                    {before_replaced} as before_replaced,
                    count(*) as rows
                from ({spans}) as spans
                where since is not null
                group by all
            ) as quarters
        ) as weeks
        where first_week <= last_week
        group by all
        order by all
    """


def _several(source: Source) -> str:
    """SQL: the identities of which `arrived` has several versions, or another than has landed."""
    identity = sql_names(source.identity)
    return f"""
        select {identity} from arrived group by all having count(*) > 1
        union
        select {identity} from landed semi join arrived using ({identity})
    """


def _spans_of_first_versions(source: Source) -> str:
    """Each record changes the picture from the first instant at which it counts."""
    facts = source.facts if source.newest_wins or not source.is_versioned else [source.week_column]
    since, until = _least(_of(["arrived"], source.facts)), _greatest(_of(["arrived"], facts))
    return f"select file_id, {since} as since, {until} as until, cast(null as timestamp) as replaced_at from arrived"


def _spans_of_newest(source: Source) -> str:
    """Only the newest version counts: what arrived changes the picture if it holds a newer one than there was.

    Most of a file is there for the first time, and needs no comparison of whole records, which is slow: `several` are
    the others.
    """
    identity = sql_names(source.identity)
    facts = _of(("newest", "before"), source.facts)
    dated: dict[str | None, list[str]] = {}
    for column in source.columns:
        if column.name != "updated_at":
            dated.setdefault(column.dated_by, []).append(column.name)
    changes = []
    for dated_by, names in dated.items():
        since = _of(("newest", "before"), [dated_by]) if dated_by else facts
        changes.append(f"case when {_differs(names, 'before', 'newest')} then {_least(since)} end")
    return f"""
        with
            arrivals as (
                select {identity}, max_by(arrived, updated_at) as newest
                from arrived semi join several using ({identity}) group by all
            ),
            standing as (
                select {identity}, max_by(landed, updated_at) as before
                from landed semi join arrivals using ({identity}) group by all
            )
        {_spans_of_first_versions(source)} anti join several using ({identity})
        union all
        select
            newest.file_id,
            case when before is null then {_least(facts)} else {_least(changes)} end,
            {_greatest(facts)},
            cast(null as timestamp)
        from arrivals left join standing using ({identity})
        where before is null or newest.updated_at > before.updated_at
    """


def _spans_of_versions(source: Source) -> str:
    """A version counts from its `updated_at` until the next one's; the first counts before that, too.

    It is compared with the version that counted in its place: the last one that had landed before it, else the first.
    """
    identity = sql_names(source.identity)
    columns = sql_names([column.name for column in source.columns])
    compared = [column.name for column in source.columns if column.name not in (*source.identity, "updated_at")]
    start = _least(_of(("version", "before"), source.facts))
    until = _greatest(_of(("version", "before"), [source.week_column]))
    return f"""
        select
            version.file_id,
            case
                when before is not null and not ({_differs(compared, "before", "version")}) then null
                when is_first then {start}
                else greatest(version.updated_at, {start})
            end as since,
            {until} as until,
            replaced_at
        from (
            select
                version, is_new,
                is_first,
                coalesce(last_landed, first_landed) as before,
                replaced_at
            from (
                select
                    versions as version,
                    is_new,
                    last_value(case when not is_new then versions end ignore nulls) over by_time as last_landed,
                    first_value(case when not is_new then versions end ignore nulls) over (
                        by_time rows between unbounded preceding and unbounded following
                    ) as first_landed,
                    lag(updated_at) over by_time is null as is_first,
                    lead(updated_at) over by_time as replaced_at
                from (
                    select file_id, {columns}, true as is_new from arrived
                    union all
                    select null, {columns}, false from landed semi join arrived using ({identity})
                ) as versions
                window by_time as (partition by {identity} order by updated_at)
            ) as timeline
        ) as compared
        where is_new
    """


def _of(records: Iterable[str], names: Iterable[str]) -> list[str]:
    """Columns of records that are kept as one value each."""
    names = list(names)
    return [f"{record}.{sql_name(name)}" for record in records for name in names]


def _differs(names: Iterable[str], one: str, other: str) -> str:
    return f"({' or '.join(f'{one}.{sql_name(name)} is distinct from {other}.{sql_name(name)}' for name in names)})"


def _least(instants: Iterable[str]) -> str:
    return f"least({', '.join(instants)})"


def _greatest(instants: Iterable[str]) -> str:
    return f"greatest({', '.join(instants)})"
