"""Whether the figures of a week can be trusted: what the gate saw over the weeks, and publication in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from metric_store.words import WEEK
from orchestration.report.reading import JUDGED_WEEKS, RESTATED, Week
from orchestration.report.tables import Store

#: Of each week its first publication: hours after A, whether it came with the store's first weeks, and whether late.
FIRST_PUBLICATIONS = """
    select *, not is_history and hours > $within as is_late
    from (
        select
            week_start, min(calculated_at) as calculated_at, min(published_at) as published_at,
            date_diff('second', min(calculated_at), min(published_at)) / 3600 as hours,
            min(published_at) = min(min(published_at)) over () as is_history
        from marts.publication
        group by week_start
    )
"""


@dataclass(frozen=True)
class Rule:
    """What a rule of the gate permits in a week, and a row for each of its scopes, those that failed first: week_start,
    rule_id, scope, observed, passed, `history` (what was observed in each week, the last is this one), `failed`
    (whether it failed then), and `has_moved`."""

    rule_id: str
    severity: str
    lower: float | None
    upper: float | None
    checks: tuple[Mapping[str, Any], ...]


def read_rules(store: Store, week: date) -> list[Rule]:
    """The rules that judged a week over the 26 weeks that end with it: those that fail first, then those that move."""
    rows = store.records(
        """
        with
            judged as (from marts.fct_data_quality_week where week_start between $first and $week),
            weeks as (
                select cast(day as date) as week_start
                from generate_series((select min(week_start) from judged), cast($week as date), interval 7 days)
                    as series(day)
            ),
            checks as (
                select
                    now.week_start, now.rule_id, now.severity, now.scope, now.lower, now.upper, now.observed,
                    now.passed,
                    list(judged.observed order by weeks.week_start) as history,
                    list(coalesce(not judged.passed, false) order by weeks.week_start) as failed,
                    count(distinct judged.observed) > 1 or not bool_and(judged.passed) as has_moved
                from judged as now
                cross join weeks
                left join judged
                    on now.rule_id = judged.rule_id and now.scope = judged.scope
                    and weeks.week_start = judged.week_start
                where now.week_start = $week
                group by all
            )
        from checks
        order by
            bool_and(passed) over (partition by rule_id), not bool_or(has_moved) over (partition by rule_id),
            rule_id, severity, lower, upper, passed, scope
        """,
        {"first": week - (JUDGED_WEEKS - 1) * WEEK, "week": week},
    )
    return [
        Rule(*key, checks=tuple(checks))
        for key, checks in groupby(rows, lambda row: (row["rule_id"], row["severity"], row["lower"], row["upper"]))
    ]


@dataclass(frozen=True)
class Punctuality:
    """How many hours after A the weeks were first published. `now`: the row of the week; `hours` and `late`: one for
    each of its last weeks, None and false for those that came with the store's first weeks; `late_weeks` by name."""

    now: Mapping[str, Any]
    within: int
    hours: Sequence[float | None]
    late: Sequence[bool]
    late_weeks: Sequence[date]


def read_punctuality(store: Store, week: date, within: int | None) -> Punctuality | None:
    """None where nothing says when a week is due, and for a week that isn't published."""
    rows = store.records(
        f"""
        select cast(day as date) as day, publications.*
        from generate_series(
            (select greatest(min(week_start), $first) from marts.publication), cast($week as date), interval 7 days
        ) as series(day)
        left join ({FIRST_PUBLICATIONS}) as publications on day = week_start
        order by day
        """,
        {"first": week - (JUDGED_WEEKS - 1) * WEEK, "week": week, "within": within},
    )
    if within is None or not rows or rows[-1]["week_start"] is None:
        return None
    return Punctuality(
        rows[-1],
        within,
        [None if row["is_history"] else row["hours"] for row in rows],
        [bool(row["is_late"]) for row in rows],
        [row["day"] for row in rows if row["is_late"]],
    )


def read_causes(store: Store, week: Week) -> list[dict[str, Any]]:
    """The restatements that `read_restatements` lists, by cause and table; none where the store knows of no causes."""
    if ("fct_restatement", "cause") not in store.descriptions:
        return []
    return store.records(
        "select cause, table_name, count(*) as figures, count(distinct week_start) as weeks, "
        f"max(restated_at) as restated_at from marts.fct_restatement where {RESTATED} "
        "group by all order by figures desc, cause, table_name",
        {"week": week.week_start, "before": week.week_start - WEEK, "published_at": week.known_at},
    )
