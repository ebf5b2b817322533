"""Files that are malformed and oversized at random: each lands, is quarantined or fails, and others land beside it.

Limits are small, so that small files exceed them. A few examples by default; `make soak` looks at hundreds.
"""

from __future__ import annotations

import gzip
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "unit"))

from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.limits import EngineLimits, InputLimits
from tests.fault.test_hostile_input import SOURCES, Damage, budget, damaged, damages
from tests.ingest.ingest_kit import FORMATS, Place, Row, encoded, row, zstd

_LIMITS = InputLimits(max_file_columns=60, max_record_mb=1, max_file_weeks=8, max_unpacked_mb=8)
_MEMORY = EngineLimits(memory="400MB", threads=1)
#: What one file may take of the processor; what runs away takes minutes.
_SECONDS = 30


@dataclass(frozen=True)
class Oversized:
    """How a file is made: sound rows, of which one measure is drawn from below its limit to far above."""

    rows: int = 30
    columns: int = 0
    value: int = 10
    weeks: int = 1
    times: int = 1


_FILES = st.one_of(
    st.builds(Oversized, columns=st.sampled_from([1, 20, 59, 500])),
    st.builds(Oversized, rows=st.just(3), value=st.sampled_from([1_000, 900_000, 1_200_000, 3_000_000])),
    st.builds(Oversized, weeks=st.sampled_from([2, 8, 9, 30])),
    st.builds(Oversized, rows=st.sampled_from([1, 20_000, 60_000])),
    st.builds(Oversized, times=st.sampled_from([2, 400])),
)


def records(source: str, file: Oversized) -> list[Row]:
    """Records with keys of their own, spread over so many weeks, one of them with a long value."""
    contract = SOURCES_BY_NAME[source]
    key = contract.key[0]
    made = []
    for number in range(file.rows):
        at = str(datetime(2024, 1, 1) + timedelta(weeks=number % file.weeks, seconds=number))
        record = row(source, **{contract.week_column: at, key: at if key.endswith("_at") else f"ID{number}"})
        made.append(record | {f"extra {place}": "x" for place in range(file.columns)})
    made[-1] |= {name: "x" * file.value for name in ("order_id", "seller_name") if name in made[-1]}
    return made


def content(source: str, ending: str, file: Oversized, damage: Damage) -> bytes:
    """The file's bytes. What is repeated is repeated before it is compressed."""
    if ending == ".parquet":
        return damaged(encoded(records(source, file), ending), damage)
    plain = encoded(records(source, file), ending.split(".gz")[0].split(".zst")[0]) * file.times
    plain = damaged(plain, damage)
    return gzip.compress(plain, 1) if ending.endswith(".gz") else zstd(plain) if ending.endswith(".zst") else plain


def check(source: str, ending: str, file: Oversized, damage: Damage) -> str:
    """What became of the file. `Place.ingest` reconciles what landed, was rejected and dropped with what was read."""
    key = SOURCES_BY_NAME[source].key[0]
    beside = row(source, **{key: "2023-12-01 00:00:00" if key.endswith("_at") else "BESIDE"})
    with TemporaryDirectory() as folder:
        place = Place(Path(folder) / "home")
        place.limits, place.input_limits = _MEMORY, _LIMITS
        place.put(f"{source}/a{ending}", content(source, ending, file, damage))
        place.put(f"{source}/beside.csv", [beside])
        before = time.process_time()
        taken, sound = place.ingest(source)
        assert time.process_time() - before < _SECONDS
        assert (sound.status, sound.landed) == ("landed", 1)
        if taken.status == "failed":
            assert str(taken.error).isprintable()
            assert (taken.landed, taken.quarantined, taken.duplicates) == (0, 0, 0)
        assert place.orphans(source) == set()
        assert place.ingest(source) == [], "nothing is read twice"
        assert [found.name for found in Path(folder).iterdir()] == ["home"]
    return "quarantined, in part or whole" if taken.quarantined else taken.status


@pytest.mark.parametrize(
    ("source", "ending", "file"),
    [
        ("oms_logs", ".csv.gz", Oversized(columns=500)),
        ("packages", ".jsonl", Oversized(rows=3, value=3_000_000)),
        ("seller_orders", ".parquet", Oversized(weeks=30)),
        ("packages", ".csv", Oversized(rows=60_000)),
        ("sellers", ".jsonl.zst", Oversized(times=400)),
    ],
)
def test_an_oversized_file(source: str, ending: str, file: Oversized) -> None:
    check(source, ending, file, [("over", 0.9, b"x")])


@pytest.mark.soak
@budget(1000)
@given(st.sampled_from(SOURCES), st.sampled_from(FORMATS), _FILES, st.one_of(st.just([]), damages))
def test_oversized_files_for_long(source: str, ending: str, file: Oversized, damage: Damage) -> None:
    """`--hypothesis-show-statistics` counts what became of them."""
    event(check(source, ending, file, damage))
