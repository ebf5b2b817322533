"""Which column is meant: by its name, else but for case and outer blanks; what isn't listed is never read."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pyarrow as pa
import pytest

from orchestration.ingest.columns import BLANKS, match_columns
from orchestration.ingest.contracts import PACKAGES, SELLER_ORDERS
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.unreadable import UnreadableFileError
from tests.ingest.ingest_kit import Place, as_csv, as_jsonl, as_parquet, logs, row, without

NAMES = ["package_id", "order_id", "seller_id", "shipped_at"]
TABLES = [".parquet", ".csv", ".jsonl"]


def package(**renamed: str) -> dict[str, str]:
    """A record of `packages`, its columns in order, some under another name."""
    return {renamed.get(name, name): value for name, value in row("packages").items()}


class TestMatching:
    @pytest.mark.parametrize(
        "name", ["Shipped_At", "SHIPPED_AT", " shipped_at", "shipped_at\u3000", "\ufeffshipped_at"]
    )
    def test_case_and_outer_blanks_do_not_matter(self, name: str) -> None:
        assert match_columns(PACKAGES, [*NAMES[:3], name]).taken["shipped_at"] == 3

    @pytest.mark.parametrize("name", ["shipped at", "shipped-at", "shippedat", "\u00a0shipped\u00a0at"])
    def test_other_differences_do(self, name: str) -> None:
        with pytest.raises(UnreadableFileError, match=r"missing: shipped_at \(did you mean"):
            match_columns(PACKAGES, [*NAMES[:3], name])

    @pytest.mark.parametrize("names", [["SHIPPED_AT", *NAMES], [*NAMES, "Shipped_at", " shipped_at "]])
    def test_the_name_itself_goes_first(self, names: list[str]) -> None:
        columns = match_columns(PACKAGES, names)
        assert names[columns.taken["shipped_at"]] == "shipped_at"
        assert set(columns.ignored) == set(names) - set(NAMES)

    @pytest.mark.parametrize(
        ("names", "said"),
        [
            ([*NAMES, "shipped_at"], "shipped_at may be 'shipped_at' (column 4) and 'shipped_at' (column 5)"),
            ([*NAMES[:3], "Shipped_At", "SHIPPED_AT"], "'Shipped_At' (column 4) and 'SHIPPED_AT' (column 5)"),
            (["order_id ", "package_id", " order_id", *NAMES[2:]], "'order_id ' (column 1) and ' order_id' (column 3)"),
        ],
    )
    def test_two_of_a_kind(self, names: list[str], said: str) -> None:
        with pytest.raises(UnreadableFileError) as error:
            match_columns(PACKAGES, names)
        assert said in str(error.value)

    def test_columns_that_are_not_ours_may_repeat(self) -> None:
        assert match_columns(PACKAGES, ["x", *NAMES, "x", "X"]).ignored == ("x", "X")

    def test_missing_and_close_names(self) -> None:
        names = [column.name for column in SELLER_ORDERS.columns if column.required]
        columns = match_columns(SELLER_ORDERS, [*names, "shiped_at", "Confirmed At", "colour"])
        assert "delivered_at" in columns.missing
        assert columns.hints == {"shipped_at": "shiped_at", "confirmed_at": "Confirmed At"}

    def test_a_long_list_of_columns_stays_one_line(self) -> None:
        with pytest.raises(UnreadableFileError) as error:
            match_columns(PACKAGES, ["shiped_at", *(f"column\n{number}" for number in range(500))])
        said = str(error.value)
        assert said.startswith(
            "required column missing: package_id, order_id, seller_id, shipped_at (did you mean shiped"
        )
        assert "\n" not in said
        assert len(said) <= 400

    def test_blanks_are_those_of_unicode(self) -> None:
        white = {letter for letter in map(chr, range(0x110000)) if letter.isspace()}
        assert set(BLANKS) == (white - set("\x1c\x1d\x1e\x1f")) | {"\u200b", "\ufeff"}


class TestFiles:
    @pytest.mark.parametrize("ending", TABLES)
    def test_a_name_in_another_case_before_the_name_itself(self, place: Place, ending: str) -> None:
        place.put(f"packages/a{ending}", [{"SHIPPED_AT": "Y", "Shipped_At_1": "N", **package()}])
        file = place.only("packages")
        assert (file.landed, file.ignored_columns) == (1, "SHIPPED_AT, Shipped_At_1")
        assert str(place.landed("packages")[0]["shipped_at"]) == "2024-08-07 10:00:00"

    @pytest.mark.parametrize("ending", TABLES)
    def test_another_spelling_is_read(self, place: Place, ending: str) -> None:
        place.put(f"packages/a{ending}", [package(shipped_at="Shipped_At ", order_id="\u3000ORDER_ID")])
        file = place.only("packages")
        assert (file.landed, file.ignored_columns, file.missing_columns) == (1, "", "")
        assert list(place.landed("packages")[0]) == NAMES

    @pytest.mark.parametrize("ending", TABLES)
    def test_two_of_a_kind(self, place: Place, ending: str) -> None:
        place.put(f"packages/a{ending}", [{**package(shipped_at="Shipped_At"), "SHIPPED_AT": "2024-08-08"}])
        assert "'Shipped_At' (column 4) and 'SHIPPED_AT' (column 5)" in str(place.only("packages").error)

    def test_the_same_name_twice_in_parquet(self, place: Place) -> None:
        texts = [pa.array([value]) for value in package().values()]
        table = pa.table([*texts, pa.array(["2024-08-08"])], [*NAMES, "shipped_at"])
        sink = pa.BufferOutputStream()
        pa.parquet.write_table(table, sink)
        place.put("packages/a.parquet", sink.getvalue().to_pybytes())
        assert "'shipped_at' (column 4) and 'shipped_at' (column 5)" in str(place.only("packages").error)

    def test_the_same_name_twice_from_an_adapter(self, place: Place) -> None:
        place.put("shop/a.csv", as_csv([package()]))
        place.adapter("packages/a.sql", "select *, '2024-08-08' as shipped_at from read_csv('shop/a.csv')")
        assert "'shipped_at' (column 4) and 'shipped_at' (column 5)" in str(place.only("packages").error)

    def test_an_adapter_that_keeps_another_spelling(self, place: Place) -> None:
        place.put("shop/a.csv", as_csv([package(shipped_at="SHIPPED_AT")]))
        place.adapter("packages/a.sql", "select *, '2024-08-08' as shipped_at from read_csv('shop/a.csv')")
        file = place.only("packages")
        assert (file.landed, file.ignored_columns) == (1, "SHIPPED_AT (column 4)")
        assert place.landed("packages")[0]["shipped_at"].day == 8

    def test_keys_of_all_json_records_count(self, place: Place) -> None:
        records = [package(shipped_at="SHIPPED_AT"), package(package_id="PACKAGE_ID"), package()]
        place.put("packages/a.jsonl", as_jsonl(records))
        file = place.only("packages")
        assert (file.landed, file.ignored_columns) == (1, "SHIPPED_AT, PACKAGE_ID")
        assert place.reasons("packages") == 2 * ["missing_required"]

    def test_json_records_that_spell_a_key_in_two_ways(self, place: Place) -> None:
        place.put("packages/a.jsonl", as_jsonl([package(shipped_at="SHIPPED_AT"), package(shipped_at="Shipped_at")]))
        assert "'SHIPPED_AT' (column 4) and 'Shipped_at' (column 5)" in str(place.only("packages").error)

    def test_columns_that_are_not_ours_are_never_read(self, place: Place) -> None:
        types = {"thumbnail": pa.binary(), "tags": pa.list_(pa.binary()), "of": pa.struct({"shipped_at": pa.binary()})}
        extra = {"thumbnail": b"\x89PNG\xff", "tags": [b"\xff"], "of": {"shipped_at": b"\xff"}}
        place.put(
            "packages/a.parquet",
            as_parquet([{**extra, **package()}, {**extra, **package(), "package_id": "P3"}], types),
        )
        place.put("packages/b.parquet", as_parquet([{**extra, **package(), "shipped_at": "soon"}], types))
        place.put("packages/c.csv", as_csv([{"x": "?", **package(), "package_id": "P2"}]).replace(b"?", b"\xe9\xff"))
        first, second, third = place.ingest("packages")
        assert (first.landed, first.ignored_columns) == (2, "thumbnail, tags, of")
        assert (second.reasons, second.error) == ({"bad_type": 1}, None)
        assert third.landed == 1

    def test_missing_columns_and_hints_are_recorded(self, place: Place) -> None:
        record = {**without(row("seller_orders"), "shipped_at"), "shiped_at": "2024-08-08", "colour": "red"}
        place.put("seller_orders/a.csv", [record])
        place.only("seller_orders")
        with Ledger(place.home.ledger, read_only=True) as ledger:
            (file,) = ledger.files()
        assert file["ignored_columns"] == "shiped_at, colour"
        assert file["missing_columns"].split(", ")[:3] == ["user_id", "pending_at", "confirmed_at"]
        assert "shipped_at" in file["missing_columns"].split(", ")
        assert file["column_hints"] == "shiped_at: did you mean shipped_at?"


def test_a_ledger_whose_making_was_killed_is_read_as_empty_and_made(place: Place) -> None:
    place.home.ledger.parent.mkdir(parents=True)
    with closing(sqlite3.connect(place.home.ledger)) as db:
        db.execute("pragma journal_mode = wal")
    with Ledger(place.home.ledger, read_only=True) as ledger:
        assert (ledger.files(), ledger.next_file_id()) == ([], 1)
    place.put("oms_logs/a.csv", logs("L1"))
    assert place.only("oms_logs").landed == 1


def test_a_ledger_of_an_earlier_release_is_read_and_gets_the_columns(place: Place) -> None:
    place.put("oms_logs/a.csv", logs("L1"))
    place.only("oms_logs")
    with sqlite3.connect(place.home.ledger) as old:
        for name in ("missing_columns", "column_hints"):
            old.execute(f"alter table files drop column {name}")
    before = place.home.ledger.read_bytes()
    with Ledger(place.home.ledger, read_only=True) as ledger:
        assert [(file["path"], file["missing_columns"]) for file in ledger.files()] == [("a.csv", "")]
    assert place.home.ledger.read_bytes() == before
    place.put("oms_logs/b.csv", [without(record, "flow") for record in logs("L2")])
    assert "flow" in place.only("oms_logs").missing_columns.split(", ")
    assert place.ids("oms_logs") == ["L1", "L2"]
