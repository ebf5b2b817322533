"""A home whose orders lack columns: what they decide isn't measured, and everything that shows figures says so."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from metric_store.reading import open_store
from metric_store.sql import sql_text
from tests.conftest import Ended, evidence_of, made_once, metric_store, run, small_sample

WEEK = "2026-01-05"
#: Of the grade, the rating and the brand metrics one each; the limit needs the last one, too.
GONE = ("estimated_delivery_days", "returned_at", "cancellation_reason")
NOT_MEASURED = {
    "sla_breach_cancellation_rate",
    *("return_rate", "global_return_rate"),
    *("ovl_cancellation_rate", "ovl_on_time_rate"),
    *("shipment_in_target_duration", "seller_related_delivery_problems"),
}
LINE = "not measured: return_rate (no file of seller_orders has returned_at)"


@pytest.fixture(scope="session")
def bare_home(shared_folder: Path) -> Path:
    def make(home: Path) -> None:
        small_sample(home, weeks=1)
        with duckdb.connect() as db:
            for file in (home / "inbox" / "seller_orders").iterdir():
                rows = f"from read_csv({sql_text(str(file))}, all_varchar = true)"
                db.execute(f"create or replace table kept as select * exclude ({', '.join(GONE)}) {rows}")
                db.execute(f"copy kept to {sql_text(str(file))} (format csv, header true, compression gzip)")
        ended = run(home)
        assert ended.status == 0, ended.text
        (home / "run.txt").write_text(ended.out)

    return made_once(shared_folder, "bare", make)


def shown(home: Path, *arguments: str) -> Ended:
    return metric_store(*arguments, "--home", home)


def test_metrics_without_a_deciding_column_have_no_rows(bare_home: Path) -> None:
    with open_store(bare_home / "published" / "metric_store.duckdb") as store:
        figures = store.execute(
            "select metric_id from marts.fct_metric_week union select kpi_id from marts.fct_seller_rating_week "
            "union select metric_id from marts.fct_seller_grade_metric_week"
        ).fetchall()
        assert {"o2d_ratio", "rejection_rate", "seller_cancel_rate"} <= {metric for (metric,) in figures}
        assert not NOT_MEASURED & {metric for (metric,) in figures}
        for table in ("fct_seller_operational_week", "fct_seller_ovl_week"):
            assert store.execute(f"select count(*) from marts.{table}").fetchall() == [(0,)]
        grades = store.execute("select distinct is_partial, final_grade is null from marts.fct_seller_grade_week")
        assert grades.fetchall() == [(True, False)]
        unmeasured = store.execute("select metric_id from marts.fct_unmeasured_metric_week").fetchall()
        assert {metric for (metric,) in unmeasured} == NOT_MEASURED
    evidence = {row[1] for rows in evidence_of(bare_home).values() for row in rows}
    assert evidence
    assert not NOT_MEASURED & evidence


def test_everything_that_shows_figures_names_the_metric_and_the_column(bare_home: Path) -> None:
    assert LINE in (bare_home / "run.txt").read_text().splitlines()
    assert LINE in shown(bare_home, "status").out.splitlines()
    assert LINE in json.loads(shown(bare_home, "status", "--json").out)["not_measured"]
    asked = shown(bare_home, "metric", "return_rate")
    assert (asked.status, asked.out, asked.err.splitlines()[0]) == (0, "", f"{WEEK}: {LINE}")
    page = (bare_home / "reports" / WEEK / "index.html").read_text()
    assert "Not measured: Return Rate.\nNo file has seller_orders.returned_at." in page
