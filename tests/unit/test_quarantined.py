"""Which rejected records have landed since under their key: put before the models as `inputs.quarantined`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from metric_store.sql import sql_text
from orchestration.cli.forget import forget_files
from orchestration.configuration import load_configuration
from orchestration.ingest.ledger import Ledger
from orchestration.transform.quarantine import put_quarantined
from orchestration.transform.warehouse import landed_relations
from orchestration.weeks.planning import plans_of, state_of
from tests.ingest.ingest_kit import Place, Row, row

WEEK = date(2024, 8, 5)
INGESTED = datetime(2024, 8, 8)  # in the week, which is that of records without event time


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def landed_since(place: Place) -> list[tuple[str, bool]]:
    """reason, has_landed_since of what may count in the week, in the order in which it was rejected."""
    with Ledger(place.home.ledger, read_only=True) as ledger, duckdb.connect() as db:
        db.execute("create schema inputs")
        db.execute("create table inputs.files (file_id bigint, read_order bigint)")
        db.executemany(
            "insert into inputs.files values (?, ?)", [(f["file_id"], f["read_order"]) for f in ledger.files()]
        )
        weeks = plans_of(state_of(ledger, {}), load_configuration(None), [WEEK])
        landed = landed_relations(place.home, ledger, [WEEK])
        put_quarantined(db, place.home, ledger, weeks, {relation.source: relation.paths for relation in landed})
        return db.execute("select reason, has_landed_since from inputs.quarantined order by source, file_id").fetchall()


def take(place: Place, source: str, **files: list[Row]) -> None:
    """Land files one by one: name -> rows."""
    for name, rows in files.items():
        place.put(f"{source}/{name.replace('_', '.')}", rows)
        place.ingest(source, INGESTED)


BROKEN, SOUND = row("packages", order_id=None), row("packages")


def test_a_corrected_record_that_lands_from_a_later_file_counts_no_more(place: Place) -> None:
    take(place, "packages", a_csv=[BROKEN, row("packages", package_id="P2")])
    assert landed_since(place) == [("missing_required", False)]
    take(place, "packages", b_jsonl=[SOUND])
    assert landed_since(place) == [("missing_required", True)]


def test_what_landed_before_or_with_the_rejected_record_is_no_correction(place: Place) -> None:
    take(place, "packages", a_csv=[SOUND, BROKEN], b_csv=[{**BROKEN, "seller_id": "S2"}], c_csv=[SOUND])
    assert landed_since(place) == [("missing_required", False)] * 2


def test_a_file_that_is_read_again_keeps_its_place(place: Place) -> None:
    """Behind what was taken back it gets a later id, and still landed before the rejected record."""
    other = row("packages", package_id="P9")
    take(place, "packages", a_csv=[other], b_csv=[SOUND, other], c_csv=[BROKEN])
    assert landed_since(place) == [("missing_required", False)]
    forget_files(place.home, ["packages/a.csv"])
    with Ledger(place.home.ledger, read_only=True) as ledger:
        assert {row["path"]: row["file_id"] for row in ledger.files()} == {"b.csv": 4, "c.csv": 3}
    assert landed_since(place) == [("missing_required", False)]


def test_two_records_of_one_key_stay_a_contradiction(place: Place) -> None:
    take(place, "packages", a_csv=[SOUND], b_csv=[row("packages", order_id="O2")], c_csv=[SOUND])
    assert landed_since(place) == [("duplicate_key", False)]


@pytest.mark.parametrize(
    ("source", "column"), [("seller_orders", "sku_id"), ("claims", "sub_order_id"), ("sellers", "seller_name")]
)
def test_any_later_version_of_a_thing_will_do(place: Place, source: str, column: str) -> None:
    broken = row(source, **{column: None})
    take(place, source, a_csv=[broken], b_csv=[row(source, updated_at="2024-08-09 10:00:00")])
    assert landed_since(place) == [("missing_required", True)]


def test_a_key_of_several_columns_is_compared_as_it_is_read(place: Place) -> None:
    broken = row("inventory_snapshots", quantity="many", snapshot_at="2024-08-07T12:00:00+02:00", sku_id=" K1 ")
    other = row("inventory_snapshots", quantity="many", snapshot_at="2024-08-07T12:00:00Z")
    take(place, "inventory_snapshots", a_csv=[broken], b_csv=[other], c_jsonl=[row("inventory_snapshots")])
    assert landed_since(place) == [("bad_type", True), ("bad_type", False)]


def test_without_a_readable_key_nothing_can_be_a_correction(place: Place) -> None:
    take(place, "packages", a_csv=[row("packages", package_id=None)], b_csv=[SOUND])
    assert landed_since(place) == [("missing_required", False)]


def test_a_record_of_another_week_is_left_out(place: Place) -> None:
    take(place, "packages", a_csv=[BROKEN, {**BROKEN, "shipped_at": "2024-07-01"}, {**BROKEN, "shipped_at": "x"}])
    assert len(landed_since(place)) == 2, "one whose event time can't be read is of the week of its ingestion"


def test_a_quarantine_of_an_earlier_release_has_no_keys(place: Place) -> None:
    take(place, "packages", a_csv=[BROKEN], b_csv=[SOUND])
    (file,) = place.home.quarantine.glob("packages/*.parquet")
    with duckdb.connect() as db:
        db.execute(f"create table kept as select * exclude (record_key) from read_parquet({sql_text(str(file))})")
        db.execute(f"copy kept to {sql_text(str(file))} (format parquet)")
    assert landed_since(place) == [("missing_required", False)]
