"""Parquet that would be written again just as it lies is copied into landing; anything else is written anew."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.ingest import intake
from orchestration.ingest.contracts import OMS_LOGS, SELLER_ORDERS, Kind, Source
from tests.ingest.ingest_kit import NOW, Place, Row, as_csv, logs, row

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.WHOLE: pa.int64(),
    Kind.MONEY: pa.decimal128(18, 2),
    Kind.BOOLEAN: pa.bool_(),
}


def typed(
    rows: Sequence[Row], source: Source = OMS_LOGS, types: Mapping[str, pa.DataType] | None = None, **options: Any
) -> bytes:
    """Parquet with all columns of the contract, in the types that they land in; `types` changes some."""
    fields = {column.name: (types or {}).get(column.name, _TYPES[column.kind]) for column in source.columns}
    table = pa.table(
        {name: pa.array([record.get(name) for record in rows]).cast(kind) for name, kind in fields.items()}
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def some(count: int = 2, **values: Any) -> list[Row]:
    typed_values = {"logged_at": datetime(2024, 8, 7, 10), "attempt": 1, **values}
    return logs(*(f"L{number:06d}" for number in range(count)), **typed_values)


def landed_files(place: Place, source: str = "oms_logs") -> list[bytes]:
    return [file.read_bytes() for file in sorted(place.home.landing.glob(f"{source}/*/*.parquet"))]


def test_a_sound_file_of_one_week_lands_as_it_lies(place: Place) -> None:
    content = typed(some(3))
    file = place.put("oms_logs/a.parquet", content)
    assert place.only("oms_logs").landed == 3
    assert landed_files(place) == [content]
    (landed,) = place.home.landing.glob("oms_logs/*/*.parquet")
    assert landed.parent.name == "week=2024-08-05"
    file.write_bytes(b"overwritten")
    assert landed_files(place) == [content], "a copy, not a link"


def test_sub_orders_with_money_land_as_they_lie(place: Place) -> None:
    times = {name: datetime(2024, 8, 7, 10) for name in ("ordered_at", "updated_at")}
    numbers = {"quantity": 1, "item_value": "12.50", "estimated_delivery_days": None}
    content = typed([row("seller_orders", **times, **numbers)], SELLER_ORDERS, use_dictionary=False)
    place.put("seller_orders/a.parquet", content)
    assert place.only("seller_orders").landed == 1
    assert landed_files(place, "seller_orders") == [content]


LOGS = some()
OTHERS = {
    "a blank to trim": typed([LOGS[0], {**LOGS[1], "failure_reason": "late "}]),
    "an empty text": typed([LOGS[0], {**LOGS[1], "retry_reason": ""}]),
    "letters beyond ASCII at an end": typed([LOGS[0], {**LOGS[1], "retry_reason": "tõ"}]),
    "two weeks": typed([LOGS[0], {**LOGS[1], "logged_at": datetime(2024, 8, 12)}]),
    "another type": typed(LOGS, types={"attempt": pa.int32()}),
    "milliseconds of another kind of instant": typed(LOGS, types={"logged_at": pa.timestamp("us", "UTC")}),
    "instants of 96 bits": typed(LOGS, use_deprecated_int96_timestamps=True),
    "bytes for text": typed(LOGS, types={"retry_reason": pa.binary()}),
    "tiny pieces": typed(LOGS, row_group_size=1),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_another_file_is_written_anew_with_the_same_records(content: bytes, place: Place, tmp_path: Path) -> None:
    place.put("oms_logs/a.parquet", content)
    assert place.only("oms_logs").landed == 2
    assert content not in landed_files(place)
    records = pq.read_table(io.BytesIO(content)).to_pylist()
    text = [{name: v.decode() if isinstance(v, bytes) else v for name, v in record.items()} for record in records]
    as_text = Place(tmp_path / "text")
    as_text.put("oms_logs/a.csv", as_csv(text))
    assert as_text.only("oms_logs").landed == 2
    landed, landed_as_text = (
        sorted(one.landed("oms_logs"), key=lambda record: record["log_id"]) for one in (place, as_text)
    )
    assert landed == landed_as_text


BROKEN: dict[str, tuple[Row, tuple[int, int, int]]] = {
    "a record to quarantine": ({**LOGS[1], "channel": "post"}, (1, 1, 0)),
    "a client called like the total": ({**LOGS[1], "oms_client": "All"}, (1, 1, 0)),
    "a number out of range": ({**LOGS[1], "attempt": 10_001}, (1, 1, 0)),
    "an instant out of range": ({**LOGS[1], "t1_received_at": datetime(2200, 1, 1)}, (1, 1, 0)),
    "a repeated record": (LOGS[0], (1, 0, 1)),
    "a key with another content": ({**LOGS[0], "flow": "manifestation"}, (1, 1, 0)),
    "an event in the future": ({**LOGS[1], "logged_at": NOW.replace(year=NOW.year + 1)}, (1, 1, 0)),
}


@pytest.mark.parametrize(("second", "counts"), BROKEN.values(), ids=BROKEN)
def test_what_does_not_land_is_left_out(second: Row, counts: tuple[int, int, int], place: Place) -> None:
    content = typed([LOGS[0], second])
    place.put("oms_logs/a.parquet", content)
    file = place.only("oms_logs")
    assert (file.landed, file.quarantined, file.duplicates) == counts
    assert content not in landed_files(place)
    assert place.ids("oms_logs") == [LOGS[0]["log_id"]]


def test_a_record_that_landed_before_is_left_out(place: Place) -> None:
    place.put("oms_logs/a.csv", as_csv(LOGS[:1]))
    place.put("oms_logs/b.parquet", typed(LOGS))
    _, second = place.ingest("oms_logs")
    assert (second.landed, second.duplicates) == (1, 1)
    assert place.ids("oms_logs") == [record["log_id"] for record in LOGS]


def test_a_file_that_changes_while_it_is_read_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.put("oms_logs/a.parquet", typed(some(2)))
    grown = typed(some(3))

    read = intake.read_raw

    def read_and_grow(*arguments: Any) -> Any:
        raw = read(*arguments)
        file.write_bytes(grown)
        return raw

    with monkeypatch.context() as patch:
        patch.setattr(intake, "read_raw", read_and_grow)
        first = place.only("oms_logs")
    assert (first.status, first.landed) == ("failed", 0)
    assert first.error == "it changed while it was read: write files under another name and rename them when complete"
    assert landed_files(place) == []
    second = place.only("oms_logs")
    assert (second.status, second.landed) == ("landed", 3)
