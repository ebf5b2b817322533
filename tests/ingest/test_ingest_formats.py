"""Every format lands the same records, typed as the contract says, whatever types a Parquet file has."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from orchestration.ingest.contracts import OMS_LOGS, SELLER_ORDERS, SOURCES_BY_NAME
from orchestration.ingest.model import Source
from tests.ingest.ingest_kit import FORMATS, Place, Row, as_csv, as_jsonl, as_parquet, encoded, logs, row, without


def typed(source: Source, record: dict[str, Any]) -> dict[str, Any]:
    return {column.name: record[column.name] for column in source.columns}


class TestEveryFormat:
    @pytest.mark.parametrize("ending", FORMATS)
    def test_lands_the_same_rows(self, place: Place, ending: str) -> None:
        rows = [
            row("seller_orders", sub_order_id=" SO1 ", ordered_at="2024-08-07T12:00:00.5+02:00", item_value="1.239"),
            row("seller_orders", sub_order_id='Ünïcode, "quoted"', cancelled_at="2024-08-08", user_id=""),
        ]
        rows = [{**record, "user_id": record.get("user_id", "  ")} for record in rows]
        place.put(f"seller_orders/a{ending}", rows)
        assert place.only("seller_orders").landed == 2
        first, second = (typed(SELLER_ORDERS, record) for record in place.landed("seller_orders"))
        assert first["sub_order_id"] == "SO1"
        assert first["ordered_at"] == datetime(2024, 8, 7, 10, 0, 0, 500000)
        assert first["item_value"] == Decimal("1.24")
        assert first["user_id"] is None
        assert second["sub_order_id"] == 'Ünïcode, "quoted"'
        assert second["cancelled_at"] == datetime(2024, 8, 8)
        assert second["delivered_at"] is None

    def test_the_same_record_in_another_format_is_a_duplicate(self, place: Place) -> None:
        for number, ending in enumerate(FORMATS):
            place.put(f"oms_logs/{number}{ending}", logs("L1", "L2"))
        assert [(file.landed, file.duplicates) for file in place.ingest("oms_logs")] == [(2, 0)] + 5 * [(0, 2)]

    @pytest.mark.parametrize("ending", FORMATS)
    def test_records_stay_in_the_order_of_the_file(self, place: Place, ending: str) -> None:
        place.put(f"oms_logs/a{ending}", logs(*(f"L{number:05d}" for number in range(9000))))
        place.only("oms_logs")
        assert place.ids("oms_logs") == [f"L{number:05d}" for number in range(9000)]

    @pytest.mark.parametrize("ending", FORMATS)
    def test_unknown_columns_are_named_once(self, place: Place, ending: str) -> None:
        place.put(f"oms_logs/a{ending}", [{**record, "extra": "x", "_row": "y"} for record in logs("L1", "L2")])
        assert sorted(place.only("oms_logs").ignored_columns.split(", ")) == ["_row", "extra"]
        assert place.ids("oms_logs") == ["L1", "L2"]

    def test_an_unknown_column_of_parquet_may_be_of_any_type(self, place: Place) -> None:
        """Whoever reads the footer must know no more of it than its name."""
        values = (
            *("interval 1 day", "uuid()", "'a'::enum('a')", "'101'::bit", "1::hugeint", "1::variant", "1::bignum"),
            *(
                "map{'a': 1}",
                "{'a': {'b': [1]}}",
                "union_value(a := 1)",
                "'x'::blob",
                "timestamp_ns '2026-01-01'",
                "null",
            ),
        )
        file = place.put("packages/a.parquet", [row("packages")])
        odd = ", ".join(f"{value} as odd_{number}" for number, value in enumerate(values))
        with duckdb.connect() as db:
            db.execute(f"create table wide as select *, {odd} from '{file}'")
            db.execute(f"copy wide to '{file}' (format parquet)")
        record = place.only("packages")
        assert (record.status, record.landed, record.error) == ("landed", 1, None)
        assert len(record.ignored_columns.split(", ")) == len(values)

    @pytest.mark.parametrize("name", ["file_row_number", "filename", "record #", "raw", "place", "week", "LOG_ID"])
    @pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
    def test_a_column_may_be_named_like_one_of_ours(self, place: Place, ending: str, name: str) -> None:
        place.put(f"oms_logs/a{ending}", [{name: "x", **logs("L1")[0]}, {name: "y", **logs("L2")[0]}])
        file = place.only("oms_logs")
        assert (file.status, place.ids("oms_logs")) == ("landed", ["L1", "L2"])

    @pytest.mark.parametrize("ending", FORMATS)
    def test_a_missing_required_column_rejects_the_file(self, place: Place, ending: str) -> None:
        place.put(f"oms_logs/a{ending}", [without(record, "channel", "attempt") for record in logs("L1")])
        file = place.only("oms_logs")
        has = "log_id, logged_at, event_name, request_id, oms_client, seller_id, sub_order_id, flow, call_status"
        said = f"required column missing: channel, attempt; the file has: {has}"
        assert (file.status, file.error) == ("failed", said)

    @pytest.mark.parametrize("ending", FORMATS)
    def test_optional_columns_may_be_missing(self, place: Place, ending: str) -> None:
        place.put(f"oms_logs/a{ending}", [without(record, "request_id", "flow") for record in logs("L1")])
        assert place.only("oms_logs").landed == 1
        assert place.landed("oms_logs")[0]["request_id"] is None

    def test_landed_files_hold_the_columns_of_the_contract(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.only("oms_logs")
        assert list(place.landed("oms_logs")[0]) == [c.name for c in OMS_LOGS.columns]

    def test_landed_weeks_are_utc_mondays(self, tmp_path: Path) -> None:
        place = Place(tmp_path / "home", zone="America/Sao_Paulo")
        times = ["2024-08-04 23:59:59.999999", "2024-08-05", "2024-08-11T21:00:00-03:00", "1970-01-01"]
        place.put("oms_logs/a.csv", [row("oms_logs", log_id=f"L{n}", logged_at=time) for n, time in enumerate(times)])
        file = place.only("oms_logs")
        assert [(part.week, part.rows) for part in file.partitions] == [
            (date(1969, 12, 29), 1),
            (date(2024, 7, 29), 1),
            (date(2024, 8, 5), 1),
            (date(2024, 8, 12), 1),
        ]
        assert all(week.weekday() == 0 for week in file.event_weeks)
        assert file.event_weeks[date(2024, 8, 5)] == 1  # Sunday evening in São Paulo
        assert file.event_weeks[date(2024, 7, 29)] == 2


TRIMMED = [
    ("x", "x"),
    ("  x\t", "x"),
    ("\u00a0x\u00a0", "x"),
    ("\u00a0x", "x"),
    ("x y", "x y"),
    ("é", "é"),
    (" é ", "é"),
    ("~", "~"),
    ("!", "!"),
    ("\u007f", "\u007f"),
    ("x\u00a0", "x"),
    ("\u3000x\u3000", "x"),
    ("\u200bx\ufeff\u2028", "x"),
    ("x\u3000y", "x\u3000y"),
    ("", None),
    (" \t ", None),
    ("\u3000\u200b\ufeff\u0085\u180e", "\u180e"),
    ("\u3000\u200b\ufeff\u0085", None),
    ("nan", "nan"),
    ("null", "null"),
    ("1521.0", "1521.0"),
    ("[x]", "[x]"),
]
BOOLEANS = [("TRUE", True), ("true", True), ("True", True), ("1", True), (" FALSE ", False), ("0", False)] + [
    (bad, "bad_type") for bad in ("yes", "2", "t", "1.0")
]
TIMESTAMPS = [
    ("2024-08-07T10:20:30Z", datetime(2024, 8, 7, 10, 20, 30)),
    ("2024-08-07 10:20:30", datetime(2024, 8, 7, 10, 20, 30)),
    (" 2024-08-07T10:20 ", datetime(2024, 8, 7, 10, 20)),
    ("2024-08-07", datetime(2024, 8, 7)),
    ("2024-08-07T10:20:30+05:30", datetime(2024, 8, 7, 4, 50, 30)),
    ("2024-08-07T10:20:30-0300", datetime(2024, 8, 7, 13, 20, 30)),
    ("2024-08-07 10:20+02", datetime(2024, 8, 7, 8, 20)),
    ("2024-08-07T10:20:30.123456789Z", datetime(2024, 8, 7, 10, 20, 30, 123456)),
    ("2024-08-07T24:00:00", datetime(2024, 8, 8)),
    ("1970-01-01", datetime(1970, 1, 1)),
    ("2199-12-31T23:59:59.9999999", datetime(2199, 12, 31, 23, 59, 59, 999999)),
    ("2024-08-07T10:20:30.9999999+05:30", datetime(2024, 8, 7, 4, 50, 30, 999999)),
] + [
    (bad, "bad_type")
    for bad in (
        *("07.08.2024", "2024-02-30", "2024-08-07T25:00", "1723024800", "infinity", "epoch", "now", "20240807"),
        *("2024-08-07T10:20:30 Europe/Berlin", "0000-01-01", "9999-12-31T23:59:59-01:00", "2024-8-7"),
        *("1969-12-31T23:59:59.999999", "1970-01-01T00:30+01:00", "2200-01-01", "2199-12-31T23:59:59-01:00"),
        *("2024-08-07T10:20:30+99:99", "2024-08-07T10:20:30+24:00", "2024-08-07T10:20:30-10:60"),
    )
]
WHOLE_NUMBERS = (
    [("1", 1), ("007", 7), ("3.0", 3), ("+2", 2), (" 5 ", 5)]
    + [("1000000", 1_000_000)]
    + [(bad, "bad_type") for bad in ("0", "-1", "1.5", "1e3", "x", "9" * 18, "9" * 30, "0.9", "NaN", "1000001")]
)
MONEY = [
    ("10", Decimal("10.00")),
    ("-.5", Decimal("-0.50")),
    ("1e2", Decimal("100.00")),
    ("0.005", Decimal("0.01")),
] + [(bad, "bad_type") for bad in ("1,5", "€5", "NaN", "inf", "1e400", "12345678901234567")]
WEEKDAYS = [("sun", "sun"), ("sun, SAT", "sat,sun"), ("none", "none"), ("fri,fri", "fri"), ("", None)] + [
    (bad, "not_in_set") for bad in ("sunday", "mon,tue,wed,thu,fri,sat,sun", "sun,", "none,sun", "1")
]
TYPED_TIMESTAMPS = [
    (pa.timestamp("us"), datetime(2024, 8, 7, 1), datetime(2024, 8, 7, 1)),
    (pa.timestamp("ms"), datetime(2024, 8, 7, 1), datetime(2024, 8, 7, 1)),
    (pa.timestamp("s"), datetime(2024, 8, 7, 1), datetime(2024, 8, 7, 1)),
    (pa.timestamp("ns"), datetime(2024, 8, 7, 1), datetime(2024, 8, 7, 1)),
    (pa.timestamp("us", "UTC"), datetime(2024, 8, 7, 1, tzinfo=UTC), datetime(2024, 8, 7, 1)),
    (pa.timestamp("ns", "UTC"), datetime(2024, 8, 7, 1, tzinfo=UTC), datetime(2024, 8, 7, 1)),
    (pa.timestamp("ns"), 1723024799_999_999_999, datetime(2024, 8, 7, 9, 59, 59, 999999)),
    (pa.timestamp("ns", "UTC"), 1723024799_999_999_999, datetime(2024, 8, 7, 9, 59, 59, 999999)),
    (pa.timestamp("ns"), -1, "bad_type"),
    (pa.timestamp("us"), -1, "bad_type"),
    (pa.timestamp("s"), 7258118400, "bad_type"),
    (pa.float64(), float("nan"), None),
    (pa.timestamp("us", "America/Sao_Paulo"), datetime(2024, 8, 7, 1, tzinfo=UTC), datetime(2024, 8, 7, 1)),
    (pa.date32(), date(2024, 8, 7), datetime(2024, 8, 7)),
    (pa.string(), "2024-08-07T01:00:00+01:00", datetime(2024, 8, 7)),
    (pa.large_string(), "2024-08-07", datetime(2024, 8, 7)),
    (pa.binary(), b"2024-08-07", datetime(2024, 8, 7)),
    (pa.int64(), 1723024800, "bad_type"),
    (pa.bool_(), True, "bad_type"),
]
TYPED_NUMBERS = [
    (pa.int32(), 3, 3),
    (pa.uint64(), 3, 3),
    (pa.float64(), 3.0, 3),
    (pa.float64(), 3.5, "bad_type"),
    (pa.float64(), float("nan"), "missing_required"),
    (pa.float64(), float("inf"), "bad_type"),
    (pa.uint64(), 2**64 - 1, "bad_type"),
    (pa.decimal128(10, 0), Decimal(3), 3),
    (pa.int64(), 0, "bad_type"),
    (pa.bool_(), True, "bad_type"),
]
TYPED_IDS = [
    (pa.int64(), 77, "77"),
    (pa.string(), " 77 ", "77"),
    (pa.binary(), " ü\u3000".encode(), "ü"),
    (pa.binary(), b"\xff", "bad_type"),
    (pa.binary(), b" ", "missing_required"),
    (pa.dictionary(pa.int8(), pa.string()), "x", "x"),
    (pa.uint64(), 2**64 - 1, "18446744073709551615"),
    (pa.float64(), 1521.0, "1521"),
    (pa.float32(), 1521.0, "1521"),
    (pa.float64(), -0.0, "0"),
    (pa.float64(), 1 - 2.0**53, "-9007199254740991"),
    (pa.float64(), 2.0**53, "bad_type"),  # 2^53 + 1 is the same number
    (pa.float64(), 1521.5, "bad_type"),
    (pa.float64(), float("inf"), "bad_type"),
    (pa.float64(), float("nan"), "missing_required"),
    (pa.decimal128(38, 0), Decimal("9" * 38), "9" * 38),
    (pa.decimal128(10, 2), Decimal("77.00"), "77"),
    (pa.decimal128(10, 2), Decimal("77.50"), "bad_type"),
    (pa.bool_(), True, "bad_type"),
    (pa.date32(), date(2024, 8, 7), "bad_type"),
    (pa.timestamp("us"), datetime(2024, 8, 7), "bad_type"),
    (pa.list_(pa.string()), ["x"], "bad_type"),
    (pa.struct({"x": pa.string()}), {"x": "y"}, "bad_type"),
]

#: Source, column, ending and values of the tests of texts.
TEXTS = (
    ("seller_orders", "user_id", ".jsonl", TRIMMED),
    ("sellers", "is_cross_border", ".csv", BOOLEANS),
    ("seller_orders", "shipped_at", ".csv", TIMESTAMPS),
    ("seller_orders", "quantity", ".csv", WHOLE_NUMBERS),
    ("seller_orders", "item_value", ".csv", MONEY),
    ("sellers", "weekend_days", ".jsonl", WEEKDAYS),
)


def became(place: Place, source: str) -> dict[str, Row]:
    """Run the ingest: by the first key column what each record became, as it landed or as it is in quarantine."""
    assert {file.status for file in place.ingest(source)} == {"landed"}, place.failures()
    key = SOURCES_BY_NAME[source].key[0]
    found = {record[key]: record for record in place.landed(source)}
    return found | {json.loads(bad["original"])[key]: bad for bad in place.rejected(source)}


class TestTexts:
    @pytest.fixture(scope="class")
    def landed(self, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
        """Column and text -> what becomes of it; the reason where its record is rejected.

        A column is read as it lies where no text in a file has to be trimmed, so those that have to be are in another.
        """
        place = Place(tmp_path_factory.mktemp("texts") / "home")
        keys: dict[str, tuple[str, str]] = {}
        for source, column, ending, texts in TEXTS:
            files: dict[str, list[Row]] = {}
            for came, _ in texts:
                key = f"K{len(keys)}"
                keys[key] = (column, came)
                is_clean = came.isascii() and came == came.strip()
                name = key if texts is TRIMMED else f"{column}-{is_clean}"
                record = row(source, **{SOURCES_BY_NAME[source].key[0]: key, column: came})
                files.setdefault(f"{source}/{name}{ending}", []).append(record)
            for name, records in files.items():
                place.put(name, records)
        found = became(place, "seller_orders") | became(place, "sellers")
        return {of: found[key].get("reason", found[key].get(of[0])) for key, of in keys.items()}

    @pytest.mark.parametrize(("came", "lands"), TRIMMED)
    def test_trimming(self, landed: dict[tuple[str, str], Any], came: str, lands: str | None) -> None:
        assert landed["user_id", came] == lands

    @pytest.mark.parametrize(("came", "lands"), BOOLEANS)
    def test_booleans(self, landed: dict[tuple[str, str], Any], came: str, lands: object) -> None:
        assert landed["is_cross_border", came] == lands

    @pytest.mark.parametrize(("came", "lands"), TIMESTAMPS)
    def test_timestamps(self, landed: dict[tuple[str, str], Any], came: str, lands: object) -> None:
        assert landed["shipped_at", came] == lands

    @pytest.mark.parametrize(("came", "lands"), WHOLE_NUMBERS)
    def test_whole_numbers(self, landed: dict[tuple[str, str], Any], came: str, lands: object) -> None:
        assert landed["quantity", came] == lands

    @pytest.mark.parametrize(("came", "lands"), MONEY)
    def test_money(self, landed: dict[tuple[str, str], Any], came: str, lands: object) -> None:
        assert landed["item_value", came] == lands

    @pytest.mark.parametrize(("came", "lands"), WEEKDAYS)
    def test_weekdays(self, landed: dict[tuple[str, str], Any], came: str, lands: str | None) -> None:
        assert landed["weekend_days", came] == lands


def numbered(cases: list[tuple[pa.DataType, object, object]]) -> list[tuple[int, object]]:
    return [(number, lands) for number, (_, _, lands) in enumerate(cases)]


def named(cases: list[tuple[pa.DataType, object, object]]) -> list[str]:
    return [f"{kind} {value!r:.30}" for kind, value, _ in cases]


class TestParquetTypes:
    @pytest.fixture(scope="class")
    def landed(self, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
        """Column and place among its cases -> what becomes of the value; each came in a file of its own."""
        place = Place(tmp_path_factory.mktemp("types") / "home")
        keys = {}
        for column, cases in (("shipped_at", TYPED_TIMESTAMPS), ("quantity", TYPED_NUMBERS), ("seller_id", TYPED_IDS)):
            for number, (kind, value, _) in enumerate(cases):
                keys[key := f"{column}-{number}"] = (column, number)
                record = row("seller_orders", sub_order_id=key, **{column: value})
                place.put(f"seller_orders/{key}.parquet", as_parquet([record], {column: kind}))
        found = became(place, "seller_orders")
        return {of: found[key].get("reason", found[key].get(of[0])) for key, of in keys.items()}

    @pytest.mark.parametrize(("number", "lands"), numbered(TYPED_TIMESTAMPS), ids=named(TYPED_TIMESTAMPS))
    def test_timestamps(self, landed: dict[tuple[str, int], Any], number: int, lands: object) -> None:
        assert landed["shipped_at", number] == lands

    @pytest.mark.parametrize(("number", "lands"), numbered(TYPED_NUMBERS), ids=named(TYPED_NUMBERS))
    def test_whole_numbers(self, landed: dict[tuple[str, int], Any], number: int, lands: object) -> None:
        assert landed["quantity", number] == lands

    @pytest.mark.parametrize(("number", "lands"), numbered(TYPED_IDS), ids=named(TYPED_IDS))
    def test_ids(self, landed: dict[tuple[str, int], Any], number: int, lands: object) -> None:
        assert landed["seller_id", number] == lands

    @pytest.mark.parametrize("column", ["user_id", "item_value", "shipped_at", "estimated_delivery_days"])
    def test_nan_among_numbers(self, place: Place, column: str) -> None:
        """The engine concludes from the statistics of a Parquet file that a column has no NaN."""
        values = [1.0, float("nan"), 2.0]
        records = [row("seller_orders", sub_order_id=f"S{n}", **{column: value}) for n, value in enumerate(values)]
        place.put("seller_orders/a.parquet", as_parquet(records, {column: pa.float64()}))
        place.only("seller_orders")
        landed = {record["sub_order_id"]: record[column] for record in place.landed("seller_orders")}
        assert landed["S1"] is None
        bad = ["S0", "S2"] if column == "shipped_at" else []
        assert [json.loads(record["original"])["sub_order_id"] for record in place.rejected("seller_orders")] == bad

    def test_other_types(self, place: Place) -> None:
        types = {"item_value": pa.float64(), "is_cross_border": pa.bool_()}
        place.put("seller_orders/a.parquet", as_parquet([row("seller_orders", item_value=0.1 + 0.2)], types))
        assert place.only("seller_orders").landed == 1
        assert place.landed("seller_orders")[0]["item_value"] == Decimal("0.30")
        place.put("sellers/a.parquet", as_parquet([row("sellers", is_cross_border=False)], types))
        assert place.only("sellers").landed == 1
        assert place.landed("sellers")[0]["is_cross_border"] is False

    def test_the_same_record_typed_or_as_text_is_a_duplicate(self, place: Place) -> None:
        types = {"shipped_at": pa.timestamp("ns", "Asia/Kolkata"), "quantity": pa.float64(), "item_value": pa.float32()}
        text = row("seller_orders", shipped_at="2024-08-07T06:30:00+05:30", quantity="1", item_value="10.5")
        exact = row("seller_orders", shipped_at=datetime(2024, 8, 7, 1, tzinfo=UTC), quantity=1.0, item_value=10.5)
        place.put("seller_orders/a.csv", [text])
        place.put("seller_orders/b.parquet", as_parquet([exact], types))
        assert [(file.landed, file.duplicates) for file in place.ingest("seller_orders")] == [(1, 0), (0, 1)]


class TestTextFiles:
    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("end_of_line", [b"\n", b"\r\n"])
    @pytest.mark.parametrize("last", [True, False])
    def test_byte_order_marks_and_ends_of_lines(
        self, place: Place, start: bytes, end_of_line: bytes, last: bool
    ) -> None:
        for name, content in (("a.csv", as_csv(logs("L1", "L2"))), ("b.jsonl", as_jsonl(logs("L3", "L4")))):
            content = start + content.replace(b"\n", end_of_line)
            place.put(f"oms_logs/{name}", content if last else content.removesuffix(end_of_line))
        table, lines = place.ingest("oms_logs")
        assert (table.status, table.landed) == ("landed", 2)
        if start:
            assert (lines.status, "byte order mark" in str(lines.error)) == ("failed", True)
        else:
            assert (lines.status, lines.landed) == ("landed", 2)

    def test_json_keeps_numbers_and_booleans(self, place: Place) -> None:
        record = row(
            "seller_orders", quantity=3, item_value=19.99, sub_order_id=12345678901234567890123, user_id=1521.0
        )
        place.put("seller_orders/a.jsonl", [record])
        place.put("sellers/a.jsonl", [row("sellers", is_cross_border=True)])
        assert place.only("seller_orders").landed == place.only("sellers").landed == 1
        landed = place.landed("seller_orders")[0]
        assert (landed["quantity"], landed["item_value"]) == (3, Decimal("19.99"))
        assert (landed["sub_order_id"], landed["user_id"]) == ("12345678901234567890123", "1521")
        assert place.landed("sellers")[0]["is_cross_border"] is True

    def test_json_records_may_differ_in_their_keys_and_lines_may_be_blank(self, place: Place) -> None:
        short = without(logs("L2")[0], "request_id", "flow")
        place.put("oms_logs/a.jsonl", as_jsonl([short]) + b"\n  \n" + as_jsonl(logs("L3")))
        assert place.only("oms_logs").landed == 2

    @pytest.mark.parametrize("line", [b"[1, 2]", b'"text"', b"3", b"null", b"{}"])
    def test_a_json_line_that_is_no_record_is_kept_in_quarantine(self, place: Place, line: bytes) -> None:
        place.put("oms_logs/a.jsonl", as_jsonl(logs("L1")) + line + b"\n")
        file = place.only("oms_logs")
        if file.status == "landed":
            assert (file.landed, file.reasons) == (1, {"missing_required": 1})
            assert place.rejected("oms_logs")[0]["original"] == line.decode()
        else:
            assert "JSON" in str(file.error)

    def test_several_gzip_members_are_one_file(self, place: Place) -> None:
        content = as_csv(logs("L1", "L2"))
        half = content.index(b"\n", content.index(b"L1")) + 1
        place.put("oms_logs/a.csv.gz", gzip.compress(content[:half]) + gzip.compress(content[half:]))
        file = place.only("oms_logs")
        assert file.landed == 2 or file.status == "failed"

    def test_blank_lines_of_csv_are_no_records(self, place: Place) -> None:
        place.put("oms_logs/a.csv", as_csv(logs("L1")) + b"\n" + as_csv(logs("L2")).split(b"\n", 1)[1] + b"\n\n")
        file = place.only("oms_logs")
        assert (file.rows_read, file.landed) == (2, 2)

    def test_header_names_are_trimmed(self, place: Place) -> None:
        place.put("packages/a.csv", b" package_id ,order_id, seller_id,shipped_at \nP1,O1,S1,2024-08-07\n")
        assert place.only("packages").landed == 1

    @pytest.mark.parametrize("ending", FORMATS)
    def test_a_wide_value(self, place: Place, ending: str) -> None:
        place.put(f"oms_logs/a{ending}", encoded(logs("L1", failure_reason="x" * 300_000), ending))
        assert place.only("oms_logs").landed == 1
        assert len(place.landed("oms_logs")[0]["failure_reason"]) == 300_000
