"""What needs attention in a week: a short list by kind, each kind a query over the published store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.report.changes import with_changes
from orchestration.report.quality import FIRST_PUBLICATIONS
from orchestration.report.reading import HISTORY, RESTATED, Week
from orchestration.report.tables import VERDICTS_IN_ORDER, Store

#: Lines of each kind.
_MOST = 5
_IS_WORSE = "case direction when 'high' then change < 0 when 'low' then change > 0 else false end"
#: The part of a change that is more than chance, in points: the near end of its interval.
_SURE = "greatest(change_low, -change_high)"
#: The kinds from the heaviest on: the table of which it is, and the query. {figures}: figures with their changes.
_QUERIES = {
    "signal": (
        "fct_metric_change_week",
        f"""
        select figures.*, {_IS_WORSE} as is_worse from {{figures}} as figures
        inner join marts.dim_metric using (metric_id)
        where week_start = $week and dimension = 'overall' and is_signal
        order by is_worse desc, {_SURE} desc, metric_id
        """,
    ),
    # of members, where the whole says nothing
    "member_signal": (
        "fct_metric_change_week",
        f"""
        select figures.* from {{figures}} as figures
        inner join marts.dim_metric using (metric_id)
        where week_start = $week and dimension in ('oms_client', 'mall_segment') and is_signal and {_IS_WORSE}
            and metric_id not in (
                select metric_id from marts.fct_metric_change_week
                where week_start = $week and dimension = 'overall' and is_signal
            )
        order by {_SURE} desc, metric_id, member
        """,
    ),
    "unusual": (
        "fct_metric_change_week",
        """
        select * from {figures}
        where week_start = $week and dimension = 'overall' and is_unusual and is_signal is distinct from true
        order by metric_id
        """,
    ),
    "gate": (
        "fct_data_quality_week",
        """
        select rule_id, lower, upper, list({'scope': scope, 'observed': observed} order by scope) as judged
        from marts.fct_data_quality_week
        where week_start = $week and severity = 'warning' and not passed
        group by rule_id, lower, upper order by rule_id
        """,
    ),
    "week": (
        "publication",
        """
        select cast(day as date) as other, day in (select week_start from marts.fct_data_quality_week) as is_withheld
        from generate_series(
            (select greatest(min(week_start), $first) from marts.publication where is_current),
            cast($week as date), interval 7 days
        ) as weeks(day)
        where day not in (select week_start from marts.publication where is_current)
        order by day desc
        """,
    ),
    "late": (
        "publication",
        f"select hours, hours - $within as late_by from ({FIRST_PUBLICATIONS}) where week_start = $week and is_late",
    ),
    "client": (
        "fct_oms_readiness_week",
        f"""
        select verdict, reasons,
            list({{'client': oms_client, 'is_new': verdict_before <> verdict}} order by oms_client) as clients
        from (from marts.fct_oms_readiness_week where week_start = $week)
        left join (
            select oms_client, verdict from marts.fct_oms_readiness_week where week_start = $before
        ) as before (oms_client, verdict_before) using (oms_client)
        where verdict <> 'ready'
        group by verdict, reasons
        order by {VERDICTS_IN_ORDER}, count(*) desc, reasons
        """,
    ),
    "limited": (
        "fct_seller_ovl_week",
        """
        select count(*) as sellers, list(seller_id order by seller_id)[:3] as first
        from marts.fct_seller_ovl_week where week_start = $week and is_limited and limited_since = applies_from
        having count(*) > 0
        """,
    ),
    "fallen": (
        "fct_seller_grade_week",
        """
        select count(*) as sellers, list(seller_id order by now.change, seller_id)[:3] as first
        from (from marts.fct_seller_grade_week where week_start = $week) as now
        inner join (from marts.fct_seller_grade_week where week_start = $before) as before using (seller_id)
        where now.tier is distinct from before.tier and now.change < 0
        having count(*) > 0
        """,
    ),
    "restated": (
        "fct_restatement",
        f"""
        select {{cause}} as cause, count(*) as figures, count(distinct week_start) as weeks
        from marts.fct_restatement where {RESTATED} group by all order by figures desc, cause
        """,
    ),
}


@dataclass(frozen=True)
class Attention:
    """The lines, each with its `kind`; by kind how many are left out; whether the figures could be compared at all."""

    lines: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, int]
    is_compared: bool


def read_attention(store: Store, week: Week, within: int | None) -> Attention:
    """What needs someone in a published week. What the store has no table of is passed over.

    `within`: the hours from A within which a week is published; without, none is late.
    """
    asked: dict[str, object] = {
        "week": week.week_start,
        "before": week.week_start - timedelta(days=7),
        "first": week.week_start - timedelta(weeks=HISTORY - 1),
        "published_at": week.published_at,
        "within": within,
    }
    has_cause = ("fct_restatement", "cause") in store.descriptions
    lines: list[Mapping[str, Any]] = []
    left_out = {}
    for kind, (table, query) in _QUERIES.items():
        if not store.has(table):
            continue
        sql = query.replace("{figures}", with_changes(store)).replace("{cause}", "cause" if has_cause else "null")
        found = store.records(sql, {name: value for name, value in asked.items() if f"${name}" in sql})
        lines += [{**row, "kind": kind} for row in found[:_MOST]]
        if len(found) > _MOST:
            left_out[kind] = len(found) - _MOST
    return Attention(lines, left_out, _is_compared(store, week.week_start))


def _is_compared(store: Store, week: date) -> bool:
    return store.has("fct_metric_change_week") and bool(
        store.rows(
            "from marts.fct_metric_change_week where week_start = $week and is_signal is not null limit 1",
            {"week": week},
        )
    )
