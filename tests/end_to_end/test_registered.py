"""What the registry names is in a published home, and an entry is all that a metric or rule more needs in lists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas
import pytest
from click.testing import CliRunner

import metric_store
from dbt_project.registry import PROJECT_DIR, formula_places, registry
from orchestration.cli.app import main
from orchestration.project import PROJECT_ROOT
from tests.conftest import SAMPLE_WEEKS


def test_each_formula_stands_where_it_is_said_to(sample_home: Path) -> None:
    places = formula_places(PROJECT_DIR, registry().metrics)
    for metric in registry().metrics:
        for formula, place in zip(metric.formula, places[metric.id], strict=True):
            model, column = formula.split(".")
            path, line = place.split(":")
            assert Path(path).stem == model
            assert re.search(
                rf" as {column}\b|^ *as {column}\b", (PROJECT_DIR / path).read_text().split("\n")[int(line) - 1]
            )
    with duckdb.connect(str(sample_home / "published" / "metric_store.duckdb"), read_only=True) as store:
        told = dict(store.execute("select metric_id, sql from marts.dim_metric").fetchall())
    assert told == {metric_id: ", ".join(found) for metric_id, found in places.items()}
    asked = CliRunner().invoke(main, ["metric", "o2d_ratio", "--home", str(sample_home)])
    assert f"SQL: {told['o2d_ratio']}\n" in asked.stderr
    [page] = sample_home.glob(f"reports/{SAMPLE_WEEKS[0]}/index.html")
    assert f"SQL: <code>{'</code>, <code>'.join(places['o2d_ratio'])}</code>" in page.read_text()


def test_readers_get_the_columns_that_the_registry_names(sample_home: Path) -> None:
    """The package for readers reads no registry: where a metric has columns of its own, it has them in its SQL."""
    tables = {family.id: family.table for family in registry().metric_families}
    store = metric_store.open(sample_home)
    asked = [metric for metric in registry().metrics if metric.value and metric.numerator]
    assert asked
    for metric in asked:
        shown = pandas.concat([store.metric(metric.id, by=dimension) for dimension in (None, *metric.dimensions)])
        with duckdb.connect(str(sample_home / "published" / "metric_store.duckdb"), read_only=True) as db:
            db.register("shown", shown)
            said = f"select week_start, {metric.numerator}, {metric.denominator}, {metric.value} "
            named = db.execute(f"{said} from marts.{metric.table or tables[metric.family]} order by all").fetchall()
            read = db.execute(
                "select week_start::date, numerator::bigint, denominator::bigint, value::decimal(9, 2) from shown "
                "order by all"
            ).fetchall()
        assert named
        assert read == named, metric.id


#: What somebody writes for a new metric: entry, catalogue line, SQL.
METRIC = """
    - id: enabled_shipped
      family: brand
      formula: [int_brand_measures_week.enabled_shipped]
      relation: mall_orders
      numerator: enabled_shipped
      overall: mall
      dimensions: [mall_segment]
      sources: [seller_orders, sellers]
      decided_by: [seller_orders.shipped_at]
      total: sum
      headline: 9
"""


CATALOGUE_LINE = "enabled_shipped,brand,Shipped,Shipped,Shipped,count,0,,high,orders shipped,How many were shipped\n"


MEASURE = "            count(*) filter (where is_shipped and is_oms_enabled) as enabled_shipped,\n"


#: And for a new rule.
RULE = "    - {id: hours_present, scope: source, of: is_vital}\n"


RULE_LINE = "hours_present,error,1,,2026-11-27,Hours of the week with a record.\n"


RULE_MODEL = """
select week_start, source as scope, cast(count(*) as double) as observed, cast(null as string) as note
from {{ ref("int_records_day") }}
where source in ({{ source_names("is_vital") }})
group by week_start, source
"""


#: In the copy: the configuration is checked, and the models concerned are built.
BUILD = """
import json, sys
from pathlib import Path
from orchestration.configuration import load_configuration
from orchestration.configuration.ids import GATE_RULES, METRICS
from orchestration.home.layout import Home
from orchestration.report.reading import HEADLINES
from orchestration.transform.invocation import invoke
from orchestration.transform.warehouse import create_config_tables, open_warehouse

home = Home(Path(sys.argv[1]))
configuration = load_configuration(None)
with open_warehouse(home) as db:
    create_config_tables(db, configuration)
invoke(["build", "--exclude-resource-type", "test", "unit_test", "--select", *sys.argv[2:]], home, "duckdb", home.root)
print(json.dumps([METRICS, HEADLINES, GATE_RULES, [row["rule_id"] for row in configuration.records("gate_rules")]]))
"""


@pytest.fixture(scope="module")
def extended(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """A warehouse that a copy of the project with one metric and one rule more was built in, and lists of that copy."""
    folder = tmp_path_factory.mktemp("extended")
    for part in ("dbt_project", "expectations", "orchestration"):
        shutil.copytree(PROJECT_ROOT / part, folder / part, ignore=shutil.ignore_patterns("target", "__pycache__"))
    project = folder / "dbt_project"
    replace(
        project / "dbt_project.yml", "\n\n    - id: cancellation_rate\n", f"{METRIC}\n    - id: cancellation_rate\n"
    )
    replace(project / "dbt_project.yml", "\n  rules:\n", f"\n  rules:\n{RULE}")
    shipped = "            count(*) filter (where is_shipped) as shipped,\n"
    replace(project / "models/intermediate/brand/int_brand_measures_week.sql", shipped, shipped + MEASURE)
    (project / "models/quality/dq_hours_present.sql").write_text(RULE_MODEL)
    for file, line in (
        (project / "seeds" / "metric_catalog.csv", CATALOGUE_LINE),
        (folder / "expectations" / "gate_rules.csv", RULE_LINE),
    ):
        file.write_text(file.read_text() + line)
    home = folder / "home"
    home.mkdir()
    shutil.copyfile(sample_home / "warehouse.duckdb", home / "warehouse.duckdb")
    models = (
        *("stg_config__metric_catalog", "dim_metric", "int_brand_metrics", "int_brand_measures_week"),
        *("int_metric_week", "dq_hours_present", "gate_profile", "gate_required_scopes"),
    )
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(home), *models],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return home / "warehouse.duckdb", json.loads(built.stdout.splitlines()[-1])


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new))


def test_a_metric_more_is_an_entry_a_catalogue_line_and_its_sql(extended: tuple[Path, list[list[str]]]) -> None:
    warehouse, (metrics, headlines, *_) = extended
    assert "enabled_shipped" in metrics
    assert headlines[-1] == "enabled_shipped"
    with duckdb.connect(str(warehouse), read_only=True) as db:
        figures = db.execute(
            "select week_start, member, numerator from intermediate.int_metric_week "
            "where metric_id = 'enabled_shipped' order by all"
        ).fetchall()
        expected = db.execute(
            "from (select week_start, coalesce(mall_segment, 'mall') as member, count(*) "
            "filter (where is_shipped and is_oms_enabled) from intermediate.int_placed_sub_orders_week where is_mall "
            "group by grouping sets ((week_start), (week_start, mall_segment))) order by all"
        ).fetchall()
        [(place,)] = db.execute("select sql from marts.dim_metric where metric_id = 'enabled_shipped'").fetchall()
        judged = db.execute("from quality.gate_required_scopes where scope = 'enabled_shipped'").fetchall()
    assert figures == expected
    assert any(count for *_, count in figures)
    assert re.fullmatch(r"models/intermediate/brand/int_brand_measures_week\.sql:\d+", place)
    assert {rule for _, rule, _ in judged} == {"rates_in_bounds"}


def test_a_rule_more_is_an_entry_a_line_of_bounds_and_its_model(extended: tuple[Path, list[list[str]]]) -> None:
    warehouse, (*_, rules, bounded) = extended
    assert "hours_present" in rules
    assert "hours_present" in bounded
    with duckdb.connect(str(warehouse), read_only=True) as db:
        observed, required = (
            set(db.execute(f"select scope from quality.{table} where rule_id = 'hours_present'").fetchall())
            for table in ("gate_profile", "gate_required_scopes")
        )
    assert observed == required == {("oms_logs",), ("seller_orders",)}
