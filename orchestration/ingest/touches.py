"""Which weeks read something new in the records that just landed: the ground on which a published week is due again.

A record touches the weeks whose A is not before the first instant at which it changes the picture, and whose windows
reach back to it. A newer version of a record changes only what differs from the version before it: an order shipped
after A leaves that week alone.
"""

from __future__ import annotations

from orchestration.ingest.contracts import Source
from orchestration.ingest.readers import sql_name, sql_text

_EVER = "timestamp '9999-12-31'"
_ALWAYS = "timestamp '0001-01-01'"


def _least(names: list[str]) -> str:
    return f"least({', '.join(names)})"


def _greatest(names: list[str]) -> str:
    return f"greatest({', '.join(names)})"


def touches_query(source: Source, reporting_timezone: str, calculation_offset_hours: int) -> str:
    """SQL over `arrived` (records of this file) and `landed` (earlier ones that may share keys): first_week, last_week, rows."""
    zone = sql_text(reporting_timezone)

    def monday(instant: str) -> str:
        return f"cast(date_trunc('week', timezone({zone}, timezone('UTC', {instant}))) as date)"

    # The first week whose A is at or after `since`: A lies `offset` after the week's end, and counts itself.
    first = monday(f"(since - interval '{calculation_offset_hours}' hour - interval '1' microsecond)")
    last = monday(f"(until + interval '{24 * source.window_days}' hour)")
    return f"""
        select
            case when since <= {_ALWAYS} then date '0001-01-01' else {first} end as first_week,
            case when until >= {_EVER} then date '9999-12-31' else {last} end as last_week,
            count(*) as rows
        from ({_spans(source)}) as spans
        where since is not null
        group by all
        order by all
    """


def _spans(source: Source) -> str:
    """SQL: since, until of every arrived record; since is null where it changes nothing."""
    facts = [sql_name(name) for name in source.facts]
    if not source.is_versioned:
        return f"select {_least(facts)} as since, {_greatest(facts)} as until from arrived"
    columns = [sql_name(column.name) for column in source.columns]
    identity = ", ".join(sql_name(name) for name in source.identity)
    history = f"""
        select *, row_number() over (partition by {identity} order by updated_at desc) as place_from_newest,
            {", ".join(f"lag({name}) over versions as {_before(name)}" for name in columns)},
            lead(updated_at) over versions as replaced_at
        from (
            select {", ".join(columns)}, true as is_new from arrived
            union all
            select {", ".join(columns)}, false from landed where ({identity}) in (select ({identity}) from arrived)
        )
        window versions as (partition by {identity} order by updated_at)
    """
    if source.newest_wins:
        return _spans_of_newest(source, facts, history)
    changed = [f"({name} is distinct from {_before(name)})" for name in columns if name != '"updated_at"']
    # Until the first version's `updated_at` the first version counts: it reaches back to the beginning.
    return f"""
        select
            case when {_before('"updated_at"')} is null then {_ALWAYS} when {" or ".join(changed)} then updated_at end as since,
            coalesce(replaced_at, {_EVER}) as until
        from ({history})
        where is_new
    """


def _spans_of_newest(source: Source, facts: list[str], history: str) -> str:
    """Only the newest version counts; one that arrives after a newer one changes nothing."""
    before = [_before(name) for name in facts]
    first_fact = _least(facts + before)
    changes = []
    for column in source.columns:
        name = sql_name(column.name)
        if column.name == "updated_at":
            continue
        dated_by = sql_name(column.dated_by) if column.dated_by else None
        since = _least([dated_by, _before(dated_by)]) if dated_by else first_fact
        changes.append(f"case when {name} is distinct from {_before(name)} then {since} end")
    return f"""
        select
            case when {_before('"updated_at"')} is null then {_least(facts)} else {_least(changes)} end as since,
            {_greatest(facts + before)} as until
        from ({history})
        where is_new and (place_from_newest = 1 or replaced_at in (select updated_at from arrived))
    """


def _before(name: str) -> str:
    """The name of a column's value in the version before."""
    return '"before ' + name.strip('"') + '"'
