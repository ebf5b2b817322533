"""Whatever records and configuration a home has, Spark publishes what DuckDB publishes, cell by cell."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from bench.stores import copy_landed, differences
from orchestration.configuration import load_configuration
from orchestration.sample import write_sample
from tests.conftest import run
from tests.spark_kit import require_spark, run_on_spark, store_of

pytestmark = pytest.mark.soak

#: Zones whose clocks are set at midnight, by half an hour, by two hours, to the south, or never.
ZONES = (
    "UTC",
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/Havana",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
)


@dataclass(frozen=True)
class RandomHome:
    """The arguments of the sample, and what its configuration changes of settings and of the order volume limit."""

    start: date
    weeks: int
    sellers: int
    orders_per_week: int
    seed: int
    scenario: str
    configuration: dict[str, str]
    limits: dict[str, str]

    def write(self, home: Path) -> None:
        write_sample(
            home,
            start=self.start,
            weeks=self.weeks,
            sellers=self.sellers,
            orders_per_week=self.orders_per_week,
            seed=self.seed,
            scenario=self.scenario,
        )
        (home / "config").mkdir(exist_ok=True)  # the holiday has files of its own
        defaults = load_configuration(None).paths
        _rewrite(
            defaults["settings"],
            home / "config" / "settings.csv",
            lambda row: {**row, "value": self.configuration.get(row["key"], row["value"])},
        )
        _rewrite(defaults["ovl_policy"], home / "config" / "ovl_policy.csv", lambda row: {**row, **self.limits})


def _rewrite(source: Path, target: Path, change) -> None:
    with source.open(newline="", encoding="utf-8") as read, target.open("w", newline="", encoding="utf-8") as written:
        rows = csv.DictReader(read)
        writer = csv.DictWriter(written, rows.fieldnames or ())
        writer.writeheader()
        writer.writerows(change(row) for row in rows)


homes = st.builds(
    RandomHome,
    start=st.integers(0, 52 * 5).map(lambda weeks: date(2021, 1, 4) + timedelta(weeks=weeks)),
    weeks=st.integers(1, 3),
    sellers=st.integers(1, 25),
    orders_per_week=st.integers(7, 250),
    seed=st.integers(0, 10**6),
    scenario=st.sampled_from(("holiday", "normal")),
    configuration=st.fixed_dictionaries(
        {
            "reporting_timezone": st.sampled_from(ZONES),
            "calculation_offset_hours": st.integers(0, 12).map(str),
            "small_sample": st.integers(1, 60).map(str),
            "grade_window_days": st.integers(1, 60).map(str),
            "latency_slo_seconds": st.integers(1, 90).map(str),
        }
    ),
    limits=st.fixed_dictionaries(
        {
            "time_zone": st.sampled_from(ZONES),
            "confirm_working_hours": st.integers(1, 30).map(str),
            "handover_working_days": st.integers(1, 5).map(str),
            "workday_end": st.sampled_from(["09:00", "17:00", "23:30"]),
            "lookback_weeks": st.integers(1, 8).map(str),
        }
    ),
)
#: A week in which clocks are set back, in the zone where that is least usual.
SET_BACK = RandomHome(
    start=date(2024, 10, 21),
    weeks=2,
    sellers=12,
    orders_per_week=120,
    seed=1,
    scenario="normal",
    configuration={"reporting_timezone": "Antarctica/Troll"},
    limits={"time_zone": "Europe/Berlin", "workday_end": "23:30"},
)


@settings(
    max_examples=int(os.environ.get("SOAK_EXAMPLES") or 4),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # minutes for each: shrinking would take a day
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
@example(home=SET_BACK)
@given(home=homes)
def test_a_random_home_is_published_alike_by_both_engines(tmp_path: Path, home: RandomHome) -> None:
    require_spark()
    on_duckdb, on_spark = tmp_path / "duckdb", tmp_path / "spark"
    for place in (on_duckdb, on_spark):
        shutil.rmtree(place, ignore_errors=True)
    home.write(on_duckdb)
    weeks = f"{home.start}..{home.start + timedelta(weeks=home.weeks - 1)}"
    ended = run(on_duckdb, weeks)
    assert ended.status in (0, 3), ended.text
    copy_landed(on_duckdb, on_spark)
    ended_on_spark = run_on_spark(on_spark, "--weeks", weeks)
    assert ended_on_spark.status == ended.status, ended_on_spark.text
    assert store_of(on_spark).exists() == store_of(on_duckdb).exists()
    if store_of(on_duckdb).exists():
        assert differences(store_of(on_duckdb), store_of(on_spark)) == []
