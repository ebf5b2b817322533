"""JSON lines: what kind of value a key holds decides what it can be, in each column."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tests.ingest.ingest_kit import Place, as_jsonl, row


def landed(place: Place, column: str, *values: str) -> list[object]:
    """What becomes of JSON values of a column, in one file: the landed value, or the reason."""
    records = [as_jsonl([row("seller_orders", sub_order_id=f"S{n}", **{column: "?"})]) for n in range(len(values))]
    lines = [record.replace(b'"?"', value.encode()) for record, value in zip(records, values, strict=True)]
    place.put("seller_orders/a.jsonl", b"".join(lines))
    file = place.only("seller_orders")
    assert file.status == "landed", file.error
    found = {record["sub_order_id"]: record[column] for record in place.landed("seller_orders")}
    for bad in place.rejected("seller_orders"):
        assert bad["columns"] == column
        found[f"S{bad['row_number'] - 1}"] = bad["reason"]
    return [found[f"S{number}"] for number in range(len(values))]


TEXTS = {
    '"x"': "x",
    '"1521"': "1521",
    '"1521.0"': "1521.0",
    '"[x]"': "[x]",
    '"true"': "true",
    '"nan"': "nan",
    '"\\u3000a\\"b\\\\c\\n"': 'a"b\\c',
    '"\\u3000"': None,
    '""': None,
    "null": None,
    "NaN": None,
    "1521": "1521",
    "-7": "-7",
    "0": "0",
    "12345678901234567890123": "12345678901234567890123",
    "1521.0": "1521",
    "-0.0": "0",
    "1e3": "1000",
    "9007199254740991.0": "9007199254740991",
    "9007199254740992.0": "bad_type",
    "-9007199254740992.0": "bad_type",
    "1521.5": "bad_type",
    "1e400": "bad_type",
    "Infinity": "bad_type",
    "true": "bad_type",
    "false": "bad_type",
    "{}": "bad_type",
    '{"$oid": "66b0"}': "bad_type",
    "[]": "bad_type",
    '["K1"]': "bad_type",
}


def test_texts(place: Place) -> None:
    assert dict(zip(TEXTS, landed(place, "user_id", *TEXTS), strict=True)) == TEXTS


@pytest.mark.parametrize("value", ["true", "NaN", "{}", "[1]", "Infinity", "1.5"])
def test_one_that_is_no_text_among_many_that_are(place: Place, value: str) -> None:
    expected = None if value == "NaN" else "bad_type"
    assert landed(place, "user_id", '"a"', '"b"', value, '"c"') == ["a", "b", expected, "c"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("quantity", {"3": 3, "3.0": 3, '"3"': 3, "NaN": "missing_required", "true": "bad_type", "[3]": "bad_type"}),
        ("item_value", {"NaN": None, '"NaN"': "bad_type", "{}": "bad_type", "Infinity": "bad_type"}),
        ("shipped_at", {"NaN": None, '"2024-08-08"': datetime(2024, 8, 8), "2024": "bad_type", "[]": "bad_type"}),
        ("cancelled_by", {'"seller"': "seller", "1": "not_in_set", "[]": "bad_type"}),
    ],
)
def test_other_columns(place: Place, column: str, values: dict[str, object]) -> None:
    assert dict(zip(values, landed(place, column, *values), strict=True)) == values


@pytest.mark.parametrize("value", ['["sun"]', "true"])
def test_weekend_days_are_text(place: Place, value: str) -> None:
    place.put("sellers/a.jsonl", as_jsonl([row("sellers", weekend_days="?")]).replace(b'"?"', value.encode()))
    assert place.only("sellers").reasons == {"bad_type": 1}


class TestKeysHeldTwice:
    @pytest.mark.parametrize("column", ["shipped_at", "seller_id", "quantity", "item_value"])
    def test_the_record_is_rejected(self, place: Place, column: str) -> None:
        sound = as_jsonl([row("seller_orders", sub_order_id="S1")])
        for value in ("null", "3", '"2024-08-08"'):
            double = as_jsonl([row("seller_orders")]).replace(b"}\n", f', "{column}": {value}}}\n'.encode())
            place.put(f"seller_orders/{column}.jsonl", double + sound)
            file = place.only("seller_orders")
            assert file.reasons == {"bad_type": 1}
        assert place.ids("seller_orders") == ["S1"]
        assert [bad["columns"] for bad in place.rejected("seller_orders")] == 3 * [column]
        assert place.rejected("seller_orders")[0]["original"].count(column) == 2

    def test_a_key_that_is_not_listed_may_be(self, place: Place) -> None:
        line = as_jsonl([row("packages")]).replace(b"}\n", b', "x": 1, "x": 2}\n')
        place.put("packages/a.jsonl", line)
        assert place.only("packages").landed == 1

    def test_a_key_in_another_spelling_is_another(self, place: Place) -> None:
        place.put("packages/a.jsonl", as_jsonl([{**row("packages"), "Shipped_At": "2024-08-09"}]))
        assert (place.only("packages").landed, place.landed("packages")[0]["shipped_at"].day) == (1, 7)


def test_numbers_and_texts_meet(place: Place) -> None:
    """An id that one file writes as text and another as a number is the same id."""
    place.put("packages/a.csv", [row("packages", order_id="1521")])
    for number, value in enumerate((1521, 1521.0, "1521")):
        place.put(f"packages/b{number}.jsonl", json.dumps(row("packages", order_id=value)).encode())
    assert [file.duplicates for file in place.ingest("packages")] == [0, 1, 1, 1]
