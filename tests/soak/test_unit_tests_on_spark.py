"""The unit tests of the models on Spark: the edges of every formula, whatever rows a home happens to have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.project import DBT_PROJECT_DIR
from orchestration.sample import write_sample
from tests.spark_kit import environment, require_spark, run_on_spark

pytestmark = pytest.mark.soak

#: dbt reads the columns of what a unit test is given from the tables of a home that has been run.
_SCRIPT = """
import json, sys
from pathlib import Path
from dbt.cli.main import dbtRunner
from orchestration.transform.choice import chosen_engine

project, home = sys.argv[1], Path(sys.argv[2])
chosen_engine().prepare_process()
places = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(home / "target")]
done = dbtRunner().invoke(["--quiet", "--log-level-file", "none", "test", "--select", "test_type:unit", *places])
results = getattr(done.result, "results", None)
assert results, done.exception
print(json.dumps({result.node.name: [str(result.status), result.message] for result in results}))
"""


def test_unit_tests_of_the_models_pass_on_spark(tmp_path: Path) -> None:
    require_spark()
    write_sample(tmp_path, weeks=1, orders_per_week=200, sellers=10)
    ended = run_on_spark(tmp_path)
    assert ended.status == 0, ended.text
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(DBT_PROJECT_DIR), str(tmp_path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert len(results) > 100
    assert {name: result for name, result in results.items() if result[0] != "pass"} == {}
