"""How the sellers of a week are spread, and what they come to together: rows are counted, no figure of one changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from metric_store.figures import percent
from metric_store.words import WEEK
from orchestration.report.tables import Store


@dataclass(frozen=True)
class SellerSummary:
    """How the sellers of a week are spread: rows counted, no figure of a seller changed."""

    tiers: list[dict[str, Any]]
    grades: list[dict[str, Any]]
    ratings: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    rated: int
    graded: int
    limited: int


def read_sellers(store: Store, week: date) -> SellerSummary:
    """Tiers, grades and KPIs over sellers, and who changed tier since the week before."""
    here: dict[str, object] = {"week": week, "before": week - WEEK}
    [(rated, graded, limited)] = store.rows(
        "select (select count(distinct seller_id) from marts.fct_seller_rating_week where week_start = $week), "
        "(select count(final_grade) from marts.fct_seller_grade_week where week_start = $week), "
        "(select count(*) filter (where is_limited) from marts.fct_seller_ovl_week where week_start = $week)",
        {"week": week},
    )
    return SellerSummary(
        tiers=_tiers(store, week),
        grades=store.records(
            "select cast(floor(final_grade / step) * step as decimal(18, 1)) as grade, count(*) as sellers "
            "from marts.fct_seller_grade_week, (select case when max(final_grade) > 20 then 10 "
            "when max(final_grade) > 8 then 1 else 0.5 end as step from marts.fct_seller_grade_week) "
            "where week_start = $week and final_grade is not null group by all order by 1",
            {"week": week},
        ),
        ratings=_ratings(store, week),
        moved=store.records(
            "select now.seller_id, sellers.seller_name, before.tier as tier_before, now.tier as tier, "
            "now.previous_grade, now.final_grade, now.change, count(*) over () as moved "
            "from marts.fct_seller_grade_week as now "
            "inner join marts.fct_seller_grade_week as before using (seller_id) "
            "left join marts.dim_seller as sellers using (seller_id) "
            "where now.week_start = $week and before.week_start = $before and now.tier is distinct from before.tier "
            "order by abs(now.change) desc nulls last, seller_id limit 500",
            here,
        ),
        rated=rated,
        graded=graded,
        limited=limited,
    )


def _tiers(store: Store, week: date) -> list[dict[str, Any]]:
    """How many sellers are in each tier, in this week and in the one before; those without a grade are a tier, too."""
    return store.records(
        "select coalesce(now.tier, 'no grade') as tier, count(*) as sellers, before.sellers as sellers_before, "
        "min(now.final_grade) as lowest_grade from marts.fct_seller_grade_week as now "
        "left join (select coalesce(tier, 'no grade') as tier, count(*) as sellers "
        "from marts.fct_seller_grade_week where week_start = $before group by all) as before "
        "on before.tier = coalesce(now.tier, 'no grade') "
        "where now.week_start = $week group by all order by lowest_grade desc nulls last, tier",
        {"week": week, "before": week - WEEK},
    )


def _ratings(store: Store, week: date) -> list[dict[str, Any]]:
    """Each KPI of the rating: of all sellers together, and how its values are spread over them."""
    return store.records(
        f"""
        select
            kpi_id, cast(sum(numerator) as bigint) as numerator, cast(sum(denominator) as bigint) as denominator,
            {percent("sum(numerator)", "sum(denominator)")} as of_all, count(value) as sellers,
            quantile_disc(value, 0.1) as p10, quantile_disc(value, 0.25) as p25, quantile_disc(value, 0.5) as p50,
            quantile_disc(value, 0.75) as p75, quantile_disc(value, 0.9) as p90
        from marts.fct_seller_rating_week
        where week_start = $week
        group by kpi_id
        having count(value) > 0
        order by kpi_id
        """,
        {"week": week},
    )
