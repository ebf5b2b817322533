"""Which metrics aren't measured: the list of deciding columns, and what the landed files lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.measured import absent_columns, deciding_columns, not_measured
from tests.ingest.ingest_kit import Place, row, without


def test_listed_columns_are_optional_columns_of_the_contract() -> None:
    for metric, columns in deciding_columns().items():
        for source, column in columns:
            assert not SOURCES_BY_NAME[source].column(column).required, f"{metric}: every file has {source}.{column}"


def test_a_line_names_the_metric_and_every_column_that_no_file_has() -> None:
    lines = not_measured({"seller_orders": {"returned_at", "delivered_at", "item_value"}, "tickets": {"topic"}})
    said = "(no file of seller_orders has delivered_at; no file of seller_orders has returned_at)"
    assert lines == [
        "not measured: claims_rate (no file of seller_orders has delivered_at)",
        f"not measured: return_rate {said}",
        f"not measured: global_return_rate {said}",
        "not measured: delivery_kept_rate (no file of seller_orders has delivered_at)",
    ]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def absent(place: Place) -> dict[str, set[str]]:
    place.ingest("tickets")
    with Ledger(place.home.ledger, read_only=True) as ledger:
        return absent_columns(ledger)


BARE = without(row("tickets"), "resolved_at")


def test_a_column_is_absent_until_one_file_has_it_empty_or_not(place: Place) -> None:
    assert absent(place) == {}, "nothing is known of a source that never landed"
    place.put("tickets/a.csv", [BARE])
    place.put("tickets/b.jsonl", [{**BARE, "ticket_id": "T2", "topic": None}])
    assert absent(place) == {"tickets": {"resolved_at"}}
    place.put("tickets/c.csv", [row("tickets", ticket_id="T3", resolved_at=None)])
    assert absent(place) == {}


def test_a_file_that_shows_no_column_or_can_not_be_read_has_none(place: Place) -> None:
    place.put("tickets/a.csv", [BARE])
    place.put("tickets/b.jsonl", b"")
    place.put("tickets/c.csv", [without(row("tickets", topic="x"), "seller_id")])
    assert absent(place) == {"tickets": {"resolved_at", "topic"}}
    place.put("tickets/d.csv", b"ticket_id,seller_id,channel,topic,raised_at,updated_at\n")
    assert absent(place) == {"tickets": {"resolved_at"}}, "a head is enough"
