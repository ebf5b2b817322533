"""The worked example on real orders: the published figures equal a second count over the original CSVs."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metric_store.reading import open_store
from orchestration.ingest.ledger import Ledger
from tests.conftest import PROJECT, made_once, run, shared
from tests.olist.independent_count import SEGMENTS, independent_count

WEEKS = (date(2017, 11, 20), date(2018, 2, 5))


def published(home: Path, week: date) -> dict[str, Any]:
    """o2d_ratio by mall and segment, shipping_on_time_rate by seller: (numerator, denominator, value)."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        o2d = store.execute(
            "select member, numerator, denominator, value from marts.fct_metric_week "
            "where metric_id = 'o2d_ratio' and week_start = ?",
            [week],
        ).fetchall()
        on_time = store.execute(
            "select seller_id, numerator, denominator, value from marts.fct_seller_rating_week "
            "where kpi_id = 'shipping_on_time_rate' and week_start = ?",
            [week],
        ).fetchall()
    return {
        "o2d_ratio": {row[0]: row[1:] for row in o2d},
        "shipping_on_time_rate": {row[0]: row[1:] for row in on_time},
    }


def counted(figures: dict[str, Any]) -> dict[str, Any]:
    """The second count in the same form."""

    def row(rate: dict[str, Any]) -> tuple[Any, ...]:
        return rate["numerator"], rate["denominator"], rate["value"]

    return {
        "o2d_ratio": {member: row(figures["o2d_ratio"][member]) for member in ("mall", *SEGMENTS)},
        "shipping_on_time_rate": {
            seller: row(rate) for seller, rate in figures["shipping_on_time_rate"]["sellers"].items()
        },
    }


@pytest.fixture(scope="module")
def olist() -> Path:
    return shared("data", "olist")


@pytest.fixture(scope="module")
def home(olist: Path, shared_folder: Path) -> Path:
    def make(home: Path) -> None:
        shutil.copytree(olist, home / "inbox" / "olist")
        shutil.copytree(PROJECT / "docs" / "olist" / "adapters", home / "adapters")
        for week in WEEKS:
            ended = run(home, week.isoformat())
            assert ended.status == 0, ended.text

    return made_once(shared_folder, "olist", make)


@pytest.fixture(scope="module")
def second_count(olist: Path) -> dict[str, Any]:
    return independent_count(olist, WEEKS)


@pytest.mark.parametrize("week", WEEKS, ids=str)
def test_figures_equal_the_second_count(week: date, home: Path, second_count: dict[str, Any]) -> None:
    found, expected = published(home, week), counted(second_count["weeks"][week])
    assert len(expected["shipping_on_time_rate"]) > 1000
    assert found == expected


def test_what_lands_equals_the_second_count(home: Path, second_count: dict[str, Any]) -> None:
    with Ledger(home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        landed = {file["source"]: file["landed"] for file in ledger.files()}
        assert ledger.quarantine_counts() == {}
    assert landed == {source: counts["rows"] for source, counts in second_count["landing"].items()}


def test_metrics_of_absent_sources_and_columns_have_no_rows(home: Path) -> None:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        metrics = {row[0] for row in store.execute("select distinct metric_id from marts.fct_metric_week").fetchall()}
        rules = {row[0] for row in store.execute("select distinct rule_id from marts.fct_data_quality_week").fetchall()}
    assert metrics == {"o2d_ratio", "sla_breach_cancellation_rate"}
    assert "null_request_id_rate" not in rules
    assert "days_present" in rules
