"""A file that was published and forgotten leaves the published tables as they are where it never was."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from tests.conftest import metric_store, run
from tests.soak.campaign import State, differing

pytestmark = pytest.mark.soak  # of the ingest alone: tests/ingest/test_ingest_taking_back.py


def test_a_published_file_that_is_forgotten(sample_home: Path, home_copy: Path) -> None:
    """It brings an order of another time, repeats others, and has bad records in a week in which nothing lands."""
    orders = _orders(sample_home)[:40]
    moved = {**orders[0], "sub_order_id": "X1", "order_id": "X1"}
    late = {**orders[0], "shipped_at": None, "delivered_at": None, "updated_at": "2026-01-09T00:00:00Z"}
    (home_copy / "inbox/seller_orders/mistake.jsonl").write_text(
        "".join(json.dumps(record) + "\n" for record in [moved, late, *orders])
    )
    (home_copy / "inbox/packages/mistake.csv").write_text(
        "package_id,order_id,seller_id,shipped_at\nX1,X1,,2026-01-07\n"
    )
    mistaken = run(home_copy)
    assert mistaken.status == 3, "all that came of packages is bad"
    assert "Withheld" not in mistaken.out
    before, meanwhile = State.of(sample_home), State.of(home_copy)
    assert "fct_metric_week" in differing(meanwhile.figures, before.figures)
    assert "fct_data_quality_week" in differing(meanwhile.figures, before.figures)
    forgotten = metric_store("forget", "seller_orders/mistake.jsonl", "packages/mistake.csv", "--home", home_copy)
    assert forgotten.status == 0, forgotten.text
    assert "Due: 2026-01-05..2026-01-19; metric-store run" in forgotten.out
    ended = run(home_copy)
    assert ended.status == 0, ended.text
    after = State.of(home_copy)
    assert set(differing(after.figures, before.figures)) <= {"publication", "fct_restatement"}
    assert after.evidence == before.evidence
    assert "Nothing to do" in run(home_copy).out


def _orders(home: Path) -> list[dict[str, str | None]]:
    with gzip.open(min((home / "inbox" / "seller_orders").rglob("*.csv.gz")), "rt") as file:
        return [{name: value or None for name, value in record.items()} for record in csv.DictReader(file)]
