"""What a run puts before the models arrives as it was."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dbt_project.registry import registry
from metric_store.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.ledger import Ledger
from orchestration.transform import warehouse
from orchestration.transform.warehouse import _create_table, _insert_records, landed_relations, open_warehouse
from orchestration.weeks.calendar import calendar
from tests.ingest.ingest_kit import Place, row

COLUMNS = {"text": "varchar", "whole": "bigint", "number": "double", "at": "timestamp", "day": "date", "yes": "boolean"}


@pytest.fixture
def db() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    _create_table(connection, "kept", COLUMNS)
    return connection


def test_records_arrive_as_they_were(db: duckdb.DuckDBPyConnection) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            "'; drop table kept; -- \\ \"\n\u2028\U0001f600",
            2**63 - 1,
            0.1 + 0.2,
            datetime(1, 1, 1),
            date(1, 1, 1),
            True,
        ),
        ("", -(2**63), -1e308, datetime(9999, 12, 31, 23, 59, 59, 999999), date(9999, 12, 31), False),
        (None, None, None, None, None, None),
    ]
    _insert_records(db, "kept", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    assert db.execute("from kept").fetchall() == rows
    _insert_records(db, "kept", COLUMNS, [])
    assert db.execute("select count(*) from kept").fetchall() == [(len(rows),)]


@pytest.mark.parametrize(("column", "value"), [("whole", "many"), ("at", "noon"), ("day", "x"), ("yes", "maybe")])
def test_a_value_of_another_type_is_an_error_and_never_null(
    db: duckdb.DuckDBPyConnection, column: str, value: str
) -> None:
    with pytest.raises(duckdb.Error):
        _insert_records(db, "kept", COLUMNS, [{**dict.fromkeys(COLUMNS), column: value}])


@pytest.mark.parametrize(
    ("source", "time", "weeks_before"), [("oms_logs", "logged_at", 12), ("inventory_snapshots", "snapshot_at", 4)]
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_run_reads_the_weeks_of_a_zone_from_the_oldest_it_needs_to_a(
    tmp_path: Path, zone: str, source: str, time: str, weeks_before: int
) -> None:
    """Files are landed by the week in UTC, which is another one for the first hours or the last of a local week."""
    weeks, place = calendar(zone, 168), Place(tmp_path, zone, offset_hours=168)
    week = date(2024, 8, 5)
    window = registry().looks_back(source)
    assert window == 7 * weeks_before
    reached = [weeks[week - timedelta(days=window)].starts_at, weeks[week].calculated_at]
    place.put(f"{source}/a.csv", [row(source, **{SOURCES_BY_NAME[source].key[0]: at, time: at}) for at in reached])
    place.ingest(source)
    with Ledger(place.home.ledger, read_only=True) as ledger:
        (relation,) = [found for found in landed_relations(place.home, ledger, [week]) if found.source == source]
    assert duckdb.read_parquet([str(path) for path in relation.paths]).select(time).order(time).fetchall() == [
        (at,) for at in reached
    ]


def test_a_warehouse_that_another_process_has_is_waited_for_then_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    code = (
        f"import duckdb, sys; db = duckdb.connect({str(home.warehouse)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"open\n"
        monkeypatch.setattr(warehouse, "_PAUSES", (0.01,))
        with pytest.raises(MetricStoreError, match=rf"open in another program: .*\(PID {holder.pid}\)\.\nClose it"):
            open_warehouse(home).__enter__()
        monkeypatch.setattr(warehouse, "_PAUSES", (0.01, 5))
        monkeypatch.setattr(time, "sleep", lambda seconds: holder.communicate() if seconds == 5 else None)
        with open_warehouse(home) as db:
            assert db.execute("select 1").fetchall() == [(1,)]
