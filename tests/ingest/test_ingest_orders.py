"""However a set of records is delivered, the same ones land, and every week that reads something new is due.

What is invariant, and what isn't. As long as a key (with `updated_at`, where versions are kept) has one content, the
order of files, their names, times, formats, the rows in them and the runs between them change nothing: neither what
lands nor what is rejected for what reason. Where contents differ, the one that was read first lands, so the order
decides which; but each content still ends up once, in landing or in quarantine, and the same keys land.

When records came says which weeks are due: any week whose picture, as of its A, the records change must be touched.
Touching more than that costs time and no figure, so it isn't judged here.
"""

from __future__ import annotations

import io
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_project.registry import registry
from orchestration.ingest.contracts import SOURCES_BY_NAME, Kind
from tests.ingest.ingest_kit import FORMATS, NOW, Place, Row, row

START = datetime(2024, 7, 1)
WEEKS = [date(2024, 6, 3) + timedelta(weeks=number) for number in range(30)]
EXAMPLES = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
#: What a record may be: which thing it is of, and which version.
RECORDS = st.tuples(st.integers(0, 5), st.integers(0, 3))

#: Parquet whose columns have the types of the contract, where every value in them can be read: it may land as it lies.
TYPED = ".typed.parquet"

Delivery = list[list[tuple[str, int, list[Row]]]]


def record_of(source: str, thing: int, version: int, twist: int = 0) -> Row:
    """The record of a thing in a version. The same numbers give the same record; another `twist` another content."""
    of_thing = random.Random(f"{source}/{thing}")
    draw = random.Random(f"{source}/{thing}/{version}/{twist}")

    def instant(least: int = 0, most: int = 28) -> str:
        return str(START + timedelta(hours=24 * least + draw.choice([0, 3, 27, 24 * draw.randint(0, most - least)])))

    def perhaps(value: str) -> str | None:
        return value if draw.random() < 0.5 else None

    happened = str(START + timedelta(days=of_thing.randint(0, 28), hours=of_thing.choice([0, 3, 12])))
    updated_at = str(START + timedelta(days=10 * version, hours=of_thing.choice([0, 3, 4])))
    seller = draw.choice("ABC")
    match source:
        case "oms_logs":
            spoilt = draw.choice(["1", "1", "1", "2", "0"])
            values = {"log_id": f"L{thing}-{version}", "logged_at": instant(), "seller_id": seller, "attempt": spoilt}
        case "packages":
            values = {
                "package_id": f"P{thing}-{version}",
                "shipped_at": instant(),
                "order_id": f"O{draw.randint(0, 3)}",
            }
        case "inventory_snapshots":
            at = str(START + timedelta(days=thing, hours=version))
            values = {"snapshot_at": at, "quantity": draw.choice(["1", "2", "2.5"])}
        case "seller_orders":
            values = {
                "sub_order_id": f"SO{thing}",
                "ordered_at": draw.choice([happened, happened, instant()]),
                "shipped_at": perhaps(instant(7)),
                "cancelled_at": perhaps(instant(7)),
                "cancelled_by": draw.choice([None, "seller", "customer", "nobody"]),
                "cancellation_reason": perhaps("late"),
                "promised_ship_at": perhaps(instant(3)),
                "quantity": draw.choice(["1", "1", "2", "0"]),
                "updated_at": updated_at,
            }
        case "tickets":
            values = {"ticket_id": f"T{thing}", "raised_at": happened, "resolved_at": perhaps(instant(7))}
            values |= {"seller_id": seller, "updated_at": updated_at}
        case "sellers":
            values = {"seller_id": f"S{thing}", "mall_segment": draw.choice(["anchor", "focus", None, "none"])}
            values |= {"onboarded_at": draw.choice([happened, None, instant()]), "updated_at": updated_at}
        case "claims":
            values = {"claim_id": f"C{thing}", "raised_at": happened, "verdict": draw.choice(["x", "y", None])}
            values |= {"updated_at": updated_at}
    if twist:
        column = {"oms_logs": "request_id", "packages": "seller_id"}.get(source)
        values |= {column: f"twisted {twist}"} if column else {}
        if source == "oms_logs" and draw.random() < 0.3:
            values["logged_at"] = str(NOW + timedelta(days=40))  # from the future
    return row(source, **values)


@st.composite
def deliveries(draw: st.DrawFn, rows: list[Row]) -> Delivery:
    """The rows in any order, in runs of files: name, time and content of each."""
    rest = draw(st.permutations(rows))
    runs: Delivery = []
    number = 0
    while rest:
        files = []
        for _ in range(draw(st.integers(1, 3))):
            taken, rest = rest[: (size := draw(st.integers(1, 8)))], rest[size:]
            if taken:
                name = draw(st.sampled_from(["a", "Z", "0/é", "~", "b c/'x'"])) + f"-{number}"
                mtime = draw(st.integers(0, 2**31)) * 10**9
                files.append((name + draw(st.sampled_from([*FORMATS, TYPED, TYPED])), mtime, taken))
                number += 1
        runs.append(files)
    return runs


def as_typed_parquet(source: str, rows: list[Row]) -> bytes:
    """All columns of the contract; one with a value that is of another type stays text."""
    columns = {}
    for column in SOURCES_BY_NAME[source].columns:
        texts = [record.get(column.name) for record in rows]
        array = pa.array(texts, pa.string())
        kind = {Kind.TIMESTAMP: pa.timestamp("us"), Kind.WHOLE: pa.int64(), Kind.BOOLEAN: pa.bool_()}.get(column.kind)
        with suppress(pa.ArrowInvalid):
            array = array.cast(kind) if kind else array
        columns[column.name] = array
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def deliver(place: Place, source: str, runs: Delivery) -> list[set[date]]:
    """Run the ingest after each part of a delivery; the weeks that each run touched."""
    touched = []
    for files in runs:
        for name, mtime, rows in files:
            content = as_typed_parquet(source, rows) if name.endswith(TYPED) else rows
            os.utime(place.put(f"{source}/{name}", content), ns=(mtime, mtime))
        done = place.ingest(source)
        assert sum(file.rows_read for file in done) == sum(len(rows) for *_, rows in files)
        assert all(file.rows_read == file.landed + file.quarantined + file.duplicates for file in done)
        spans = [touch for file in done for touch in file.touches]
        touched.append({week for week in WEEKS for span in spans if span.first_week <= week <= span.last_week})
    return touched


def landed(place: Place, source: str) -> Counter[tuple]:
    """The records that have landed, in whatever order."""
    names = [column.name for column in SOURCES_BY_NAME[source].columns]
    return Counter(tuple(record[name] for name in names) for record in place.landed(source))


def rejected(place: Place, source: str) -> Counter[tuple]:
    """The records in quarantine, in whatever order: why, and what they hold."""
    return Counter((bad["reason"], bad["columns"], bad["content"]) for bad in place.rejected(source))


SOURCES = ["oms_logs", "packages", "inventory_snapshots", "seller_orders", "tickets", "sellers", "claims"]


def check_any_delivery(source: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(RECORDS, min_size=1, max_size=30))
    rows = [record_of(source, *numbers) for numbers in drawn]
    with tempfile.TemporaryDirectory() as folder:
        first, second = Place(Path(folder) / "first"), Place(Path(folder) / "second")
        deliver(first, source, [[("all.jsonl", 0, rows)]])
        deliver(second, source, data.draw(deliveries(rows)))
        assert landed(second, source) == landed(first, source)
        assert rejected(second, source) == rejected(first, source)


@pytest.mark.parametrize("source", ["oms_logs", "inventory_snapshots", "seller_orders", "sellers"])
@EXAMPLES
@given(data=st.data())
def test_any_delivery_of_records_lands_them_alike(source: str, data: st.DataObject) -> None:
    check_any_delivery(source, data)


def check_contradictions(source: str, data: st.DataObject) -> None:
    drawn = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=20)
    )
    rows = [record_of(source, *numbers) for numbers in drawn]
    key = SOURCES_BY_NAME[source].key
    with tempfile.TemporaryDirectory() as folder:
        first, second = Place(Path(folder) / "first"), Place(Path(folder) / "second")
        for place in (first, second):
            deliver(place, source, data.draw(deliveries(rows)))
        for place in (first, second):
            keys = [tuple(record[name] for name in key) for record in place.landed(source)]
            assert len(keys) == len(set(keys))
            contents = {tuple(sorted((name, str(value)) for name, value in record.items())) for record in rows}
            assert len(keys) + len(place.rejected(source)) == len(contents)
        assert {tuple(record[name] for name in key) for record in first.landed(source)} == {
            tuple(record[name] for name in key) for record in second.landed(source)
        }


@pytest.mark.parametrize("source", ["oms_logs", "packages", "sellers"])
@EXAMPLES
@given(data=st.data())
def test_records_that_contradict_each_other_are_each_kept_once(source: str, data: st.DataObject) -> None:
    check_contradictions(source, data)


def picture(source: str, rows: Iterable[Row], week: date) -> set[tuple]:
    """What a week may read of landed records: as of its A, and as far back as its windows reach.

    Written from the specification, record by record, and not as the ingest computes it.
    """
    contract = SOURCES_BY_NAME[source]
    begin = datetime.combine(week, time())
    at = begin + timedelta(days=7, hours=3)
    days = registry().looks_back(contract.name)
    if days is not None:
        begin -= timedelta(days=days)
    things: dict[tuple, list[Row]] = {}
    for record in rows:
        things.setdefault(tuple(record[name] for name in contract.identity), []).append(record)
    seen = set()
    for versions in things.values():
        versions.sort(key=lambda record: record.get("updated_at") or at)
        if contract.newest_wins:
            counting = cut(source, versions[-1], at)
        elif contract.is_versioned:
            counting = ([version for version in versions if version["updated_at"] <= at] or versions[:1])[-1]
        else:
            [counting] = versions
        facts = [counting[name] for name in contract.facts if counting[name] is not None]
        reached = [counting[contract.week_column]] if contract.is_versioned and not contract.newest_wins else facts
        is_read = days is None or (reached and max(reached) >= begin)
        if facts and min(facts) <= at and is_read:
            # A version that says nothing new is no news.
            names = [column.name for column in contract.columns if column.name != "updated_at"]
            seen.add(tuple(counting[name] for name in names))
    return seen


def cut(source: str, record: Row, at: datetime) -> Row:
    """A record without what happened after A; a reason goes with its timestamp."""
    shown: dict[str, Any] = {}
    for column in SOURCES_BY_NAME[source].columns:
        dated = record[column.dated_by] if column.dated_by else at
        shown[column.name] = record[column.name] if dated is not None and dated <= at else None
    return shown


def check_touched_weeks(source: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(RECORDS, min_size=1, max_size=20, unique=True))
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder) / "home")
        for files in data.draw(deliveries([record_of(source, *numbers) for numbers in drawn])):
            before = {week: picture(source, place.landed(source), week) for week in WEEKS} if place.runs else {}
            [touched] = deliver(place, source, [files])
            rows = place.landed(source)
            changed = {week for week in WEEKS if picture(source, rows, week) != before.get(week, set())}
            assert changed <= touched


@pytest.mark.parametrize("source", SOURCES)
@EXAMPLES
@given(data=st.data())
def test_every_week_that_reads_something_new_is_touched(source: str, data: st.DataObject) -> None:
    check_touched_weeks(source, data)
