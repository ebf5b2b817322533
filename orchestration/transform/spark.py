"""Apache Spark as the engine: in the process of the run, or behind a Thrift server as a cluster has it.

Landed files are read where they lie; the run's own tables go there and the marts come back as Parquet under
`<home>/spark`. All of it is SQL on dbt's connection, so that how to reach Spark stands in one place, profiles.yml.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from metric_store.errors import MetricStoreError
from metric_store.sql import sql_name, sql_text
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.transform.engine import Engine, RunDbt
from orchestration.transform.warehouse import landed_relations, open_warehouse, run_weeks

_LEAST_JAVA = 17
#: What the gate reads, beside the marts.
_PROFILE = ("gate_profile", "gate_required_scopes")


class SparkEngine(Engine):
    """What both ways to reach Spark have in common."""

    name = "spark"
    adapter = "spark"
    _modules: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._put: set[str] = set()

    def require(self) -> None:
        if missing := [name for name in ("dbt.adapters.spark", *self._modules) if not _is_installed(name)]:
            raise MetricStoreError(
                f"Spark is the engine (METRIC_STORE_ENGINE), but {missing[0].split('.')[0]} for it isn't installed.\n"
                "Install the extra: pip install '.[spark]', or set METRIC_STORE_ENGINE=duckdb."
            )

    def prepare_process(self) -> None:
        _keep_ansi_mode()

    def put_inputs(self, home: Home, run_dbt: RunDbt) -> None:
        weeks = [week.week_start for week in run_weeks(home)]
        with Ledger(home.ledger, read_only=True) as ledger:
            landed = landed_relations(home, ledger, weeks)
        statements = [f"create schema if not exists {schema}" for schema in ("landing", "inputs", "config")]
        files = home.spark / "inputs"
        files.mkdir(parents=True, exist_ok=True)
        with open_warehouse(home, read_only=True) as db:
            for relation in landed:
                paths = relation.paths
                if not paths:  # an empty view of the same columns
                    paths = [files / f"{relation.name}.parquet"]
                    db.execute(f"copy (select * from {relation.name}) to {sql_text(str(paths[0]))} (format parquet)")
                statements.append(_view(relation.name, list(relation.columns), paths))
            for name, columns in _tables(db):
                file = files / f"{name}.parquet"
                db.execute(f"copy (select * from {name}) to {sql_text(str(file))} (format parquet)")
                statements.append(_view(name, columns, [file]))
        self._execute(run_dbt, [statement for statement in statements if statement not in self._put])
        self._put |= set(statements)

    def fetch_results(self, home: Home, built: Any, run_dbt: RunDbt) -> None:
        weeks = sorted({week.week_start + timedelta(days=days) for week in run_weeks(home) for days in (-7, 0, 7)})
        nodes = [node for node in _built_models(built) if node.schema == "marts" or node.name in _PROFILE]
        folder = home.spark / "results"
        self._execute(run_dbt, [_export(node, folder / f"{node.schema}.{node.name}", weeks) for node in nodes])
        with open_warehouse(home) as db:
            for node in nodes:
                db.execute(f"create schema if not exists {node.schema}")
                db.execute(_fetched_view(node, folder / f"{node.schema}.{node.name}"))

    def _execute(self, run_dbt: RunDbt, statements: Sequence[str]) -> None:
        if statements:
            run_dbt(["run-operation", "run_statements", "--args", json.dumps({"statements": list(statements)})])


class SparkSessionEngine(SparkEngine):
    """Spark in the process of the run: one machine, nothing to administer. Its catalog and tables lie in the home."""

    target = "spark"
    _modules = ("pyspark",)

    def require(self) -> None:
        super().require()
        _require_java()

    def put_inputs(self, home: Home, run_dbt: RunDbt) -> None:
        home.spark.mkdir(parents=True, exist_ok=True)
        # Java inherits standard error for its lifetime, and prints warnings at every start
        with _errors_to(home.spark / "driver.log"):
            super().put_inputs(home, run_dbt)
        _remove_orphans(home)


class SparkThriftEngine(SparkEngine):
    """Spark behind its Thrift server: it must see the home at the same path. Catalog and tables are the server's."""

    target = "spark_thrift"
    _modules = ("pyhive", "thrift_sasl")

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host, self._port = host, port

    def require(self) -> None:
        super().require()
        try:
            socket.create_connection((self._host, self._port), timeout=5).close()
        except OSError as error:
            raise MetricStoreError(
                f"No Spark Thrift server answers on {self._host}:{self._port} ({error}).\n"
                "Start it, or correct SPARK_THRIFT_HOST and SPARK_THRIFT_PORT; without them Spark runs in the process."
            ) from error


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _require_java() -> None:
    java_home = os.environ.get("JAVA_HOME")
    java = str(Path(java_home, "bin", "java")) if java_home else "java"
    remedy = f"Install Java {_LEAST_JAVA} and put it on PATH, or point JAVA_HOME at it."
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError as error:
        where = f"JAVA_HOME is {java_home}, but {java} can't be started" if java_home else "there is no java on PATH"
        raise MetricStoreError(f"Spark needs Java {_LEAST_JAVA} or newer, and {where}.\n{remedy}") from error
    said = next((line for line in answer.splitlines() if not line.startswith("Picked up ")), "nothing")
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < _LEAST_JAVA:
        raise MetricStoreError(f"Spark needs Java {_LEAST_JAVA} or newer; {java} says: {said}\n{remedy}")


def _keep_ansi_mode() -> None:
    """dbt-spark switches ANSI mode off, in which a number that is too large wraps around or becomes null in silence."""
    from dbt.adapters.spark.connections import SparkCredentials

    inherited = SparkCredentials.__post_init__

    def with_ansi_mode(self: Any) -> None:
        inherited(self)
        self.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    SparkCredentials.__post_init__ = with_ansi_mode


@contextmanager
def _errors_to(file: Path) -> Iterator[None]:
    """Standard error, of the processes started meanwhile too, goes into a file."""
    kept = os.dup(2)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.dup2(opened, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(opened)
        os.close(kept)


def _remove_orphans(home: Home) -> None:
    """Remove folders of tables that the catalog doesn't know: a killed run left them, and Spark won't write there."""
    from pyspark.sql import SparkSession

    if (session := SparkSession.getActiveSession()) is not None:
        _remove_unknown(home, session.catalog.tableExists)


def _remove_unknown(home: Home, is_known: Callable[[str], bool]) -> None:
    for folder in (home.spark / "warehouse").glob("*.db/*/"):
        if not is_known(f"{folder.parent.stem}.{folder.name}"):
            shutil.rmtree(folder)


def _tables(db: Any) -> list[tuple[str, list[str]]]:
    """Names and columns of the tables that a run puts before the models."""
    rows = db.execute(
        "select schema_name || '.' || table_name, list(column_name order by column_index) from duckdb_columns() "
        "where schema_name in ('inputs', 'config') and table_name <> 'code' group by all order by all"
    ).fetchall()
    return [(name, columns) for name, columns in rows]


def _view(name: str, columns: Sequence[str], paths: Sequence[Path]) -> str:
    schema, table = name.split(".")
    selected = ", ".join(map(_name, columns))
    return f"create or replace view {schema}.{_name(table)} as select {selected} from parquet.{_name(_glob(paths))}"


def _export(node: Any, folder: Path, weeks: Sequence[date]) -> str:
    """SQL: the model's rows as Parquet, of the weeks that may be published unless all of it is."""
    listed = ", ".join(f"date'{week}'" for week in weeks)
    is_cut = "week_start" in node.columns and node.schema == "marts" and not node.config.meta.get("over_store")
    where = f" where week_start in ({listed})" if is_cut else ""
    selected = ", ".join(map(_name, node.columns))
    return (
        f"insert overwrite directory {_text(f'file:{folder}')} using parquet "
        f"select /*+ coalesce(1) */ {selected} from {node.schema}.{_name(node.name)}{where}"
    )


def _fetched_view(node: Any, folder: Path) -> str:
    """SQL of the warehouse: the fetched rows, in the types of the contract."""
    selected = ", ".join(
        f"{_in_type(sql_name(name), c.data_type)} as {sql_name(name)}" for name, c in node.columns.items()
    )
    files = sql_text(f"{folder}/*.parquet")
    return f"create or replace view {node.schema}.{sql_name(node.name)} as select {selected} from read_parquet({files})"


def _in_type(column: str, kind: str | None) -> str:
    if kind is None:
        return column
    # instants come back with a time zone
    return f"cast({column} at time zone 'UTC' as timestamp)" if kind == "timestamp" else f"cast({column} as {kind})"


def _built_models(built: Any) -> list[Any]:
    return [result.node for result in built.results if result.node.resource_type == "model"]


def _glob(paths: Sequence[Path]) -> str:
    """One pattern of Hadoop that matches exactly these files; the scheme, because a cluster may default to HDFS."""
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    inside = [_escaped(str(path.relative_to(folder))) for path in paths]
    return f"file:{_escaped(str(folder))}/{inside[0] if len(inside) == 1 else '{' + ','.join(inside) + '}'}"


def _escaped(path: str) -> str:
    return re.sub(r"([\\{}\[\]*?,^])", r"\\\1", path)


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
