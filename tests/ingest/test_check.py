"""`metric-store check`: what it says of files and adapters is what a run does with them, and nothing lands."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from orchestration.cli.check import check
from orchestration.ingest.checking import CheckedFile, check_inbox
from orchestration.ingest.contracts import SOURCES, SOURCES_BY_NAME
from orchestration.ingest.intake import IngestContext, Sample
from orchestration.project import PROJECT_ROOT
from tests.conftest import metric_store
from tests.ingest.ingest_kit import NOW, Place, as_csv, logs, row, without

CONTEXT = IngestContext("check", NOW, "UTC", 3)
SMALL = Sample(text_bytes=2_000, rows=20)
MANY = logs(*(f"L{number:04d}" for number in range(100)))


def checked(place: Place, source: str, sample: Sample | None = None) -> list[CheckedFile]:
    return list(check_inbox(place.home, [SOURCES_BY_NAME[source]], replace(CONTEXT, sample=sample)))


def said(place: Place, capsys: pytest.CaptureFixture[str], *sources: str) -> tuple[bool, list[str]]:
    is_well = check(place.home, sources, reads_all=False)
    return is_well, capsys.readouterr().out.splitlines()


def test_it_counts_as_a_run_does_and_lands_nothing(place: Place) -> None:
    orders = [row("seller_orders", sub_order_id=f"K{n % 7}", quantity=str(n % 4)) for n in range(30)]
    place.put("seller_orders/a.csv", orders)
    place.put("seller_orders/b.jsonl", [*orders, row("seller_orders", sub_order_id="K9", shipment_type="ship")])
    place.put("seller_orders/c.parquet", [row("seller_orders", ordered_at="2030-01-01")])
    place.put("seller_orders/d.csv", b"x\n1\n")
    before = sorted(place.home.root.rglob("*"))
    found = checked(place, "seller_orders")
    assert sorted(place.home.root.rglob("*")) == before

    def counts(records):
        columns = ("path", "status", "error", "landed", "duplicates", "reasons", "event_weeks")
        return [[getattr(record, name) for name in columns] for record in records]

    assert counts(file.record for file in found) == counts(place.ingest("seller_orders"))
    assert [example.row for example in found[0].examples if example.reason == "bad_type"] == [1, 5, 9]
    assert [file.is_refused for file in found] == [False, False, True, True]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".parquet"])
def test_a_sample_of_a_large_file(place: Place, ending: str) -> None:
    place.put(f"oms_logs/a{ending}", MANY)
    (sample,) = checked(place, "oms_logs", SMALL)
    assert 5 < sample.record.landed == sample.record.rows_read < 50
    assert sample.record.is_sample
    (whole,) = checked(place, "oms_logs")
    assert (whole.record.landed, whole.record.is_sample) == (100, False)


def test_a_sample_ends_behind_a_whole_record(place: Place) -> None:
    reason = "first line\nsecond line, " + "x" * 150
    place.put("oms_logs/a.csv", logs(*(f"L{n}" for n in range(40)), failure_reason=reason))
    (sample,) = checked(place, "oms_logs", SMALL)
    assert (sample.record.status, sample.record.is_sample) == ("landed", True)


def test_what_an_analyst_has_to_know_of_a_file(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    record = {**without(row("seller_orders"), "shipped_at"), "shiped_at": "2024-08-08", "colour": "red"}
    rows = [
        record,
        {**record, "sub_order_id": "SO2", "shipment_type": "Drop", "ordered_at": "13/08/2024"},
        {**record, "sub_order_id": "SO3", "shipment_type": "Drop"},
    ]
    place.put("seller_orders/a.csv", rows)
    is_well, lines = said(place, capsys)
    assert is_well
    assert lines[0] == "seller_orders/a.csv: CSV, 3 records"
    for line in (
        "  unknown: shiped_at, colour",
        "  shiped_at: did you mean shipped_at?",
        "  1 land, in 2024-08-05 (1)",
        "  2 rejected: 1 bad_type, 1 not_in_set",
        "    not_in_set, shipment_type: 2 records; found 'Drop' (2); wanted cross_docking, drop_shipping, "
        "fulfillment_by",
    ):
        assert line in lines
    assert any(line.endswith("in an adapter, strptime(..., '%d/%m/%Y') reads it") for line in lines)
    assert any(line.startswith("    row 2, bad_type, ordered_at: {") for line in lines)
    assert any(line.startswith("In no file of seller_orders: user_id, pending_at") for line in lines)
    assert "Not measured: o2d_ratio (no file of seller_orders has shipped_at)" in lines
    assert not [line for line in lines if line.startswith("Not measured: cancellation_rate ")], "it has cancelled_by"


def test_dates_without_a_time_are_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    orders = [
        row("seller_orders", sub_order_id=f"K{n}", shipped_at="2024-08-08", promised_ship_at=f"2024-08-0{n} 0{n}:00")
        for n in (1, 2)
    ]
    place.put("seller_orders/a.csv", orders)
    _, lines = said(place, capsys)
    [line] = [line for line in lines if "dates without a time" in line]
    assert line.startswith("  dates without a time: shipped_at; each counts as its midnight in UTC")


class TestAdapters:
    @pytest.fixture
    def olist(self, place: Place) -> Place:
        """The documented adapters over a handful of rows."""
        files = {
            "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
            "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date\n"
            "O1,C1,delivered,2018-01-30 10:00:00,2018-01-30 11:00:00,2018-01-31 10:00:00,,2018-02-10 00:00:00\n",
            "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value\n"
            "O1,1,P1,S1,2018-02-02 10:00:00,12.50,1\n",
            "customers": "customer_id,customer_unique_id\nC1,U1\n",
            "sellers": "seller_id,seller_zip_code_prefix\nS1,1\n",
        }
        for name, text in files.items():
            place.put(f"olist/olist_{name}_dataset.csv.gz", gzip.compress(text.encode()))
        for sql in (PROJECT_ROOT / "docs/olist/adapters").glob("*/*.sql"):
            place.adapter(f"{sql.parent.name}/olist.sql", sql.read_text())
        return place

    @staticmethod
    def plant(place: Place, source: str, right: str, wrong: str) -> str:
        """Put a mistake into an adapter; the beginning of what names its line."""
        file = place.home.adapters / source / "olist.sql"
        lines = file.read_text().splitlines()
        (number,) = [number for number, line in enumerate(lines) if right in line]
        lines[number] = lines[number].replace(right, wrong)
        file.write_text("\n".join(lines))
        return f"      adapters/{source}/olist.sql, line {number + 1}: {lines[number].strip()}"

    def test_the_documented_ones_land_whole(self, olist: Place, capsys: pytest.CaptureFixture[str]) -> None:
        is_well, lines = said(olist, capsys)
        assert is_well
        assert [line for line in lines if "rejected" in line or "can't" in line] == []
        at = lines.index("  first rows as they land:")
        assert '"shipped_at": "2018-01-31 10:00:00"' in lines[at + 1]
        assert any(line.startswith("No file of: oms_logs, claims") for line in lines)

    @pytest.mark.parametrize("misspelt", ["shipped_at", "sku_id"])
    def test_three_mistakes_in_one_are_all_named_with_their_lines(
        self, olist: Place, misspelt: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Each hides the others from the first rule that a record breaks; the required column hides all of them."""
        ordered = "orders.order_purchase_timestamp as ordered_at"
        local = ordered.replace("orders.order_purchase_timestamp", "'30/01/2018 10:00'")
        wrong = [
            self.plant(olist, "seller_orders", f" as {misspelt},", f" as {misspelt[1:]},"),
            self.plant(olist, "seller_orders", "'drop_shipping' as", "'dropship' as"),
            self.plant(olist, "seller_orders", ordered, local),
        ]
        is_well, lines = said(olist, capsys, "seller_orders")
        assert not is_well
        named = [line for line in lines if "olist.sql, line " in line]
        assert sorted(named) == sorted(
            line[: len(found)] for line, found in zip(sorted(wrong), sorted(named), strict=True)
        )
        assert f"  {misspelt[1:]}: did you mean {misspelt}?" in lines
        assert any("not_in_set, shipment_type: 1 records; found 'dropship' (1)" in line for line in lines)
        assert any("strptime(..., '%d/%m/%Y %H:%M')" in line for line in lines)

    def test_broken_ones_and_folders_that_are_no_source(self, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
        place.adapter("orders/x.sql", "select 1")
        place.adapter("claims/x.sql", "selec")
        is_well, lines = said(place, capsys)
        assert not is_well
        assert [line for line in lines if line.startswith("adapters/orders/x.sql: can't be used: there is no source")]
        assert [line for line in lines if line.startswith("  can't be read: not one SQL select")]


def test_how_it_ends(place: Place) -> None:
    empty = metric_store("check", "--home", place.home.root)
    assert (empty.status, empty.out) == (0, f"No file of: {', '.join(source.name for source in SOURCES)}\n")
    unknown = metric_store("check", "orders", "--home", place.home.root)
    assert unknown.status == 2
    assert "There is no source orders; sources: oms_logs, " in unknown.err
    place.put("packages/a.csv", [row("packages", shipped_at="soon")])
    assert metric_store("check", "packages", "--all", "--home", place.home.root).status == 3
    assert metric_store("check", "claims", "--home", place.home.root).status == 0


def test_archives_that_are_broken_and_empty_files(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.put("packages/a.csv.gz", gzip.compress(as_csv([row("packages")]))[:-3])
    place.put("packages/b.csv", b"")
    is_well, lines = said(place, capsys, "packages")
    assert not is_well
    assert [line for line in lines if "can't be read" in line] == [
        "  can't be read: broken gzip: Truncated compressed stream",
        "  can't be read: it is empty: there is no header",
    ]
