"""Small files land together as they would land one by one."""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest import landing, together
from orchestration.ingest.intake import Intake
from orchestration.ingest.ledger import FileRecord, Ledger
from tests.ingest.ingest_kit import Place, Row, encoded, logs, row, without

ENDINGS = (".csv", ".jsonl", ".parquet", ".csv.gz")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of files that are taken by themselves."""
    ids: list[int] = []
    take = Intake.take

    def watched(self: Intake, origin: Any) -> None:
        ids.append(self.record.file_id)
        take(self, origin)

    monkeypatch.setattr(Intake, "take", watched)
    return ids


def some_rows(source: str, draw: random.Random) -> list[Row]:
    """Few things, so that files meet: the same again, another version, another content, something broken."""
    key = {"oms_logs": "log_id", "seller_orders": "sub_order_id", "sellers": "seller_id"}[source]
    event = {"oms_logs": "logged_at", "seller_orders": "ordered_at", "sellers": "onboarded_at"}[source]
    rows = []
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        values = {key: f"K{draw.randrange(40)}", event: f"2024-08-{draw.randint(1, 28):02d}"}
        if source != "oms_logs":
            values["updated_at"] = f"2024-08-{draw.randint(20, 28)}"
        elif draw.random() < 0.1:
            values[draw.choice(["attempt", "logged_at"])] = draw.choice(["0", "2024-12-01"])
        rows.append(row(source, **values))
    return rows


def everything(place: Place, source: str) -> dict[str, Any]:
    """The ledger, and what has landed and is in quarantine by file."""
    with sqlite3.connect(place.home.ledger) as db:
        tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table' order by 1")]
        found = {name: sorted(db.execute(f"select * from {name}").fetchall(), key=repr) for name in tables}
    return {**found, "landed": place.landed(source), "rejected": place.rejected(source)}


@pytest.mark.parametrize("source", ["oms_logs", "seller_orders", "sellers"])
def test_it_is_as_if_they_were_taken_one_by_one(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: list[int]
) -> None:
    draw = random.Random(source)
    first, second = Place(tmp_path / "together"), Place(tmp_path / "one-by-one")
    for run in range(2):
        for number in range(14):
            ending = draw.choice(ENDINGS)
            content = draw.choice([b"broken", b""]) if draw.random() < 0.1 else encoded(some_rows(source, draw), ending)
            for place in (first, second):
                file = place.put(f"{source}/{run}{number:02d}{ending}", content)
                os.utime(file, ns=(number, number))
        alone.clear()
        first.ingest(source, published=[date(2024, 8, 5)])
        assert 0 < len(alone) < 14
        with monkeypatch.context() as patch:
            patch.setattr(landing, "land_together", lambda *_: {})
            second.ingest(source, published=[date(2024, 8, 5)])
        assert everything(first, source) == everything(second, source)


def test_files_of_one_kind_are_all_landed_together(place: Place, alone: list[int]) -> None:
    for number in range(5):
        place.put(f"oms_logs/{number}.csv", logs(f"L{number}", logged_at=f"2024-08-{10 + number}"))
    place.put("oms_logs/5.jsonl", [without(logs("L5")[0], "flow")])
    place.put("oms_logs/6.csv", b"x\n1\n")
    files = place.ingest("oms_logs")
    assert [(file.file_id, file.landed, file.missing_columns.count("flow")) for file in files] == [
        *((number, 1, 0) for number in range(1, 6)),
        *((6, 1, 1), (7, 0, 0)),
    ]
    assert [touch.first_week for file in files[:2] for touch in file.touches] == [date(2024, 8, 5)] * 2
    assert (alone, list(place.failures())) == ([], ["6.csv"])


def test_a_file_that_is_large_or_of_other_types_keeps_its_place(place: Place, alone: list[int]) -> None:
    place.put("oms_logs/a.csv", logs("L1", request_id="a"))
    place.put("oms_logs/b.jsonl", [row("oms_logs", log_id="L1", request_id=7), *logs("L2")])
    place.put("oms_logs/c.csv", logs("L2", *(f"M{number}" for number in range(2000)), request_id="c"))
    place.put("oms_logs/d.csv", logs("L3", "M7", request_id="d"))
    place.put("oms_logs/e.csv", logs("L4"))
    files = place.ingest("oms_logs")
    assert [(file.path[0], file.landed, file.reasons) for file in files] == [
        ("a", 1, {}),
        ("b", 1, {"duplicate_key": 1}),
        ("c", 2000, {"duplicate_key": 1}),
        ("d", 1, {"duplicate_key": 1}),
        ("e", 1, {}),
    ]
    assert alone == [2, 3, 4]


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, duckdb.IOException])
def test_where_it_fails_each_is_taken_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch, alone: list[int], error: type[duckdb.Error]
) -> None:
    def fail(*_: object) -> None:
        raise error("it failed")

    place.put("oms_logs/a.csv", logs("L1"))
    place.put("oms_logs/b.csv", logs("L2"))
    monkeypatch.setattr(together, "arrived_weeks", fail)
    assert [file.landed for file in place.ingest("oms_logs")] == [1, 1]
    assert (alone, place.orphans("oms_logs")) == ([1, 2], set())


def test_a_kill_before_they_are_in_the_ledger(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        place.put(f"oms_logs/{name}.csv", logs(name))
    record = Ledger.record

    def die(self: Ledger, file: FileRecord) -> None:
        if file.path == "b.csv":
            raise KeyboardInterrupt
        record(self, file)

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record", die)
        with pytest.raises(KeyboardInterrupt):
            place.ingest("oms_logs")
    assert (place.ids("oms_logs"), len(place.orphans("oms_logs"))) == ([], 3)
    assert [file.landed for file in place.ingest("oms_logs")] == [1, 1, 1]
    assert (place.ids("oms_logs"), place.orphans("oms_logs")) == (["a", "b", "c"], set())


def test_one_small_file_between_others_is_read_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """To look at it for others would cost what it takes to land it."""
    monkeypatch.setattr(together._Together, "add", lambda *_: pytest.fail("it is looked at"))
    monkeypatch.setattr(together, "SMALL_BYTES", 1000)
    for name, count in (("a", 30), ("b", 1), ("c", 30)):
        place.put(f"oms_logs/{name}.csv", logs(*(f"{name}{number}" for number in range(count))))
    assert [record.landed for record in place.ingest("oms_logs")] == [30, 1, 30]
