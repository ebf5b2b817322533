"""What the sellers' page of a week is made of: a row for each seller, and files with what stands behind it.

The engine makes the JSON: with 10,000 sellers no row of a seller becomes a Python object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from metric_store.errors import EvidenceMissingError
from metric_store.reading import evidence_relation
from metric_store.recovery import LIMITS, STANDING
from orchestration.report.tables import Store

#: Characters of a file of details; one opens when a seller in it is looked at.
_FILE_SIZE = 1_000_000
#: With more orders in the week, or of one seller, the page names the command that prints them.
MOST_EVIDENCE = 300_000
MOST_EVIDENCE_OF_A_SELLER = 30_000
_SELLERS = """
    with
        sellers as (
            select seller_id from marts.fct_seller_rating_week where week_start = $week
            union
            select seller_id from marts.fct_seller_grade_week where week_start = $week
            union
            select seller_id from marts.fct_seller_ovl_week where week_start = $week
        )
"""


@dataclass(frozen=True)
class SellerFile:
    """Details of some sellers as JSON: a list of [seller_id, {grade, kpis, operations, limit, recovery, incidents,
    evidence}]."""

    number: int
    json: str


def read_kpis(store: Store, week: date) -> list[str]:
    """The KPIs of a week that have a column in the table of sellers."""
    return [
        kpi
        for (kpi,) in store.rows(
            "select distinct kpi_id from marts.fct_seller_rating_week where week_start = $week order by 1",
            {"week": week},
        )
    ]


def read_targets(store: Store, week: date) -> dict[str, list[tuple[float, float, bool]]] | None:
    """By metric the ranges of values that meet its target: least, greatest, and whether the greatest is one of them.

    None where the store knows of no targets, being of an earlier release.
    """
    if not store.has("fct_target_week"):
        return None
    targets: dict[str, list[tuple[float, float, bool]]] = {}
    for metric, lower, upper, is_upper_included in store.rows(
        "select metric_id, lower, upper, is_upper_included from marts.fct_target_week where week_start = $week "
        "order by metric_id, lower",
        {"week": week},
    ):
        targets.setdefault(metric, []).append((float(lower), float(upper), is_upper_included))
    return targets


def read_seller_files(store: Store, path: Path, week: date) -> tuple[list[SellerFile], dict[str, int], bool]:
    """The files of details, the number of the file of each seller, and whether the orders are in them."""
    evidence, has_orders = _evidence(store, path, week)
    texts = store.connection.execute(
        f"""
        {_SELLERS},
        grade as (
            select seller_id, to_json(list(json_array(metric_id, numerator, denominator, value::varchar, score::varchar,
                weight::varchar, contribution::varchar) order by metric_id)) as json
            from marts.fct_seller_grade_metric_week where week_start = $week group by seller_id
        ),
        kpis as (
            select seller_id, to_json(list(json_array(kpi_id, numerator, denominator, value::varchar, display_value,
                period_start::varchar, period_end::varchar) order by kpi_id)) as json
            from marts.fct_seller_rating_week where week_start = $week group by seller_id
        ),
        operations as (
            select seller_id, json_array(orders_due, cancelled_seller_fault, not_on_time, cancellation_rate::varchar,
                on_time_rate::varchar, most_orders_in_a_day, is_assessable, is_met) as json
            from marts.fct_seller_operational_week where week_start = $week
        ),
        limits as ({_limits(store)}),
        recovery as ({_recovery(store)}),
        incidents as ({_incidents(store)}),
        evidence as ({evidence})
        select seller_id, json_array(seller_id, json_object('grade', grade.json, 'kpis', kpis.json, 'operations',
            operations.json, 'limit', limits.json, 'recovery', recovery.json, 'incidents', incidents.json, 'evidence',
            evidence.json))
        from sellers
        left join grade using (seller_id)
        left join kpis using (seller_id)
        left join operations using (seller_id)
        left join limits using (seller_id)
        left join recovery using (seller_id)
        left join incidents using (seller_id)
        left join evidence using (seller_id)
        order by seller_id
        """,
        {"week": week},
    )
    files: list[SellerFile] = []
    places: dict[str, int] = {}
    part: list[str] = []
    size = 0
    while batch := texts.fetchmany(1000):
        for seller, text in batch:
            if part and size + len(text) > _FILE_SIZE:
                files.append(SellerFile(len(files), "[" + ",\n".join(part) + "]"))
                part, size = [], 0
            places[seller] = len(files)
            part.append(text)
            size += len(text)
    if part:
        files.append(SellerFile(len(files), "[" + ",\n".join(part) + "]"))
    return files, places, has_orders


#: SQL: what a store of an earlier release has of a seller.
_NONE = "select cast(null as varchar) as seller_id, cast(null as json) as json where false"


def _limits(store: Store) -> str:
    """SQL: seller_id and, of a limited one, what its limit is and what would end it, and for what it is limited."""
    if not store.has("fct_seller_recovery_week"):
        return _NONE
    return f"""
        select seller_id, json_array(line, reason) as json
        from ({LIMITS})
        inner join (from marts.fct_seller_ovl_week where week_start = $week) using (seller_id)
    """


def _recovery(store: Store) -> str:
    """SQL: seller_id and, of each metric with something against it, what that is and what would end it."""
    if not store.has("fct_seller_recovery_week"):
        return _NONE
    return f"""
        select seller_id, to_json(list(json_array(metric_id, lines) order by family, metric_id)) as json
        from ({STANDING})
        where not is_on_target or next_misses > 0
        group by seller_id
    """


def _incidents(store: Store) -> str:
    """SQL: seller_id and its figures as published and without what incidents excuse."""
    if not store.has("fct_incident_impact_week"):
        return _NONE
    return """
        select member as seller_id, to_json(list(json_array(metric_id, value::varchar, adjusted_value::varchar, excused,
            numerator, denominator, adjusted_numerator, adjusted_denominator, incident_ids) order by metric_id)) as json
        from marts.fct_incident_impact_week where week_start = $week and dimension = 'seller' group by member
    """


def _evidence(store: Store, path: Path, week: date) -> tuple[str, bool]:
    """SQL: seller_id and the orders behind its figures by metric; without any where they are missing or too many."""
    try:
        relation = evidence_relation(store.connection, path, week)
    except EvidenceMissingError:
        return _NONE, False
    [(rows, of_one)] = store.rows(
        f"select coalesce(sum(orders), 0), coalesce(max(orders), 0) "
        f"from (select count(*) as orders from {relation} group by seller_id)"
    )
    if rows > MOST_EVIDENCE or of_one > MOST_EVIDENCE_OF_A_SELLER:
        return _NONE, False
    return (
        f"""
        select seller_id, json_group_object(metric_id, orders) as json
        from (
            select seller_id, metric_id, to_json(list(json_array(order_id, unit_id, happened_at::varchar,
                due_at::varchar, detail) order by unit_id)) as orders
            from {relation} group by seller_id, metric_id
        )
        group by seller_id
        """,
        True,
    )


def read_seller_rows(store: Store, week: date, kpis: list[str]) -> Iterator[tuple[str, str]]:
    """seller_id and the seller's row as a JSON list, which `sellers.js` names; last in it the KPIs' values.

    Those to look at are first: with a limit, then whose grade fell most, then of the lowest grade.
    """
    values = "".join(f", (max(value) filter (where kpi_id = ${f'kpi{place}'}))::varchar" for place in range(len(kpis)))
    parameters: dict[str, object] = {"week": week, **{f"kpi{place}": kpi for place, kpi in enumerate(kpis)}}
    found = store.connection.execute(
        f"""
        {_SELLERS},
        rating as (
            select seller_id, json_array({values.removeprefix(", ")}) as json
            from marts.fct_seller_rating_week where week_start = $week group by seller_id
        )
        select seller_id, json_array(seller_id, seller_name, brand_name, mall_segment, oms_client,
            grade.final_grade::varchar, grade.tier, grade.change::varchar, grade.is_partial, limits.is_limited,
            limits.daily_order_limit, limits.limited_since::varchar, rating.json)
        from sellers
        left join marts.dim_seller using (seller_id)
        left join (from marts.fct_seller_grade_week where week_start = $week) as grade using (seller_id)
        left join (from marts.fct_seller_ovl_week where week_start = $week) as limits using (seller_id)
        left join rating using (seller_id)
        order by
            coalesce(limits.is_limited, false) desc, least(grade.change, 0), grade.final_grade nulls last, seller_id
        """,
        parameters,
    )
    while batch := found.fetchmany(1000):
        yield from batch
