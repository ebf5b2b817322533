"""A season that builds up to a peak: readiness names the client that will break in time, and the rehearsal says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metric_store.reading import open_store
from orchestration.sample import write_sample
from orchestration.sample.generator import DEFAULT_START
from orchestration.sample.scenarios import HOLIDAY
from orchestration.sample.season import Season
from orchestration.sample.world import build_world
from tests.conftest import made_once, metric_store, run

pytestmark = pytest.mark.soak  # its parts: tests/unit/test_rehearsal.py, tests/end_to_end/test_why_and_recovery.py

SIZE = {"sellers": 200, "orders_per_week": 5000, "seed": 7}
WEEKS = [f"2026-01-{day:02d}" for day in (5, 12, 19, 26)] + ["2026-02-02"]
PEAK = WEEKS[4]
OF_WEAK = f"flow = 'manifestation' and oms_client = '{HOLIDAY.weak_client}'"


@pytest.fixture(scope="session")
def holiday_home(shared_folder: Path) -> Path:
    def make(home: Path) -> None:
        write_sample(home, weeks=5, scenario="holiday", **SIZE)
        ended = run(home)
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "holiday", make)


def query(home: Path, sql: str) -> list[tuple]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute(sql).fetchall()


def rehearse(home: Path, weeks: str, factor: float = 2) -> tuple[list[dict], str]:
    """The rows, and what is said about them."""
    ended = metric_store("rehearse", "--home", home, "--factor", str(factor), "--weeks", weeks, "--json")
    assert ended.status == 0, ended.text
    return json.loads(ended.out), ended.err


def test_the_weak_client_and_no_other_is_found_before_the_peak(holiday_home: Path) -> None:
    verdicts = query(
        holiday_home,
        "select week_start::varchar, oms_client, verdict, reasons from marts.fct_oms_readiness_week "
        "where verdict <> 'ready' order by all",
    )
    weak = {week: (verdict, reasons) for week, client, verdict, reasons in verdicts if client == HOLIDAY.weak_client}
    assert {client for _, client, _, _ in verdicts} == {HOLIDAY.weak_client}
    assert WEEKS[0] not in weak, "an ordinary week breaks nothing"
    assert weak[WEEKS[2]] == ("at_risk", "latency")
    assert weak[WEEKS[3]][0] == "not_ready"
    assert weak[PEAK][0] == "not_ready"


def test_the_rehearsal_of_the_first_weeks_finds_the_breaking_point_that_was_set(holiday_home: Path) -> None:
    rows, said = rehearse(holiday_home, f"{WEEKS[0]}..{WEEKS[1]}")
    first = rows[0]
    assert (first["oms_client"], first["hop"]) == (HOLIDAY.weak_client, "t2_t3")
    assert [row["oms_client"] for row in rows if row["saturates_at_factor"] is not None] == [HOLIDAY.weak_client]
    # Of the calls that the queue serves, those with a request id and both stamps are published.
    [(calls, published)] = query(
        holiday_home,
        f"select (select count(*) from read_parquet('{holiday_home}/landing/oms_logs/*/*.parquet') where {OF_WEAK}), "
        "(select sum(calls) from marts.fct_hop_load_hour where hop = 't2_t3' "
        f"and oms_client = '{HOLIDAY.weak_client}')",
    )
    world = build_world(
        HOLIDAY, start=DEFAULT_START, **{name: SIZE[name] for name in ("sellers", "orders_per_week", "seed")}
    )
    capacity = Season(HOLIDAY, world, DEFAULT_START, SIZE["orders_per_week"]).capacity[HOLIDAY.weak_client]
    assert first["hourly_capacity"] == pytest.approx(capacity * float(published) / calls, rel=0.2)
    assert "t2_t3 of sample_oms_cedar saturates first" in said
    assert "does not bear a factor of 2" in said


def test_the_peak_does_what_peaks_do(holiday_home: Path) -> None:
    figures = query(
        holiday_home,
        "select sync.accuracy_rate, sync.out_of_stock_cancellations, promise.ship_kept_rate, promise.p95_hours "
        "from marts.fct_inventory_sync_week as sync "
        "inner join marts.fct_promise_week as promise using (week_start) "
        f"where oms_client = 'all' and mall_segment = 'mall' and week_start in ('{WEEKS[1]}', '{PEAK}') "
        "order by week_start",
    )
    (sync, cancelled, kept, p95), (peak_sync, peak_cancelled, peak_kept, peak_p95) = figures
    assert peak_sync < sync
    assert peak_cancelled > 2.8 * cancelled, "more than the orders alone"
    assert peak_kept < kept
    assert peak_p95 > p95
    retried = dict(
        query(
            holiday_home,
            "select week_start::varchar, sum(retried_calls) from marts.fct_retry_reason_week "
            "where flow = 'manifestation' group by all",
        )
    )
    assert retried[PEAK] > 5 * retried[WEEKS[1]], "a storm of retries"


def test_a_factor_or_week_that_cannot_be_is_refused(holiday_home: Path) -> None:
    for arguments, status, words in (
        (("--factor", "0"), 2, "factor"),
        (("--factor", "2", "--weeks", "2026-01-06"), 2, "Monday"),
        (("--factor", "2", "--weeks", "2026-03-02"), 1, "2026-03-02 isn't published"),
    ):
        ended = metric_store("rehearse", "--home", holiday_home, *arguments)
        assert (ended.status, ended.out) == (status, ""), ended.text
        assert words in ended.err
        assert "Traceback" not in ended.err


def test_why_names_the_client_that_breaks(holiday_home: Path) -> None:
    for week in WEEKS[3:]:
        ended = metric_store("why", "manifestation_failure_rate", "--home", holiday_home, "--week", week)
        assert ended.status == 0, ended.text
        lines = ended.out.splitlines()
        [change] = [line for line in lines if line.startswith("Week before: ")]
        assert change.endswith(": a signal.")
        moved = float(change.split("change ")[1].split()[0])
        drivers = next(place for place, line in enumerate(lines) if line.startswith("By oms_client, "))
        client, effect = lines[drivers + 2].split()[:2]
        assert client == HOLIDAY.weak_client
        assert float(effect) > 0.9 * moved > 0
        failures = next(place for place, line in enumerate(lines) if line.startswith("Failures by category, "))
        category = lines[failures + 2].split()[0]
        assert lines[failures + 3].split()[:2] == [category, HOLIDAY.weak_client]
