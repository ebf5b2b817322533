"""The rehearsal of a peak: it finds the capacity that made the latencies, and forecasts nothing from too little."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import duckdb
import pytest

from orchestration.whatif.rehearsal import COLUMNS, rehearse

WEEK = date(2024, 8, 5)
HOURS = 168


@pytest.fixture
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as db:
        db.execute("create schema marts")
        db.execute(
            "create table marts.fct_hop_load_hour (week_start date, started_at timestamp, oms_client varchar, "
            "hop varchar, calls bigint, total_seconds decimal(18,3))"
        )
        yield db


def fill(
    store: duckdb.DuckDBPyConnection,
    client: str,
    hop: str,
    mean_seconds: Callable[[int], float],
    hours: int = HOURS,
    week: date = WEEK,
) -> None:
    """Hours of 10 to 100 calls, by a wave over each day; the 20th hour is one of the busiest."""
    start = datetime.combine(week, datetime.min.time())
    for hour in range(hours):
        calls = 10 + 90 * min(hour % 24, 20) // 20
        row = (week, start + timedelta(hours=hour), client, hop, calls, round(calls * mean_seconds(calls), 3))
        store.execute("insert into marts.fct_hop_load_hour values (?, ?, ?, ?, ?, ?)", row)


def queue(service: float, capacity: float, noise: float = 0) -> Callable[[int], float]:
    rng = random.Random(7)
    return lambda load: service / (1 - load / capacity) * (1 + rng.uniform(-noise, noise))


def by_hop(store: duckdb.DuckDBPyConnection, factor: float = 2) -> dict[tuple[str, str], dict]:
    found = rehearse(store, [WEEK], factor)
    return {(row[0], row[1]): dict(zip(COLUMNS, row, strict=True)) for row in found.rows}


def test_the_capacity_that_made_the_latencies_is_found(store: duckdb.DuckDBPyConnection) -> None:
    fill(store, "unicart", "t1_t2", queue(service=2, capacity=250))
    row = by_hop(store)["unicart", "t1_t2"]
    assert (row["busiest_hour"], row["busiest_hour_calls"]) == (datetime(2024, 8, 5, 20), 100)
    assert (row["hourly_capacity"], float(row["saturates_at_factor"]), float(row["service_seconds"])) == (250, 2.5, 2)
    # twice the busiest hour is 200 of 250 calls: a call takes 2 s / (1 - 0.8)
    assert float(row["utilisation"]) == 80
    assert float(row["seconds_at_factor"]) == pytest.approx(10, abs=0.01)
    assert row["waiting_after_hour"] == 0


def test_beyond_the_capacity_calls_wait_when_the_hour_is_over(store: duckdb.DuckDBPyConnection) -> None:
    fill(store, "unicart", "t1_t2", queue(service=2, capacity=250))
    row = by_hop(store, factor=3)["unicart", "t1_t2"]
    assert (float(row["utilisation"]), row["seconds_at_factor"], row["waiting_after_hour"]) == (120, None, 50)


def test_noise_moves_the_capacity_a_little_only(store: duckdb.DuckDBPyConnection) -> None:
    fill(store, "unicart", "t1_t2", queue(service=2, capacity=250, noise=0.1))
    assert float(by_hop(store)["unicart", "t1_t2"]["saturates_at_factor"]) == pytest.approx(2.5, rel=0.1)


def test_the_hop_that_saturates_first_is_at_the_top(store: duckdb.DuckDBPyConnection) -> None:
    fill(store, "unicart", "t1_t2", queue(2, 300))
    fill(store, "browntape", "t1_t2", queue(2, 400))
    fill(store, "browntape", "t4_t5", queue(9, 150))
    fill(store, "browntape", "t2_t3", lambda _: 1)
    found = rehearse(store, [WEEK], 1.5)
    assert [(row[0], row[1]) for row in found.rows] == [
        *(("browntape", "t4_t5"), ("unicart", "t1_t2"), ("browntape", "t1_t2"), ("browntape", "t2_t3"))
    ]
    first = found.first_to_saturate
    assert first is not None
    assert (first["oms_client"], first["hop"], float(first["saturates_at_factor"])) == ("browntape", "t4_t5", 1.5)


@pytest.mark.parametrize(
    ("mean_seconds", "hours"),
    [
        pytest.param(lambda _: 3, HOURS, id="constant"),
        pytest.param(lambda load: 3 - load / 100, HOURS, id="faster under load"),
        pytest.param(lambda load: 1 + (load * 7919) % 13, HOURS, id="unrelated to the load"),
        pytest.param(lambda _: 0, HOURS, id="no time at all"),
        pytest.param(queue(2, 250), 47, id="too few hours"),
        pytest.param(queue(2, 250), 1, id="one hour"),
    ],
)
def test_without_a_line_there_is_no_forecast(
    store: duckdb.DuckDBPyConnection, mean_seconds: Callable[[int], float], hours: int
) -> None:
    fill(store, "unicart", "t1_t2", mean_seconds, hours)
    found = rehearse(store, [WEEK], 2)
    row = dict(zip(COLUMNS, found.rows[0], strict=True))
    assert found.first_to_saturate is None
    assert {row[name] for name in COLUMNS[5:8]} == {None}
    assert (row["utilisation"], row["seconds_at_factor"]) == (None, None)


def test_weeks_that_were_not_asked_for_do_not_count(store: duckdb.DuckDBPyConnection) -> None:
    fill(store, "unicart", "t1_t2", queue(2, 250))
    fill(store, "unicart", "t1_t2", queue(9, 101), week=WEEK + timedelta(days=7))
    assert by_hop(store)["unicart", "t1_t2"]["hourly_capacity"] == 250
