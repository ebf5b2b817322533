"""Which engine a run uses: METRIC_STORE_ENGINE, and for Spark how to reach it."""

from __future__ import annotations

import os

from metric_store.errors import MetricStoreError
from orchestration.transform.engine import Engine
from orchestration.transform.spark import SparkSessionEngine, SparkThriftEngine

ENGINE_VARIABLE = "METRIC_STORE_ENGINE"
THRIFT_HOST_VARIABLE = "SPARK_THRIFT_HOST"
THRIFT_PORT_VARIABLE = "SPARK_THRIFT_PORT"


def chosen_engine() -> Engine:
    """The engine that the environment names, DuckDB where it names none.

    Raises MetricStoreError for an engine that isn't known, and for a port that isn't a number.
    """
    name = os.environ.get(ENGINE_VARIABLE) or "duckdb"
    if name == "duckdb":
        return Engine()
    if name == "spark":
        if host := os.environ.get(THRIFT_HOST_VARIABLE):
            return SparkThriftEngine(host, _port(os.environ.get(THRIFT_PORT_VARIABLE) or "10000"))
        return SparkSessionEngine()
    raise MetricStoreError(f"{ENGINE_VARIABLE} is '{name}', which is no engine of this product: set duckdb or spark.")


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise MetricStoreError(f"{THRIFT_PORT_VARIABLE} is '{text}': give the port of the Spark Thrift server, 1 to 65535.")
