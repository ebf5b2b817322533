"""The tables that are published: names, order and types of columns, keys and descriptions, as published.md has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metric_store.reading import open_store, published_weeks
from tests.conftest import evidence_of

# published.md, table by table: the columns of the key, then the further ones, in their order, with their types.
TEXT, COUNT, RATE, FIGURE, SECONDS = "VARCHAR", "BIGINT", "DECIMAL(9,2)", "DECIMAL(18,2)", "DECIMAL(18,3)"
DATE, TIMESTAMP, BOOLEAN, DOUBLE = "DATE", "TIMESTAMP", "BOOLEAN", "DOUBLE"
ANY_NUMBER = "a number"  # the type isn't fixed there


def columns(kind: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, kind)


CONTRACT: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "dim_metric": (
        columns(TEXT, "metric_id"),
        columns(TEXT, "family", "setup_name", "seller_name", "export_name", "unit")
        | columns(ANY_NUMBER, "minimum", "maximum")
        | columns(TEXT, "direction", "formula", "description", "sql", "total", "evidence_unit"),
    ),
    "dim_seller": (
        columns(TEXT, "seller_id"),
        columns(TEXT, "seller_name", "brand_id", "brand_name", "mall_segment", "oms_client")
        | columns(BOOLEAN, "is_cross_border")
        | columns(TIMESTAMP, "onboarded_at", "oms_enabled_at"),
    ),
    "fct_metric_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id", "dimension", "member"),
        columns(COUNT, "numerator", "denominator")
        | {
            "value": FIGURE,
            "display_value": TEXT,
            "previous_value": FIGURE,
            "change": FIGURE,
            "is_small_sample": BOOLEAN,
        }
        | columns(RATE, "interval_low", "interval_high"),
    ),
    "fct_o2d_maturity_week": (
        columns(DATE, "week_start", "cohort_week_start") | columns(TEXT, "mall_segment"),
        columns(COUNT, "placed", "shipped") | columns(RATE, "ratio"),
    ),
    "fct_failure_contribution_week": (
        columns(DATE, "week_start") | columns(TEXT, "flow", "oms_client", "l2_category"),
        {"failed": COUNT, "contribution": RATE, "contribution_rank": COUNT},
    ),
    "fct_request_latency_week": (
        columns(DATE, "week_start") | columns(TEXT, "user_type", "hop", "attempt_scope"),
        columns(COUNT, "request_ids", "observations")
        | columns(
            SECONDS,
            *("avg_seconds", "p50_seconds", "p75_seconds", "p90_seconds", "p95_seconds", "p99_seconds", "max_seconds"),
        ),
    ),
    "fct_request_latency_day": (
        columns(DATE, "day") | columns(TEXT, "oms_client", "hop", "attempt_scope"),
        columns(COUNT, "observations")
        | columns(SECONDS, "avg_seconds", "p95_seconds", "max_seconds")
        | columns(ANY_NUMBER, "avg_change_pct"),
    ),
    "fct_manifest_call_day": (
        columns(DATE, "day") | columns(TEXT, "oms_client"),
        columns(COUNT, "success", "failed", "total")
        | columns(RATE, "failure_rate")
        | columns(ANY_NUMBER, "success_change_pct", "failed_change_pct", "total_change_pct"),
    ),
    "fct_retry_reason_week": (
        columns(DATE, "week_start") | columns(TEXT, "flow", "retry_reason"),
        columns(COUNT, "retried_calls", "requests", "at_max_attempts"),
    ),
    "fct_null_request_id_week": (
        columns(DATE, "week_start") | columns(TEXT, "oms_client", "event_name"),
        columns(COUNT, "records", "null_records") | columns(RATE, "null_rate"),
    ),
    "fct_seller_rating_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id", "kpi_id"),
        columns(COUNT, "numerator", "denominator")
        | {"value": RATE, "display_value": TEXT}
        | columns(TIMESTAMP, "calculated_at", "period_start", "period_end"),
    ),
    "fct_seller_operational_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id"),
        columns(COUNT, "orders_due", "cancelled_seller_fault", "not_on_time")
        | columns(RATE, "cancellation_rate", "on_time_rate")
        | columns(COUNT, "most_orders_in_a_day")
        | columns(BOOLEAN, "is_assessable", "is_met"),
    ),
    "fct_seller_ovl_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id"),
        {"applies_from": DATE, "is_limited": BOOLEAN, "daily_order_limit": COUNT, "limited_since": DATE}
        | {"met_weeks_in_a_row": COUNT, "reason": TEXT},
    ),
    "fct_seller_grade_metric_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id", "metric_id"),
        columns(COUNT, "numerator", "denominator")
        | columns(RATE, "value")
        | columns(FIGURE, "score")
        | columns(ANY_NUMBER, "weight", "contribution"),
    ),
    "fct_seller_grade_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id"),
        {
            "final_grade": ANY_NUMBER,
            "tier": TEXT,
            "is_partial": BOOLEAN,
            "previous_grade": ANY_NUMBER,
            "change": ANY_NUMBER,
        },
    ),
    "fct_inventory_sync_week": (
        columns(DATE, "week_start") | columns(TEXT, "oms_client"),
        columns(
            COUNT,
            *("compared", "matched", "oversell", "undersell", "oversell_units", "undersell_units"),
            *("missing_in_oms", "missing_in_marketplace"),
        )
        | {"accuracy_rate": RATE, "out_of_stock_cancellations": COUNT},
    ),
    "fct_promise_week": (
        columns(DATE, "week_start") | columns(TEXT, "mall_segment"),
        {"ship_due": COUNT, "ship_kept": COUNT, "ship_kept_rate": RATE}
        | {"delivery_due": COUNT, "delivery_kept": COUNT, "delivery_kept_rate": RATE}
        | columns(ANY_NUMBER, "p50_hours", "p90_hours", "p95_hours", "promise_hours_for_95"),
    ),
    "fct_oms_readiness_week": (
        columns(DATE, "week_start") | columns(TEXT, "oms_client"),
        columns(COUNT, "calls", "busiest_hour_calls")
        | columns(FIGURE, "mean_hourly_calls", "peak_to_mean")
        | {"success_rate": RATE, "error_budget_left_pct": ANY_NUMBER}
        | columns(SECONDS, "p95_peak_seconds", "p95_other_seconds")
        | {
            "sustained_hourly_calls": COUNT,
            "projected_peak": FIGURE,
            "headroom": FIGURE,
            "verdict": TEXT,
            "reasons": TEXT,
        },
    ),
    "fct_hop_load_hour": (
        columns(DATE, "week_start") | columns(TIMESTAMP, "started_at") | columns(TEXT, "oms_client", "hop"),
        {"calls": COUNT, "total_seconds": SECONDS},
    ),
    "fct_target_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id") | {"lower": ANY_NUMBER},
        {"upper": ANY_NUMBER, "is_upper_included": BOOLEAN},
    ),
    "fct_metric_change_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id", "dimension", "member"),
        columns(COUNT, "previous_numerator", "previous_denominator")
        | {"change_low": FIGURE, "change_high": FIGURE, "is_signal": BOOLEAN}
        | {"usual_low": FIGURE, "usual_high": FIGURE, "usual_weeks": COUNT, "is_unusual": BOOLEAN}
        | {"value_year_before": FIGURE},
    ),
    "fct_metric_driver_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id", "dimension", "member"),
        columns(RATE, "share_before", "share_now", "rate_before", "rate_now")
        | columns(FIGURE, "mix_effect", "rate_effect")
        | {"driver_rank": COUNT, "effect": FIGURE},
    ),
    "fct_o2d_settling_week": (
        columns(DATE, "week_start", "cohort_week_start") | columns(TEXT, "mall_segment"),
        columns(COUNT, "age_weeks", "placed", "shipped")
        | columns(RATE, "ratio", "settled_low", "settled_expected", "settled_high")
        | {"settled_weeks": COUNT},
    ),
    "fct_seller_recovery_week": (
        columns(DATE, "week_start") | columns(TEXT, "seller_id", "metric_id"),
        {"misses": COUNT, "units": COUNT, "is_on_target": BOOLEAN}
        | columns(COUNT, "misses_allowed", "clean_units_needed")
        | {"recovers_on": DATE, "next_units": COUNT, "next_misses": COUNT},
    ),
    "fct_incident_impact_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id", "dimension", "member"),
        {"numerator": COUNT, "denominator": COUNT, "value": RATE}
        | columns(COUNT, "excused", "adjusted_numerator", "adjusted_denominator")
        | {"adjusted_value": RATE, "is_small_sample": BOOLEAN, "incident_ids": TEXT},
    ),
    "fct_unmeasured_metric_week": (
        columns(DATE, "week_start") | columns(TEXT, "metric_id"),
        columns(TEXT, "missing_columns"),
    ),
    "fct_gate_waiver_week": (
        columns(DATE, "week_start") | columns(TEXT, "rule_id", "scope"),
        columns(TEXT, "reason", "approved_by") | columns(DATE, "valid_until"),
    ),
    "fct_data_quality_week": (
        columns(DATE, "week_start") | columns(TEXT, "rule_id", "scope"),
        {"severity": TEXT, "passed": BOOLEAN}
        | columns(DOUBLE, "observed", "lower", "upper")
        | columns(TEXT, "message")
        | columns(BOOLEAN, "is_withholding"),
    ),
    "publication": (
        columns(DATE, "week_start") | columns(TEXT, "build_id"),
        columns(TIMESTAMP, "published_at", "calculated_at")
        | columns(TEXT, "config_hash", "code_version", "raw_fingerprint")
        | columns(BOOLEAN, "is_current"),
    ),
    "fct_restatement": (
        columns(DATE, "week_start") | columns(TEXT, "table_name", "key", "column_name", "build_id"),
        columns(TEXT, "old_value", "new_value") | columns(TIMESTAMP, "restated_at") | columns(TEXT, "cause"),
    ),
}
#: fct_metric_evidence_week, which is Parquet beside the store.
EVIDENCE = (
    columns(DATE, "week_start") | columns(TEXT, "metric_id", "seller_id", "unit_id"),
    columns(TEXT, "unit", "order_id")
    | columns(TIMESTAMP, "happened_at", "due_at")
    | columns(TEXT, "detail", "incident_id"),
)


def query(home: Path, sql: str, parameters: Sequence[Any] = ()) -> list[tuple]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute(sql, parameters).fetchall()


def test_the_tables_are_those_of_the_contract(sample_home: Path) -> None:
    found = {row[0] for row in query(sample_home, "select table_name from duckdb_tables() where schema_name = 'marts'")}
    assert found == CONTRACT.keys()


def test_there_is_nothing_but_the_tables(sample_home: Path) -> None:
    others = (
        "select view_name from duckdb_views() where not internal union all select schema_name from duckdb_schemas() "
    )
    assert query(
        sample_home, others + "where database_name = 'metric_store' and not internal and schema_name <> 'main'"
    ) == [("marts",)]
    assert query(sample_home, "select count(*) from duckdb_tables() where schema_name <> 'marts'") == [(0,)]


@pytest.mark.parametrize("table", sorted(CONTRACT))
def test_columns_come_in_their_order_and_types(table: str, sample_home: Path) -> None:
    key, further = CONTRACT[table]
    if table.endswith("_day"):  # `day` and `week_start` come first
        key = {"day": DATE, "week_start": DATE, **key}
    expected = key | further
    found = dict(
        query(
            sample_home,
            "select column_name, data_type from duckdb_columns() "
            "where schema_name = 'marts' and table_name = ? order by column_index",
            [table],
        )
    )
    assert list(found) == list(expected)
    for name, kind in expected.items():
        if kind == ANY_NUMBER:
            assert found[name].startswith("DECIMAL"), name
        else:
            assert found[name] == kind, name


@pytest.mark.parametrize("table", sorted(CONTRACT))
def test_the_key_is_unique_and_never_null(table: str, sample_home: Path) -> None:
    key = ", ".join(CONTRACT[table][0])
    assert query(sample_home, f"select {key} from marts.{table} group by all having count(*) > 1") == []
    anything_null = " or ".join(f"{name} is null" for name in CONTRACT[table][0])
    assert query(sample_home, f"select count(*) from marts.{table} where {anything_null}") == [(0,)]


def test_every_table_and_column_is_described(sample_home: Path) -> None:
    tables = query(sample_home, "select table_name, comment from duckdb_tables() where schema_name = 'marts'")
    found = query(
        sample_home,
        "select table_name || '.' || column_name, comment from duckdb_columns() where schema_name = 'marts'",
    )
    assert len(found) > 100
    assert [name for name, comment in [*tables, *found] if not (comment or "").strip()] == []


def test_evidence_is_parquet_of_the_contract(sample_home: Path) -> None:
    key, further = EVIDENCE
    published = published_weeks(sample_home / "published" / "metric_store.duckdb")
    builds = {week: found.build_id for week, found in published.items()}
    assert len(builds) == 3
    for week, build in builds.items():
        [file] = (sample_home / "published" / "evidence" / f"week_start={week}" / f"build_id={build}").iterdir()
        assert file.suffix == ".parquet"
        with duckdb.connect() as db:
            found = db.read_parquet(str(file), hive_partitioning=False)
            assert dict(zip(found.columns, map(str, found.types), strict=True)) == key | further
            names = ", ".join(key)
            checks = f"""
                select count(*) > 100, count(distinct ({names})) = count(*), min(week_start) = max(week_start),
                    count(*) = count(week_start) and count(*) = count(metric_id) and count(*) = count(seller_id)
                    and count(*) = count(unit_id) and count(*) = count(unit) and count(*) = count(order_id)
                from found
            """
            assert db.sql(checks).fetchall() == [(True, True, True, True)]
        rows = evidence_of(sample_home)[week]
        assert rows == sorted(rows, key=lambda row: row[1:4]), "in the order of metric, seller and unit"
        assert {row[0] for row in rows} == {week}
