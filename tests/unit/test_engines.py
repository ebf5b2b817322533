"""Which engine a run takes, what it says where something is missing, and the SQL that puts files before Spark."""

from __future__ import annotations

import importlib.util
import socket
import stat
from pathlib import Path

import pytest

from metric_store.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.transform import spark as spark_module
from orchestration.transform.choice import chosen_engine
from orchestration.transform.engine import Engine
from orchestration.transform.spark import SparkSessionEngine, SparkThriftEngine, _glob, _remove_unknown, _view


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("METRIC_STORE_ENGINE", "SPARK_THRIFT_HOST", "SPARK_THRIFT_PORT", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def with_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were installed."""
    monkeypatch.setattr(spark_module, "_is_installed", lambda _: True)


@pytest.mark.parametrize("named", [None, "", "duckdb"])
def test_duckdb_is_the_engine_unless_another_is_named(environment: pytest.MonkeyPatch, named: str | None) -> None:
    if named is not None:
        environment.setenv("METRIC_STORE_ENGINE", named)
    engine = chosen_engine()
    assert type(engine) is Engine
    engine.require()


def test_spark_runs_in_the_process_unless_a_server_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("METRIC_STORE_ENGINE", "spark")
    assert isinstance(chosen_engine(), SparkSessionEngine)
    environment.setenv("SPARK_THRIFT_HOST", "127.0.0.1")
    assert isinstance(chosen_engine(), SparkThriftEngine)


@pytest.mark.parametrize("named", ["Spark", "snowflake", " duckdb"])
def test_an_unknown_engine_is_an_error_that_names_it_and_those_there_are(
    environment: pytest.MonkeyPatch, named: str
) -> None:
    environment.setenv("METRIC_STORE_ENGINE", named)
    with pytest.raises(MetricStoreError, match=rf"METRIC_STORE_ENGINE is '{named}'.*duckdb or spark") as error:
        chosen_engine()
    assert len(str(error.value).splitlines()) <= 2


@pytest.mark.parametrize("port", ["0", "65536", "ten", "-1"])
def test_a_port_that_is_none_is_an_error(environment: pytest.MonkeyPatch, port: str) -> None:
    environment.setenv("METRIC_STORE_ENGINE", "spark")
    environment.setenv("SPARK_THRIFT_HOST", "127.0.0.1")
    environment.setenv("SPARK_THRIFT_PORT", port)
    with pytest.raises(MetricStoreError, match=f"SPARK_THRIFT_PORT is '{port}'"):
        chosen_engine()


@pytest.mark.parametrize("engine", [SparkSessionEngine(), SparkThriftEngine("127.0.0.1", 10000)])
def test_a_missing_extra_is_an_error_that_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MetricStoreError, match=r"pip install '\.\[spark\]'") as error:
        engine.require()
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.usefixtures("with_extra")
def test_a_missing_java_is_an_error(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("PATH", str(tmp_path))
    with pytest.raises(MetricStoreError, match="there is no java on PATH"):
        SparkSessionEngine().require()
    environment.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MetricStoreError, match=f"JAVA_HOME is {tmp_path}") as error:
        SparkSessionEngine().require()
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.usefixtures("with_extra")
@pytest.mark.parametrize(
    ("says", "is_enough"),
    [
        ('openjdk version "17.0.15" 2025-04-15', True),
        ('openjdk version "21" 2023-09-19', True),
        ('openjdk version "11.0.2" 2019-01-15', False),
        ('java version "1.8.0_202"', False),
        ("nothing of the kind", False),
    ],
)
def test_an_old_java_is_an_error_that_quotes_it(
    environment: pytest.MonkeyPatch, tmp_path: Path, says: str, is_enough: bool
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2\necho '{says}' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    environment.setenv("JAVA_HOME", str(tmp_path))
    if is_enough:
        SparkSessionEngine().require()
    else:
        with pytest.raises(MetricStoreError, match="Spark needs Java 17 or newer") as error:
            SparkSessionEngine().require()
        assert says in str(error.value)


@pytest.mark.usefixtures("with_extra")
def test_a_server_that_does_not_answer_is_an_error_that_names_it() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(MetricStoreError, match=f"No Spark Thrift server answers on 127.0.0.1:{port}") as error:
        SparkThriftEngine("127.0.0.1", port).require()
    assert len(str(error.value).splitlines()) == 2


def test_files_are_one_pattern_that_matches_nothing_else() -> None:
    folder = Path("/data/home {a,b} [1]*")
    assert _glob([folder / "x.parquet"]) == r"file:/data/home \{a\,b\} \[1\]\*/x.parquet"
    assert _glob([folder / "w=1" / "1.parquet", folder / "w=2" / "1.parquet"]) == (
        r"file:/data/home \{a\,b\} \[1\]\*/{w=1/1.parquet,w=2/1.parquet}"
    )


def test_names_and_paths_cannot_break_out_of_the_statement() -> None:
    view = _view("config.odd`name", ["a`b"], [Path("/it`s/x.parquet")])
    assert view == "create or replace view config.`odd``name` as select `a``b` from parquet.`file:/it``s/x.parquet`"


def test_folders_that_the_catalog_does_not_know_are_removed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for name in ("marts.db/known", "marts.db/left_by_a_killed_run", "quality.db/known"):
        (home.spark / "warehouse" / name).mkdir(parents=True)
    _remove_unknown(home, lambda table: table.endswith(".known"))
    left = {str(folder.relative_to(home.spark / "warehouse")) for folder in (home.spark / "warehouse").glob("*/*")}
    assert left == {"marts.db/known", "quality.db/known"}
