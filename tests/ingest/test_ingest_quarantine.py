"""A bad record is kept as it came, with the first rule it breaks, its file and its row, and is counted once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from orchestration.ingest.contracts import SOURCES, SOURCES_BY_NAME
from tests.ingest.ingest_kit import FORMATS, NOW, Place, as_csv, as_parquet, logs, row, without

ACCEPTED_AT_MOST = "2024-09-02 00:00:00"  # a day after NOW
FUTURE = "2024-09-02 00:00:00.000001"


#: Source, values of a record, the first rule that it breaks, and the columns at fault.
BAD = [
    ("oms_logs", {"log_id": ""}, "missing_required", "log_id"),
    ("oms_logs", {"log_id": " ", "seller_id": None}, "missing_required", "log_id, seller_id"),
    ("oms_logs", {"logged_at": "yesterday"}, "bad_type", "logged_at"),
    ("oms_logs", {"attempt": "0"}, "bad_type", "attempt"),
    ("oms_logs", {"channel": "OMS"}, "not_in_set", "channel"),
    ("oms_logs", {"flow": "other"}, "not_in_set", "flow"),
    ("oms_logs", {"logged_at": FUTURE}, "future_event", "logged_at"),
    ("oms_logs", {"attempt": "10001"}, "bad_type", "attempt"),
    ("oms_logs", {"oms_client": " All "}, "reserved_name", "oms_client"),
    ("sellers", {"oms_client": "all"}, "reserved_name", "oms_client"),
    ("seller_orders", {"quantity": "0"}, "bad_type", "quantity"),
    ("seller_orders", {"estimated_delivery_days": "3651"}, "bad_type", "estimated_delivery_days"),
    ("seller_orders", {"item_value": "1000000000000.01"}, "bad_type", "item_value"),
    ("seller_orders", {"item_value": "-1000000000000.01"}, "bad_type", "item_value"),
    ("sellers", {"pending_to_shipped_hours": "8761"}, "bad_type", "pending_to_shipped_hours"),
    ("inventory_snapshots", {"quantity": "1000000001"}, "bad_type", "quantity"),
    ("inventory_snapshots", {"quantity": "-1000000001"}, "bad_type", "quantity"),
    ("seller_orders", {"estimated_delivery_days": "-1"}, "bad_type", "estimated_delivery_days"),
    ("seller_orders", {"item_value": "ten"}, "bad_type", "item_value"),
    ("seller_orders", {"cancelled_by": "nobody"}, "not_in_set", "cancelled_by"),
    ("sellers", {"mall_segment": "Anchor"}, "not_in_set", "mall_segment"),
    ("sellers", {"is_cross_border": "maybe"}, "bad_type", "is_cross_border"),
    ("sellers", {"pending_to_shipped_hours": "0"}, "bad_type", "pending_to_shipped_hours"),
    ("tickets", {"channel": "phone"}, "not_in_set", "channel"),
    ("products", {"logo_image_status": "ok"}, "not_in_set", "logo_image_status"),
    ("inventory_snapshots", {"system": "erp"}, "not_in_set", "system"),
    ("inventory_snapshots", {"quantity": "3.5"}, "bad_type", "quantity"),
]
#: Records that break none.
SOUND = [
    ("oms_logs", {"flow": ""}),
    ("oms_logs", {"logged_at": ACCEPTED_AT_MOST}),
    ("oms_logs", {"t1_received_at": "2024-08-07 11:00", "t2_sos_notified_at": "2024-08-07 10:00"}),
    ("seller_orders", {"shipped_at": "2024-08-01"}),
    ("seller_orders", {"promised_ship_at": "2030-01-01"}),
    ("seller_orders", {"estimated_delivery_days": "0"}),
    ("seller_orders", {"estimated_delivery_days": "3650", "item_value": "-1000000000000"}),
    ("oms_logs", {"attempt": "10000", "oms_client": "allegro"}),
    ("oms_logs", {"oms_client": "unknown"}),
    ("inventory_snapshots", {"quantity": "-1000000000"}),
    ("sellers", {"pending_to_shipped_hours": "8760", "oms_client": None}),
    ("inventory_snapshots", {"quantity": "-5"}),
    ("sellers", {"updated_at": "2030-01-01"}),  # no event time, so no future event
]


class TestReasons:
    @pytest.fixture(scope="class")
    def became(self, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, int], object]:
        """Source, file and row -> reason and columns of the bad records; whether it landed of the sound ones.

        All of a source come together, each with a key of its own.
        """
        place = Place(tmp_path_factory.mktemp("reasons") / "home")
        found: dict[tuple[str, str, int], object] = {}
        for source in {case[0] for case in (*BAD, *SOUND)}:
            for name, cases in (("bad.jsonl", BAD), ("sound.jsonl", SOUND)):
                own = "sku_id" if source == "inventory_snapshots" else SOURCES_BY_NAME[source].key[0]
                of_source = [case[1] for case in cases if case[0] == source]
                keys = (f"{name}-{number}" for number in range(len(of_source)))
                rows = [row(source, **{own: key, **values}) for key, values in zip(keys, of_source, strict=True)]
                if rows:
                    place.put(f"{source}/{name}", rows)
            place.ingest(source)
            for bad in place.rejected(source):
                found[source, bad["source_file"], bad["row_number"]] = (bad["reason"], bad["columns"])
            for record in place.landed(source):
                name, _, number = record[own].rpartition("-")
                found[source, name, int(number) + 1] = "landed"
        return found

    @pytest.mark.parametrize(("source", "values", "reason", "columns"), BAD)
    def test_each(
        self, became: dict[Any, object], source: str, values: dict[str, Any], reason: str, columns: str
    ) -> None:
        place = [case[1] for case in BAD if case[0] == source].index(values) + 1
        assert became[source, "bad.jsonl", place] == (reason, columns)

    @pytest.mark.parametrize(("source", "values"), SOUND)
    def test_none(self, became: dict[Any, object], source: str, values: dict[str, Any]) -> None:
        place = [case[1] for case in SOUND if case[0] == source].index(values) + 1
        assert became[source, "sound.jsonl", place] == "landed"

    def test_the_first_rule_of_the_table_wins(self, place: Place) -> None:
        worse = {"log_id": "L2", "flow": "other"}
        bad = [
            row("oms_logs", **worse, attempt="x", seller_id=None, logged_at=FUTURE),
            row("oms_logs", **worse, attempt="x", logged_at=FUTURE),
            row("oms_logs", **worse, oms_client="all", logged_at=FUTURE),
            row("oms_logs", log_id="L2", oms_client="all", logged_at=FUTURE),
            row("oms_logs", log_id="L1", logged_at=FUTURE),
            row("oms_logs", log_id="L2", logged_at=FUTURE),
        ]
        place.put("oms_logs/a.csv", logs("L1") + bad)
        place.only("oms_logs")
        expected = ["missing_required", "bad_type", "not_in_set", "reserved_name", "duplicate_key", "future_event"]
        assert place.reasons("oms_logs") == expected

    def test_a_record_from_the_future_stands_in_no_way(self, place: Place) -> None:
        """However the records are split into files, the same ones land."""
        rows = [*logs("L1", logged_at=FUTURE), *logs("L1"), *logs("L1", logged_at="2024-09-03")]
        place.put("oms_logs/a.csv", rows)
        for number, record in enumerate(rows):
            place.put(f"oms_logs/b/{number}.csv", [{**record, "log_id": "L2"}])
        place.ingest("oms_logs")
        assert place.ids("oms_logs") == ["L1", "L2"]
        assert place.reasons("oms_logs") == 2 * ["future_event", "duplicate_key"]

    def test_backwards_times_are_counted(self, place: Place) -> None:
        early = "2024-08-01"
        rows = [
            row("seller_orders", sub_order_id=f"S{n}", **{name: early})
            for n, name in enumerate(["shipped_at", "user_id"])
        ]
        place.put("seller_orders/a.jsonl", rows)
        assert place.only("seller_orders").backwards == 1
        place.put("oms_logs/a.csv", logs("L1", t1_received_at="2024-08-07 11:00", t5_label_sent_at="2024-08-07 10:00"))
        assert place.only("oms_logs").backwards == 1

    @pytest.mark.parametrize(
        "source", [source.name for source in SOURCES if source.name not in ("settlements", "flagged_users")]
    )
    def test_every_required_column(self, place: Place, source: str) -> None:
        (contract,) = (known for known in SOURCES if known.name == source)
        required = [column.name for column in contract.columns if column.required]
        place.put(f"{source}/a.jsonl", [row(source, **{name: None}) for name in required])
        assert place.only(source).reasons == {"missing_required": len(required)}
        assert [bad["columns"] for bad in place.rejected(source)] == required


class TestOriginals:
    @pytest.mark.parametrize("ending", FORMATS)
    def test_every_value_as_it_came(self, place: Place, ending: str) -> None:
        values = {
            "log_id": " L1  ",
            "seller_id": "a\"b'c,d\ne\\f",
            "flow": "únbekannt 🚚",
            "extra": '{"x": 1}',
            "attempt": "01",
        }
        place.put(f"oms_logs/a{ending}", [row("oms_logs", extra=None), row("oms_logs", **values)])
        assert place.only("oms_logs").reasons == {"not_in_set": 1}
        (bad,) = place.rejected("oms_logs")
        original = json.loads(bad["original"])
        extra = original.pop("extra", None)  # a line of JSON is kept whole, other columns of a table are never read
        assert extra == (values["extra"] if ending.startswith(".jsonl") else None)
        assert original == without(row("oms_logs", **values), "extra")
        assert (bad["source"], bad["source_file"], bad["row_number"]) == ("oms_logs", f"a{ending}", 2)
        assert (bad["event_at"], bad["ingested_at"]) == (datetime(2024, 8, 7, 10), NOW)

    def test_a_json_line_is_kept_to_the_letter(self, place: Place) -> None:
        line = '{"package_id":  "P1", "order_id": {"n": [1, 2.50]}, "seller_id": null, "shipped_at": "2024", "é": 1e2}'
        place.put("packages/a.jsonl", line.encode())
        place.only("packages")
        assert place.rejected("packages")[0]["original"] == line

    def test_typed_parquet(self, place: Place) -> None:
        bad = row("seller_orders", quantity=0, ordered_at=datetime(2024, 8, 7, 10, 0, 0, 5))
        place.put(
            "seller_orders/a.parquet", as_parquet([bad], {"quantity": pa.int64(), "ordered_at": pa.timestamp("us")})
        )
        place.only("seller_orders")
        original = json.loads(place.rejected("seller_orders")[0]["original"])
        assert (original["quantity"], original["ordered_at"]) == (0, "2024-08-07 10:00:00.000005")

    def test_an_unreadable_event_time_is_null(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1", logged_at="soon"))
        place.only("oms_logs")
        assert place.rejected("oms_logs")[0]["event_at"] is None

    def test_columns_named_like_ours_do_not_get_in_the_way(self, place: Place) -> None:
        names = ("reason", "rule", "columns", "content", "week", "original", "event_at", "place", "outcome")
        extra = dict.fromkeys(names, "x")
        place.put("packages/a.csv", [row("packages", seller_id="", **extra), *2 * [row("packages", **extra)]])
        file = place.only("packages")
        assert (file.landed, file.duplicates, file.quarantined) == (1, 1, 1)
        assert json.loads(place.rejected("packages")[0]["original"]) == row("packages", seller_id=None)

    def test_a_source_with_a_column_reason(self, place: Place) -> None:
        flag = {"user_id": "U1", "flagged_at": "2024-08-01", "reason": "fraud", "updated_at": "2024-08-01"}
        place.put("flagged_users/a.csv", [flag, {**flag, "reason": "other"}, {**flag, "user_id": ""}])
        place.only("flagged_users")
        assert place.reasons("flagged_users") == ["duplicate_key", "missing_required"]


class TestRepetition:
    """A record that is in quarantine already, value for value, is an exact duplicate."""

    BAD = (
        *logs("L1", attempt="0"),
        *logs("", attempt="1"),
        *logs("L2", logged_at="soon"),
        *logs("L3", logged_at=FUTURE),
    )

    @pytest.mark.parametrize("ending", FORMATS)
    def test_a_replayed_file_adds_nothing(self, place: Place, ending: str) -> None:
        place.put("oms_logs/a.csv", [*self.BAD, *logs("L4")])
        assert place.only("oms_logs").quarantined == 4
        place.put(f"oms_logs/b{ending}", [*logs("L4"), *reversed(self.BAD)])
        file = place.only("oms_logs")
        assert (file.rows_read, file.landed, file.quarantined, file.duplicates) == (5, 0, 0, 5)
        assert len(place.rejected("oms_logs")) == 4

    def test_within_a_file(self, place: Place) -> None:
        place.put("oms_logs/a.csv", [*self.BAD, *self.BAD])
        file = place.only("oms_logs")
        assert (file.quarantined, file.duplicates) == (4, 4)
        assert [bad["row_number"] for bad in place.rejected("oms_logs")] == [1, 2, 3, 4]

    def test_another_value_is_another_record(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1", attempt="0"))
        place.put("oms_logs/b.csv", logs("L1", attempt="-1"))
        place.put("oms_logs/c.csv", logs("L1", attempt="0", request_id="R2"))
        assert [file.quarantined for file in place.ingest("oms_logs")] == [1, 1, 1]

    def test_a_duplicate_key_that_comes_again(self, place: Place) -> None:
        place.put("oms_logs/a.csv", [*logs("L1"), *logs("L1", request_id="other")])
        place.only("oms_logs")
        place.put("oms_logs/b.csv", logs("L1", request_id="other"))
        assert (place.only("oms_logs").duplicates, place.reasons("oms_logs")) == (1, ["duplicate_key"])

    def test_a_quarantine_that_was_emptied(self, place: Place) -> None:
        place.put("oms_logs/a.csv", self.BAD)
        place.ingest("oms_logs")
        for file in (place.home.quarantine / "oms_logs").iterdir():
            file.unlink()
        place.put("oms_logs/b.csv", self.BAD)
        assert place.only("oms_logs").quarantined == 4

    def test_what_was_in_the_future_lands_when_it_is_not(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1", logged_at=FUTURE))
        assert place.only("oms_logs").reasons == {"future_event": 1}
        place.put("oms_logs/b.csv", logs("L1", logged_at=FUTURE))
        (file,) = place.ingest("oms_logs", now=datetime(2024, 9, 3))
        assert file.landed == 1


class TestKeys:
    def test_exact_duplicates_within_a_file_across_files_and_runs(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1", "L1", "L2"))
        place.put("oms_logs/b.jsonl", logs("L2", "L3"))
        assert [(file.landed, file.duplicates) for file in place.ingest("oms_logs")] == [(2, 1), (1, 1)]
        place.put("oms_logs/c.csv", logs("L3", "L1", "L4"))
        assert (place.only("oms_logs").landed, place.ids("oms_logs")) == (1, ["L1", "L2", "L3", "L4"])

    def test_what_landed_in_an_earlier_run_stays(self, place: Place) -> None:
        place.put("oms_logs/z.csv", logs("L1", request_id="first"))
        place.ingest("oms_logs")
        place.put("oms_logs/a.csv", logs("L1", "L1", request_id="second"))
        file = place.only("oms_logs")
        assert (file.reasons, file.duplicates) == ({"duplicate_key": 1}, 1)
        assert [record["request_id"] for record in place.landed("oms_logs")] == ["first"]

    def test_within_a_run_the_byte_order_of_paths_counts_then_the_row(self, place: Place) -> None:
        names = ["Z.csv", "a/b.csv", "a.csv", "a0.csv", "z.csv", "É.csv", "é.csv", "🚚.csv", "\uff0e.csv"]
        for name in reversed(names):
            place.put(f"oms_logs/{name}", logs("L1", "L1", request_id=name))
        files = place.ingest("oms_logs")
        assert [file.path for file in files] == sorted(names, key=str.encode)
        assert [record["request_id"] for record in place.landed("oms_logs")] == ["Z.csv"]
        place.put("oms_logs/rows.csv", [*logs("L2", request_id="first"), *logs("L2", request_id="second")])
        place.only("oms_logs")
        assert place.landed("oms_logs")[1]["request_id"] == "first"

    @pytest.mark.parametrize("source", ["sellers", "claims", "products", "tickets", "seller_orders"])
    def test_versions(self, place: Place, source: str) -> None:
        place.put(f"{source}/a.csv", [row(source), row(source, updated_at="2024-08-08"), row(source)])
        file = place.only(source)
        assert (file.landed, file.duplicates) == (2, 1)

    @pytest.mark.parametrize(
        ("source", "change"),
        [
            ("seller_orders", {"seller_id": "S2"}),
            ("tickets", {"channel": "agent_dashboard"}),
            ("sellers", {"seller_name": "Two"}),
            ("claims", {"verdict": "x"}),
            ("inventory_snapshots", {"quantity": "4"}),
        ],
    )
    def test_a_tie_on_the_version_with_other_content(self, place: Place, source: str, change: dict[str, str]) -> None:
        place.put(f"{source}/a.jsonl", [row(source), row(source, **change)])
        assert place.only(source).reasons == {"duplicate_key": 1}

    @pytest.mark.parametrize("name", ["snapshot_at", "seller_id", "sku_id", "system"])
    def test_each_part_of_a_key(self, place: Place, name: str) -> None:
        others = {"snapshot_at": "2024-08-07 10:00:01", "seller_id": "S2", "sku_id": "K2", "system": "marketplace"}
        place.put(
            "inventory_snapshots/a.csv",
            [row("inventory_snapshots"), row("inventory_snapshots", **{name: others[name]})],
        )
        assert place.only("inventory_snapshots").landed == 2

    def test_content_is_compared_as_typed(self, place: Place) -> None:
        same = row("seller_orders", item_value="10.5", ordered_at="2024-08-07T12:00+02:00", quantity="1.0", user_id=" ")
        place.put("seller_orders/a.csv", [row("seller_orders")])
        place.put("seller_orders/b.csv", [{**same, "something_new": "x"}])
        assert [file.duplicates for file in place.ingest("seller_orders")] == [0, 1]

    def test_unknown_columns_are_no_content(self, place: Place) -> None:
        place.put("oms_logs/a.csv", [{**logs("L1")[0], "x": "1"}, {**logs("L1")[0], "x": "2"}])
        assert place.only("oms_logs").duplicates == 1

    def test_a_key_in_another_week(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/b.csv", logs("L1", logged_at="2024-06-01"))
        assert place.ingest("oms_logs")[1].reasons == {"duplicate_key": 1}

    def test_long_keys_with_the_same_start(self, place: Place) -> None:
        start = "x" * 5000
        for number, end in enumerate(("b", "a", "c", "b", "é", "\U0001f69a")):
            place.put(f"oms_logs/{number}.csv", logs(start + end, start[:number], start + end))
        place.put("oms_logs/9.csv", logs(*(start + end for end in "abcé\U0001f69a")))
        files = place.ingest("oms_logs")
        assert sum(file.landed for file in files) == 5 + 5
        assert files[-1].duplicates == 5

    def test_late_records_land_in_their_own_week_and_are_counted(self, place: Place) -> None:
        from datetime import date

        place.put("oms_logs/a.csv", [*logs("L1"), *logs("L2", logged_at="2024-08-20")])
        (file,) = place.ingest("oms_logs", published=[date(2024, 8, 5)])
        assert (file.late, file.event_weeks) == (1, {date(2024, 8, 5): 1, date(2024, 8, 19): 1})

    def test_a_file_whose_columns_are_not_all_there_compares_them_as_null(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/b.csv", [without(logs("L1")[0], "request_id")])
        place.put("oms_logs/c.csv", as_csv([{**logs("L1")[0], "failure_reason": ""}]))
        assert [file.reasons or file.duplicates for file in place.ingest("oms_logs")] == [0, {"duplicate_key": 1}, 1]
