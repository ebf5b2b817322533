"""The yardstick of `make bench`: the hand-written figures are the published ones, and one that isn't is noticed."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from bench.processes import Ended
from bench.stages import stages
from bench.yardstick import compare, compute
from orchestration.home.layout import Home


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


def test_stages_are_the_steps_of_the_home_s_runs_and_their_whole_time(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "METRIC_STORE_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "elsewhere")  # and back as it was afterwards
    now = time.time()
    found = stages(Home.of(sample_home), Ended(0, "", now - 10**6, 10**6, 1.0, 1))
    assert {"startup", "inbox", "build", "gate", "published_store", "report", "finish"} <= set(found)
    assert sum(found.values()) == pytest.approx(10**6)
    assert 0 < found["build"] < 1000
