"""The conformance cases: published tables equal, cell by cell, those that an independent program computed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from metric_store.reading import open_store
from orchestration.ingest.ledger import Ledger
from tests.conftest import check_evidence_counts, home_of_case, run, shared

TABLES = (
    "dim_metric",
    "dim_seller",
    "fct_metric_week",
    "fct_o2d_maturity_week",
    "fct_failure_contribution_week",
    "fct_request_latency_week",
    "fct_request_latency_day",
    "fct_manifest_call_day",
    "fct_retry_reason_week",
    "fct_null_request_id_week",
    "fct_seller_rating_week",
    "fct_seller_operational_week",
    "fct_seller_ovl_week",
    "fct_metric_evidence_week",
    "fct_seller_grade_metric_week",
    "fct_seller_grade_week",
    "fct_inventory_sync_week",
    "fct_promise_week",
    "fct_oms_readiness_week",
    "fct_metric_change_week",
    "fct_metric_driver_week",
    "fct_o2d_settling_week",
    "fct_seller_recovery_week",
    "fct_incident_impact_week",
)

CASES = ("case-1", "case-2")


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def conformance_case(case: str) -> Path:
    return shared("conformance", case)


@pytest.fixture(scope="module")
def conformance_home(shared_folder: Path, case: str) -> Path:
    return home_of_case(shared_folder, case)


def builds(home: Path) -> list[tuple]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute("select week_start, build_id, is_current from marts.publication order by all").fetchall()


def test_the_run_ends_well(conformance_home: Path) -> None:
    """With 0: of some files every record is bad, but others of their sources came with them."""
    said = (conformance_home / "run.txt").read_text()
    assert (conformance_home / "status.txt").read_text() == "0", said
    assert "inbox/products/zzz-bad.jsonl.gz: 1 of 1 records rejected" in said
    assert "Withheld" not in said
    assert len(builds(conformance_home)) == 8


def test_quarantine_is_as_expected(conformance_home: Path, conformance_case: Path) -> None:
    with Ledger(conformance_home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        assert ledger.quarantine_counts() == json.loads((conformance_case / "expected_quarantine.json").read_text())


def test_every_record_is_accounted_for(conformance_home: Path) -> None:
    with Ledger(conformance_home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        files = ledger.files()
    assert files
    for file in files:
        assert file["landed"] + file["quarantined"] + file["duplicates"] == file["rows_read"], file["path"]


@pytest.mark.parametrize("table", TABLES)
def test_published_table_equals_the_expectation(table: str, conformance_home: Path, conformance_case: Path) -> None:
    store = conformance_home / "published" / "metric_store.duckdb"
    compare = [
        sys.executable,
        str(conformance_case.parent / "compare.py"),
        str(conformance_case / "expected"),
        str(store),
    ]
    compared = subprocess.run([*compare, "--tables", table], capture_output=True, text=True, check=False)
    assert compared.returncode == 0, compared.stdout + compared.stderr


def test_evidence_has_as_many_rows_as_the_figures_say(conformance_home: Path) -> None:
    check_evidence_counts(conformance_home)


def test_running_again_changes_nothing(conformance_home: Path) -> None:
    before = builds(conformance_home)
    ended = run(conformance_home, "2024-08-05..2024-09-23")
    assert ended.status == 0, ended.text
    assert "Nothing to do" in ended.out
    assert builds(conformance_home) == before
