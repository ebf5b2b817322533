"""A case small enough to check by eye: what comes out of its raw files is what README.md derives from them by hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from metric_store.reading import evidence_relation, open_store
from tests.conftest import copy_tree, made_once, run

CASE = Path(__file__).parent
EXPECTED = CASE / "expected"
WEEKS = ("2025-03-03", "2025-03-10", "2025-03-17")
EVIDENCE = "fct_metric_evidence_week"
#: These hold texts of the catalogue, and what was built when and judged how.
NO_FIGURES = {"dim_metric", "publication", "fct_restatement", "fct_data_quality_week", "fct_gate_waiver_week"}


@pytest.fixture(scope="module")
def golden_home(shared_folder: Path) -> Path:
    def make(home: Path) -> None:
        for part in ("inbox", "config"):
            copy_tree(CASE / part, home / part)
        ended = run(home, f"{WEEKS[0]}..{WEEKS[-1]}")
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "golden", make)


@pytest.fixture(scope="module")
def store(golden_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published store, with the evidence of its weeks beside it as one more table."""
    path = golden_home / "published" / "metric_store.duckdb"
    with open_store(path) as store:
        weeks = " union all by name ".join(
            f"select * from {evidence_relation(store, path, date.fromisoformat(week))}" for week in WEEKS
        )
        store.execute(f"create temp view {EVIDENCE} as {weeks}")
        yield store


def test_every_table_with_figures_is_expected(store: duckdb.DuckDBPyConnection) -> None:
    published = store.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    assert {table for (table,) in published} - NO_FIGURES | {EVIDENCE} == {file.stem for file in EXPECTED.iterdir()}


@pytest.mark.parametrize("table", sorted(file.stem for file in EXPECTED.iterdir()))
def test_table_is_as_derived_by_hand(table: str, store: duckdb.DuckDBPyConnection) -> None:
    with (EXPECTED / f"{table}.csv").open(newline="") as file:
        header, *expected = list(csv.reader(file))
    schema = "temp" if table == EVIDENCE else "marts"
    found = store.sql(f"select coalesce(cast(columns(*) as varchar), '') from {schema}.{table}")
    assert sorted(found.columns) == sorted(header)
    assert sorted(found.project(", ".join(header)).fetchall()) == sorted(map(tuple, expected))
