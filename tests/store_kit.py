"""A small published store, made of the declared tables by SQL: two published weeks, and one that is withheld."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.project import DBT_PROJECT_DIR
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, mart_tables

FIRST, SECOND, WITHHELD = "2026-01-05", "2026-01-12", "2026-01-19"
#: Ids that a spreadsheet could take for a number or a formula.
SELLERS = ("007", "=1+1", "S0001")

#: By table its rows, each with the names of its columns.
_ROWS: dict[str, str] = {
    "publication": f"""
        select unnest([date '{FIRST}', date '{FIRST}', date '{SECOND}']) as week_start,
            unnest(['b0', 'b1', 'b2']) as build_id, unnest([false, true, true]) as is_current,
            timestamp '2026-01-19 03:10:00' as published_at, timestamp '2026-01-19 03:00:00' as calculated_at,
            'c' as config_hash, '0.1.0' as code_version, 'r' as raw_fingerprint
    """,
    "dim_metric": """
        select metric_id, family, unit, direction, 'a / b' as formula, 'What it says.' as description, total,
            case when metric_id in ('o2d_ratio', 'seller_cancel_rate') then 'sub_order' end as evidence_unit
        from (values
            ('o2d_ratio', 'brand', 'percent', 'high', 'sum'),
            ('manifestation_failure_rate', 'brand', 'percent', 'low', 'sum'),
            ('claims_rate', 'brand', 'percent', 'low', 'sum'),
            ('order_volume', 'brand', 'count', 'neutral', 'sum'),
            ('brands_onboarded', 'brand', 'count', 'neutral', 'distinct_count'),
            ('return_rate', 'seller_rating', 'percent', 'low', 'overlapping_periods'),
            ('seller_cancel_rate', 'seller_grade', 'percent', 'low', 'overlapping_periods'),
            ('ovl_cancellation_rate', 'order_volume_limit', 'percent', 'low', 'sum'),
            ('ovl_on_time_rate', 'order_volume_limit', 'percent', 'high', 'sum'),
            ('ship_kept_rate', 'readiness', 'percent', 'high', 'sum'),
            ('oms_headroom', 'readiness', 'ratio', 'high', 'not_counted')
        ) as metrics(metric_id, family, unit, direction, total)
    """,
    "dim_seller": f"select unnest({list(SELLERS)}) as seller_id, 'Sample Seller' as seller_name",
    # value, interval and text as the marts have them
    "fct_metric_week": f"""
        select week_start::date as week_start, * exclude (week_start)
        from (values
            ('{FIRST}', 'o2d_ratio', 'overall', 'mall', 82, 145, 56.55, '56.55%', null, null, false, 48.42, 64.35),
            ('{SECOND}', 'o2d_ratio', 'overall', 'mall', 100, 172, 58.14, '58.14%', 56.55, 1.59, false, 50.67, 65.26),
            ('{FIRST}', 'o2d_ratio', 'mall_segment', 'anchor', 0, 0, null, 'No data available', null, null, true, null,
                null),
            ('{SECOND}', 'o2d_ratio', 'mall_segment', 'anchor', 1, 800, 0.13, '0.13%', null, null, false, 0.02, 0.70),
            ('{SECOND}', 'o2d_ratio', 'mall_segment', 'focus', 3, 3, 100, '100.00%', null, null, true, 43.85, 100),
            ('{FIRST}', 'manifestation_failure_rate', 'overall', 'mall', 4, 100, 4, '4.00%', null, null, false, 1.57,
                9.84),
            ('{SECOND}', 'manifestation_failure_rate', 'overall', 'mall', 9, 100, 9, '9.00%', 4, 5, false, 4.81, 16.23),
            ('{FIRST}', 'claims_rate', 'overall', 'mall', 3, 2, 150, '150.00%', null, null, true, null, null),
            ('{SECOND}', 'claims_rate', 'overall', 'mall', 1, 6, 16.67, '16.67%', 150, -133.33, true, null, null),
            ('{FIRST}', 'order_volume', 'overall', 'mall', 140, null, 140, '140', null, null, null, null, null),
            ('{SECOND}', 'order_volume', 'overall', 'mall', 150, null, 150, '150', 140, 10, null, null, null),
            ('{FIRST}', 'brands_onboarded', 'overall', 'mall', 3, null, 3, '3', null, null, null, null, null)
        ) as figures(week_start, metric_id, dimension, member, numerator, denominator, value, display_value,
            previous_value, change, is_small_sample, interval_low, interval_high)
    """,
    "fct_metric_change_week": f"""
        select week_start::date as week_start, metric_id, 'overall' as dimension, 'mall' as member, * exclude
            (week_start, metric_id)
        from (values
            ('{FIRST}', 'o2d_ratio', null, null, null, null, null, null),
            ('{SECOND}', 'o2d_ratio', 82, 145, -12.9, 16.0, false, 6),
            ('{SECOND}', 'manifestation_failure_rate', 4, 100, 1.0, 9.0, true, 6)
        ) as changes(week_start, metric_id, previous_numerator, previous_denominator, change_low, change_high,
            is_signal, usual_weeks)
    """,
    "fct_metric_driver_week": f"""
        select date '{SECOND}' as week_start, 'o2d_ratio' as metric_id, 'mall_segment' as dimension,
            unnest(['anchor', 'focus']) as member, unnest([1.2, 0.4]) as mix_effect, 0 as rate_effect,
            unnest([1.2, 0.4]) as effect,
            unnest([1, 2]) as driver_rank
    """,
    "fct_failure_contribution_week": f"""
        select week_start::date as week_start, 'manifestation' as flow, * exclude (week_start)
        from (values
            ('{FIRST}', 'all', 'oms_error', 1, 25), ('{FIRST}', 'c1', 'oms_error', 1, 50),
            ('{FIRST}', 'all', 'other', 3, 75), ('{FIRST}', 'c2', 'other', 3, 75),
            ('{SECOND}', 'all', 'oms_error', 6, 66.67), ('{SECOND}', 'c1', 'oms_error', 2, 50),
            ('{SECOND}', 'c2', 'oms_error', 4, 80), ('{SECOND}', 'all', 'other', 3, 33.33),
            ('{SECOND}', 'c2', 'other', 3, 33.33)
        ) as failures(week_start, oms_client, l2_category, failed, contribution)
    """,
    "fct_request_latency_week": f"""
        select unnest([date '{FIRST}', date '{SECOND}']) as week_start, 'overall' as user_type, 't1_t5' as hop,
            'first_try' as attempt_scope, 90 as request_ids, 95 as observations, 12.345 as avg_seconds,
            11.5 as p50_seconds, 20.125 as p95_seconds
    """,
    "fct_seller_rating_week": f"""
        select week_start, seller_id, 'return_rate' as kpi_id, 1 as numerator, 8 as denominator, 12.5 as value,
            '12.50%' as display_value, timestamp '2025-12-15 03:00:00' as period_start,
            timestamp '2026-01-12 03:00:00' as period_end
        from (select unnest([date '{FIRST}', date '{SECOND}']) as week_start),
            (select unnest({list(SELLERS)}) as seller_id)
    """,
    "fct_seller_operational_week": f"""
        select unnest([date '{FIRST}', date '{SECOND}']) as week_start, '007' as seller_id, 40 as orders_due,
            unnest([1, 2]) as cancelled_seller_fault, unnest([4, 6]) as not_on_time,
            unnest([2.5, 5]) as cancellation_rate, unnest([90, 85]) as on_time_rate, true as is_assessable,
            true as is_met
    """,
    "fct_seller_ovl_week": f"""
        select date '{SECOND}' as week_start, '007' as seller_id, date '{WITHHELD}' as applies_from, true as is_limited,
            50 as daily_order_limit, date '{SECOND}' as limited_since, 0 as met_weeks_in_a_row, '=late' as reason
    """,
    "fct_seller_grade_week": f"""
        select date '{SECOND}' as week_start, unnest({list(SELLERS)}) as seller_id,
            unnest([4.5, 3, null]) as final_grade, unnest(['gold', '+silver', null]) as tier, false as is_partial
    """,
    "fct_seller_grade_metric_week": f"""
        select date '{SECOND}' as week_start, unnest({list(SELLERS)}) as seller_id, 'seller_cancel_rate' as metric_id,
            1 as numerator, 40 as denominator, 2.5 as value, 4 as score, 25 as weight, 1 as contribution
    """,
    "fct_seller_recovery_week": f"""
        select date '{SECOND}' as week_start, '007' as seller_id, 'seller_cancel_rate' as metric_id, 1 as misses,
            40 as units, false as is_on_target, 0 as misses_allowed, 12 as clean_units_needed,
            date '2026-02-09' as recovers_on
    """,
    "fct_promise_week": f"""
        select unnest([date '{FIRST}', date '{SECOND}', date '{SECOND}']) as week_start,
            unnest(['mall', 'mall', 'anchor']) as mall_segment, 10 as ship_due, 7 as ship_kept, 70 as ship_kept_rate
    """,
    "fct_oms_readiness_week": f"""
        select date '{SECOND}' as week_start, 'c1' as oms_client, 1000 as calls, 99.5 as success_rate, 1.25 as headroom
    """,
    "fct_data_quality_week": f"""
        select week_start::date as week_start, * exclude (week_start)
        from (values
            ('{SECOND}', 'days_present', 'oms_logs', 'error', false, 1.0, null, 0.0, 'a day is missing', false),
            ('{SECOND}', 'weights', 'all', 'error', true, 100.0, 100.0, 100.0, null, false),
            ('{WITHHELD}', 'days_present', 'oms_logs', 'error', false, 2.0, null, 0.0, 'two days are missing', true)
        ) as verdicts(week_start, rule_id, scope, severity, passed, observed, lower, upper, message, is_withholding)
    """,
    "fct_gate_waiver_week": f"""
        select date '{SECOND}' as week_start, 'days_present' as rule_id, 'oms_logs' as scope, 'a feast' as reason,
            'jo' as approved_by, date '2199-01-01' as valid_until
    """,
    "fct_unmeasured_metric_week": f"""
        select date '{SECOND}' as week_start, 'brands_onboarded' as metric_id, 'sellers.onboarded_at' as missing_columns
    """,
}
WAIVER = "days_present of oms_logs, by jo: a feast"


def make_store(home: Path, *statements: str) -> Path:
    """The store in a home, which is made; then these statements. Returns the file."""
    store = home / "published" / "metric_store.duckdb"
    store.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(store)) as db:
        db.execute("create schema marts")
        for table in (*mart_tables(DBT_PROJECT_DIR / "target" / "manifest.json"), PUBLICATION, RESTATEMENT):
            columns = ", ".join(f"{name} {kind}" for name, (kind, _) in table.columns.items())
            db.execute(f"create table marts.{table.name} ({columns})")
        db.execute("use metric_store.marts")
        for name, rows in _ROWS.items():
            db.execute(f"insert into {name} by name {rows}")
        _write_evidence(store.parent)
        for statement in statements:
            db.execute(statement)
    return store


def _write_evidence(folder: Path) -> None:
    build = folder / "evidence" / f"week_start={SECOND}" / "build_id=b2"
    build.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute(
            f"copy (select date '{SECOND}' as week_start, 'o2d_ratio' as metric_id, '007' as seller_id, "
            "unnest(['=2', '01']) as unit_id, 'sub_order' as unit, '1' as order_id, null::timestamp as happened_at, "
            f"null::timestamp as due_at, null::varchar as detail) to '{build / 'evidence.parquet'}'"
        )
