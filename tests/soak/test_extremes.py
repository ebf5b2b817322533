"""Whatever the contract accepts, no later step fails on: each extreme of each column goes through a whole run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metric_store.reading import open_store
from metric_store.sql import sql_parquet
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES, Column, Kind, Source
from orchestration.ingest.landing import IngestContext, ingest_source
from tests.conftest import SAMPLE_WEEKS, metric_store, run, small_sample
from tests.soak.campaign import REPORT

pytestmark = pytest.mark.soak

ONLY = [name for name in os.environ.get("SOAK_SOURCES", "").split(",") if name]
_TEXTS = [
    *(
        "unknown",
        "Unknown",
        "other",
        "mall",
        "overall",
        "All",
        "all",
        "no_flow",
        "nan",
        "null",
        "None",
        "true",
        "0",
        "-1",
    ),
    *(
        "1e5",
        "2026-01-05",
        "a,b",
        "a;b",
        "a|b",
        "a/b",
        "a\\b",
        "'",
        '"',
        "''; drop table x; --",
        "%",
        "_",
        "*",
        "{}",
        "[]",
    ),
    *(
        "x" * 5000,
        "שלום",
        "مرحبا",
        "👩‍👩‍👧",
        "ﬀ",
        "İ",
        "ß",
        "e\u0301",
        "a\u202eb",
        "a\tb",
        "a\nb",
        "<b>&amp;</b>",
        "=1+1",
    ),
]
_KINDS: dict[Kind, list[str]] = {
    Kind.TIMESTAMP: ["1970-01-01T00:00:00Z", "2026-01-11T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z"],
    Kind.MONEY: ["-1000000000000", "1000000000000", "0", "0.005", "-0.01"],
    Kind.BOOLEAN: ["true", "false"],
    Kind.WEEKDAYS: ["none", "mon,tue,wed,thu,fri,sat", "sun"],
}


def extremes(column: Column) -> Iterator[str | None]:
    """Values of a column that the contract accepts."""
    if not column.required:
        yield None
    if column.one_of:
        yield from column.one_of
    elif column.within:
        yield from map(str, {*column.within, column.within[0] + 1, 0 if column.within[0] < 0 else column.within[1] - 1})
    elif column.kind is Kind.TEXT:
        yield from (text for text in _TEXTS if not (column.has_total and text.lower() == "all"))
    else:
        yield from _KINDS[column.kind]


def records(source: Source, base: dict[str, Any], times: int) -> Iterator[dict[str, Any]]:
    """The base record with one extreme each, so many times, under keys of their own."""
    identity = source.identity[0] if source.key != ("snapshot_at", "seller_id", "sku_id", "system") else "sku_id"
    number = 0
    for column in source.columns:
        for value in extremes(column):
            for _ in range(times):
                number += 1
                own_key = {identity: f"{base[identity]}-{number}"}
                if column.name == identity:
                    own_key = {identity: value if times == 1 else f"{value}{number}"}
                yield {**base, **({} if column.name == identity else {column.name: value}), **own_key}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("extremes") / "sample"
    small_sample(home)
    return home


def base_of(home: Path, source: Source) -> dict[str, Any]:
    """A record of the sample, as text."""
    place = Home(home)
    context = IngestContext("base", datetime(2026, 11, 1), "UTC", 3)
    (file, *_) = [record for record in ingest_source(place, source, context) if record.partitions]
    with duckdb.connect() as db:
        landed = sql_parquet([place.landing / source.name / file.partitions[0].path])
        cursor = db.execute(f"select * from {landed} limit 1")
        names = [column[0] for column in cursor.description]
        return {
            n: None if v is None else str(v).lower() if isinstance(v, bool) else str(v)
            for n, v in zip(names, cursor.fetchall()[0], strict=True)
        }


@pytest.mark.parametrize("times", [1, 10])
def test_each_extreme_of_each_column_goes_through_a_run(times: int, sample: Path, tmp_path: Path) -> None:
    """All sources at once; SOAK_SOURCES names those that are wanted, to find the one at fault."""
    made, home = tmp_path / "made", tmp_path / "home"
    for copy in (made, home):
        shutil.copytree(sample, copy)
    for source in SOURCES:
        if not ONLY or source.name in ONLY:
            lines = [json.dumps(record, ensure_ascii=False) for record in records(source, base_of(made, source), times)]
            (home / "inbox" / source.name / "extremes.jsonl").write_text("\n".join(lines) + "\n")
    ended = run(home)
    assert ended.status in (0, 3), ended.text
    state = json.loads(metric_store("status", "--home", home, "--json").out)
    weeks = {week["week_start"]: week for week in state["weeks"]}
    assert [week for week in SAMPLE_WEEKS if not (weeks[week]["published"] or weeks[week]["blocked_by"])] == []
    with open_store(home / "published" / "metric_store.duckdb") as store:
        rows = store.execute("select distinct week_start::varchar from marts.fct_metric_week").fetchall()
    assert {row[0] for row in rows} == {week for week in weeks if weeks[week]["published"]}
    REPORT.append(f"extremes, {times} of each: status {ended.status}, {ended.err.splitlines()[-1]}")
