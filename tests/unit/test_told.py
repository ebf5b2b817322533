"""What a run tells of files: what was rejected and why, what replaced what, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.cli.forget import forget_files
from orchestration.cli.told import NewFiles, next_file, tell_files
from tests.ingest.ingest_kit import Place, logs, row


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home")


def told(place: Place, capsys: pytest.CaptureFixture[str], *sources: str) -> tuple[NewFiles, list[str]]:
    capsys.readouterr()
    since = next_file(place.home)
    for source in sources:
        place.ingest(source)
    new = tell_files(place.home, since)
    return new, capsys.readouterr().err.splitlines()


def test_each_new_file_with_rejected_records_is_named_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    bad = [
        row("seller_orders", ordered_at="08/07/2024", updated_at="08/07/2024"),
        row("seller_orders", sub_order_id="SO2", shipment_type="ship"),
        row("seller_orders", sub_order_id="SO3", ordered_at="?"),
        row("seller_orders", sub_order_id="SO4"),
    ]
    place.put("seller_orders/a.csv", bad)
    place.put("oms_logs/b.csv", logs("L1"))
    new, lines = told(place, capsys, "seller_orders", "oms_logs")
    assert new == NewFiles(2, is_refused=False)
    assert lines == [
        "inbox/seller_orders/a.csv: 3 of 4 records rejected: 1 bad_type (ordered_at), 1 bad_type (ordered_at, "
        "updated_at), 1 not_in_set (shipment_type)",
        "Read 2 new files: 2 records landed, 3 rejected, 0 dropped as duplicates",
    ]
    assert told(place, capsys, "seller_orders") == (NewFiles(0, is_refused=False), [])


@pytest.mark.parametrize("content", [b"x\n1\n", logs("L1", attempt="0")], ids=["unreadable", "rejected whole"])
def test_a_file_of_which_nothing_can_be_used(place: Place, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    place.put("oms_logs/a.csv", content)
    assert told(place, capsys, "oms_logs")[0] == NewFiles(1, is_refused=True)
    assert told(place, capsys, "oms_logs")[0] == NewFiles(0, is_refused=False), "it is told once"


def test_an_empty_file_is_no_fault(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.put("oms_logs/a.jsonl", b"")
    assert told(place, capsys, "oms_logs")[0] == NewFiles(1, is_refused=False)


def test_what_is_left_out_and_what_was_replaced(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.adapter("orders/x.sql", "select 1")
    sql = "select log_id, * exclude (log_id) from read_csv('shop/a.csv', all_varchar = true)"
    place.put("shop/a.csv", logs("L1"))
    place.put("oms_logs/b.csv", logs("L1"))
    for content in (sql, sql + " -- mended"):
        place.adapter("oms_logs/shop.sql", content)
        new, lines = told(place, capsys, "oms_logs")
    assert (new, len(lines)) == (NewFiles(1, is_refused=False), 3)
    assert lines[0] == (
        "adapters/oms_logs/shop.sql: its SQL has changed: what it brought before is replaced (0 landed, 0 rejected)"
    )
    assert lines[1].startswith("Not used: adapters/orders/x.sql: there is no source orders; sources: oms_logs, ")
    forget_files(place.home, ["oms_logs/b.csv"])
    new, lines = told(place, capsys, "oms_logs")
    assert new.files == 0, "what is read again is no new file"
    assert "Forgotten, so not read: inbox/oms_logs/b.csv. Correct it, or move it away." in lines


def test_what_came_of_a_source_is_refused_as_a_whole(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """However it is parted into files; what came with another run is no excuse."""
    place.put("oms_logs/a.csv", logs("L1"))
    place.put("oms_logs/b.csv", logs("L2", logged_at="08/07/2024"))
    assert told(place, capsys, "oms_logs")[0] == NewFiles(2, is_refused=False)
    place.put("oms_logs/c.csv", logs("L3", logged_at="08/07/2024"))
    place.put("oms_logs/d.csv", logs("L4", logged_at="08/07/2024"))
    assert told(place, capsys, "oms_logs")[0] == NewFiles(2, is_refused=True)
