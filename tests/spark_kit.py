"""Spark for tests: whether it can run here, and how it runs cheaply."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metric_store.errors import MetricStoreError
from orchestration.transform.choice import ENGINE_VARIABLE, chosen_engine
from tests.conftest import Ended, metric_store_process

#: Of a small run most is the start of Java and the planning of statements: the quick compiler with room for all that it
#: compiles, one thread for garbage, few partitions, and plans that are made once and interpreted make it cheaper.
SPARK = {
    ENGINE_VARIABLE: "spark",
    "SPARK_THRIFT_HOST": "",
    "SPARK_DRIVER_MEMORY": "2g",
    "SPARK_SHUFFLE_PARTITIONS": "2",
    "SPARK_CONF_DIR": str(Path(__file__).with_name("spark_conf")),
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC",
}


def require_spark() -> None:
    """Skips the test where the extra or Java is missing, and says which."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SPARK.items():
            patch.setenv(name, value)
        try:
            chosen_engine().require()
        except MetricStoreError as error:
            pytest.skip(str(error).splitlines()[0])


def run_on_spark(home: Path, *arguments: str) -> Ended:
    """`metric-store run` with Spark as the engine."""
    return metric_store_process("run", "--home", home, *arguments, env=SPARK, timeout=3600)


def environment(home: Path) -> dict[str, str]:
    """The environment for dbt itself on Spark, against a home that has been run."""
    return {**os.environ, **SPARK, "METRIC_STORE_HOME": str(home), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def store_of(home: Path) -> Path:
    return home / "published" / "metric_store.duckdb"
