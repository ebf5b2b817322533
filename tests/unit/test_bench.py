"""The yardstick of `make bench`: the hand-written figures are the published ones, and one that isn't is noticed."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bench.yardstick import compare, compute
from orchestration.settings import Home


@pytest.fixture
def figures(august_home: Path) -> duckdb.DuckDBPyConnection:
    return compute(Home.of(august_home).inbox)


def test_every_figure_is_the_published_one(figures: duckdb.DuckDBPyConnection, august_home: Path) -> None:
    compared = compare(figures, Home.of(august_home).published_store)
    assert {column.figure for column in compared} == {
        "fct_null_request_id_week",
        "fct_manifest_call_day",
        "fct_request_latency_week",
        "acceptance_failure_rate",
        "manifestation_failure_rate",
        "max_sub_orders_per_request",
        "o2d_ratio",
        "request_ids_processed",
    }
    assert sum(column.values for column in compared) > 1000
    assert [column for column in compared if column.different] == []


@pytest.mark.parametrize(
    ("change", "figure", "different"),
    [
        (
            "update yardstick.fct_request_latency_week set p95_seconds = p95_seconds + 0.001",
            "fct_request_latency_week",
            {"p95_seconds"},
        ),
        (
            "delete from yardstick.fct_manifest_call_day where day = '2025-08-05'",
            "fct_manifest_call_day",
            {"success", "failed", "total", "failure_rate"},
        ),
        (
            "update yardstick.fct_metric_week set member = 'other' where metric_id = 'o2d_ratio'",
            "o2d_ratio",
            {"numerator", "denominator", "value"},
        ),
    ],
)
def test_a_different_value_and_a_missing_row_are_noticed(
    figures: duckdb.DuckDBPyConnection, august_home: Path, change: str, figure: str, different: set[str]
) -> None:
    figures.execute(change)
    compared = compare(figures, Home.of(august_home).published_store)
    assert {column.figure for column in compared if column.different} == {figure}
    assert {column.column for column in compared if column.different} == different
