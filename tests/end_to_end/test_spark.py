"""Spark as the engine: what it computes of the conformance case equals what DuckDB computes, cell by cell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from bench.stores import copy_landed, differences
from orchestration.project import DBT_PROJECT_DIR
from tests.conftest import made_once
from tests.spark_kit import environment, require_spark, run_on_spark, store_of

WEEKS = "2024-08-05..2024-09-23"


@pytest.fixture(scope="session")
def spark_home(shared_folder: Path, conformance_home: Path) -> Path:
    """The conformance case computed by Spark, from the records that landed for DuckDB."""
    require_spark()

    def make(home: Path) -> None:
        copy_landed(conformance_home, home)
        ended = run_on_spark(home, "--weeks", WEEKS)
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "spark", make)


def test_published_tables_equal_those_of_duckdb(spark_home: Path, conformance_home: Path) -> None:
    assert differences(store_of(spark_home), store_of(conformance_home)) == []
    with duckdb.connect(str(store_of(spark_home)), read_only=True) as store:
        rows = store.execute("select count(distinct week_start) from marts.fct_metric_week").fetchall()
    assert rows == [(8,)]


#: In one process, because Java takes its time to start: a row of a week without records is put into a table of Spark,
#: the table is built for that week and one that has records, and two odd things are asked of the macros.
_SCRIPT = """
import json, sys
from datetime import date
from pathlib import Path
import duckdb
from dbt.cli.main import dbtRunner
from orchestration.transform.choice import chosen_engine

project, home = sys.argv[1], Path(sys.argv[2])
chosen_engine().prepare_process()
places = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(home / "target")]

def dbt(*arguments):
    result = dbtRunner().invoke(["--quiet", "--log-level-file", "none", *arguments, *places])
    assert result.success, result.exception
    return result.result

def run_statements(*statements):
    dbt("run-operation", "run_statements", "--args", json.dumps({"statements": statements}))

table = "marts.fct_retry_reason_week"
run_statements(
    f"insert into {table} partition (week_start = date'2023-01-02') values ('acceptance', 'stale', 1, 1, 1)",
    f"insert into {table} partition (week_start = date'2024-08-05') values ('acceptance', 'stale', 1, 1, 1)",
    f"insert into {table} partition (week_start = date'2022-01-03') values ('acceptance', 'of no run', 1, 1, 1)",
)
weeks = home / "spark" / "inputs" / "inputs.run_weeks.parquet"
with duckdb.connect() as db:
    db.execute(
        f"copy (select * replace (week::date as week_start) from '{weeks}', "
        "(values ('2023-01-02'), ('2024-08-05')) as weeks(week) where week_start = '2024-08-05') "
        f"to '{weeks}.new' (format parquet)"
    )
Path(f"{weeks}.new").replace(weeks)
dbt("run", "--select", "int_weeks", "fct_retry_reason_week")

from pyspark.sql import SparkSession
spark = SparkSession.getActiveSession()
rows = [tuple(r) for r in spark.sql(
    f"select week_start, count(*) as reasons, count_if(retry_reason = 'stale') as stale "
    f"from {table} group by week_start order by week_start"
).collect()]
batches = [row.tableName for row in spark.sql("show tables in marts like '*__batch'").collect()]
try:
    dbt("show", "--inline", "select 9223372036854775807 + id as too_large from range(1, 2)")
    overflow = "passed"
except AssertionError as error:
    overflow = str(error)
print(json.dumps({"rows": [[str(w), n, s] for w, n, s in rows], "batches": batches, "overflow": overflow}))
"""


def test_weeks_of_a_run_are_replaced_and_other_weeks_stay(spark_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(DBT_PROJECT_DIR), str(spark_home)],
        env=environment(spark_home),
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    with duckdb.connect(str(store_of(spark_home)), read_only=True) as store:
        published = store.execute(
            "select cast(week_start as varchar), count(*), 0 from marts.fct_retry_reason_week group by 1 order by 1"
        ).fetchall()
    # a week of the run without rows has none left; one of no run keeps what it had; the others are as published
    assert said["rows"] == [["2022-01-03", 1, 0], *map(list, published)]
    assert said["batches"] == []
    # a number that is too large is an error, as on DuckDB
    assert "overflow" in said["overflow"].lower()
