"""The source's August through the whole pipeline: which weeks pass the gate, and that the source's counts come out."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.sample.august import LEAST_SCALE, WEEKS, Counts

COUNTS = Counts.at(LEAST_SCALE)


@pytest.fixture(scope="module")
def store(august_home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(Home.of(august_home).published_store), read_only=True)


@pytest.fixture(scope="module")
def warehouse(august_home: Path) -> duckdb.DuckDBPyConnection:
    """What was computed of all five weeks, the withheld one too."""
    return duckdb.connect(str(Home.of(august_home).warehouse), read_only=True)


def values(store: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return store.execute(sql).fetchall()


def test_the_complete_weeks_are_published(august_home: Path, store: duckdb.DuckDBPyConnection) -> None:
    assert (august_home / "status.txt").read_text() == "3", (august_home / "run.txt").read_text()
    published = values(store, "select week_start from marts.publication where is_current order by 1")
    assert published == [(week,) for week in WEEKS]


def test_the_week_with_missing_days_is_withheld_for_these_alone(store: duckdb.DuckDBPyConnection) -> None:
    sql = "select week_start::varchar, rule_id, scope, observed from marts.fct_data_quality_week where not passed"
    assert sorted(values(store, sql)) == [
        ("2025-07-28", "days_present", "oms_logs", 3.0),
        ("2025-07-28", "days_present", "seller_orders", 3.0),
    ]


def test_request_ids_by_user_type_add_up_to_those_of_the_month(warehouse: duckdb.DuckDBPyConnection) -> None:
    expected = [
        ("non_parallel", COUNTS.non_parallel_requests),
        ("parallel", COUNTS.parallel_requests),
    ]
    latency = (
        "select user_type, sum(request_ids)::bigint from marts.fct_request_latency_week "
        "where hop = 't1_t2' and attempt_scope = 'all' and user_type <> 'overall' group by 1 order by 1"
    )
    assert values(warehouse, latency) == expected
    processed = (
        "select member, sum(numerator)::bigint from intermediate.int_metric_week "
        "where metric_id = 'request_ids_processed' and dimension = 'user_type' group by 1 order by 1"
    )
    assert values(warehouse, processed) == expected


def test_log_records_add_up_to_those_of_the_month(warehouse: duckdb.DuckDBPyConnection) -> None:
    sql = "select sum(null_records)::bigint, sum(records)::bigint from marts.fct_null_request_id_week"
    assert values(warehouse, sql) == [(COUNTS.null_records, COUNTS.records)]


def test_the_largest_request_has_200_sub_orders(store: duckdb.DuckDBPyConnection) -> None:
    sql = "select max(numerator) from marts.fct_metric_week where metric_id = 'max_sub_orders_per_request'"
    assert values(store, sql) == [(200,)]


def test_a_few_records_of_the_heavy_sources_are_in_quarantine(august_home: Path) -> None:
    for source in ("oms_logs", "seller_orders"):
        files = Home.of(august_home).quarantine / source / "*.parquet"
        with duckdb.connect() as connection:
            found = connection.execute(f"select distinct reason from read_parquet('{files}')").fetchall()
        assert {row[0] for row in found} == {"missing_required", "bad_type", "not_in_set"}, source
