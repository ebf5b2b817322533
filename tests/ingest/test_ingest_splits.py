"""However records are split into files, formats and runs, the same ones land, and every record is accounted for."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest.ingest_kit import FORMATS, Place, Row, row

START = datetime(2024, 8, 1)
KEYS = st.one_of(
    st.integers(0, 12).map(lambda number: f"L{number}"),
    st.sampled_from(["", "é", "\U0001f69a", "\uffee", "a" * 300, "a" * 300 + "b", "L", "l1", " L1 "]),
)


@st.composite
def log_rows(draw: st.DrawFn) -> Row:
    hours = draw(st.sampled_from([0, 1, 24 * 7, 24 * 30, 24 * 60]))  # the last lies in the future
    attempt = draw(st.sampled_from(["1", "1", "1", "2", "0"]))
    return row("oms_logs", log_id=draw(KEYS), logged_at=str(START + timedelta(hours=hours)), attempt=attempt)


@st.composite
def snapshot_rows(draw: st.DrawFn) -> Row:
    time = START + timedelta(microseconds=draw(st.sampled_from([0, 1, 500_000, 10**6, 10**12])))
    key = {"seller_id": draw(st.sampled_from("AB")), "sku_id": draw(st.sampled_from("AB"))}
    return row("inventory_snapshots", snapshot_at=time.isoformat(), quantity=draw(st.sampled_from("12")), **key)


@st.composite
def split(draw: st.DrawFn, rows: st.SearchStrategy[Row]) -> list[list[tuple[str, list[Row]]]]:
    """Runs of files of rows; the files of a run in the order in which it reads them."""
    runs = []
    for run in range(draw(st.integers(1, 3))):
        files = draw(st.lists(st.tuples(st.sampled_from(FORMATS), st.lists(rows, min_size=1, max_size=12)), max_size=4))
        runs.append([(f"{run}/{number}{ending}", content) for number, (ending, content) in enumerate(files)])
    return runs


def check_split(source: str, runs: list[list[tuple[str, list[Row]]]]) -> None:
    """The landed records and the quarantine are those of one file with all rows in the same order."""
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Place(Path(folder) / "whole"), Place(Path(folder) / "parts")
        rows = [record for run in runs for _, content in run for record in content]
        if not rows:
            return
        whole.put(f"{source}/a.jsonl", rows)
        whole.ingest(source)
        done = []
        for run in runs:
            for path, content in run:
                parts.put(f"{source}/{path}", content)
            done += parts.ingest(source)
        assert in_order(parts.landed(source)) == in_order(whole.landed(source))
        assert parts.reasons(source) == whole.reasons(source)
        assert sum(file.rows_read for file in done) == len(rows)
        assert sum(file.landed + file.quarantined + file.duplicates for file in done) == len(rows)
        # and once more, under other names and in another order, adds nothing
        for run in runs:
            for path, content in run:
                parts.put(f"{source}/again/{path}", content[::-1])
        again = parts.ingest(source)
        assert sum(file.landed for file in again) == 0
        assert len(parts.landed(source)) == len(whole.landed(source))


def in_order(records: list[Row]) -> list[Row]:
    return sorted(records, key=repr)


EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@EXAMPLES
@given(split(log_rows()))
def test_logs(runs: list[list[tuple[str, list[Row]]]]) -> None:
    check_split("oms_logs", runs)


@EXAMPLES
@given(split(snapshot_rows()))
def test_snapshots(runs: list[list[tuple[str, list[Row]]]]) -> None:
    check_split("inventory_snapshots", runs)
