"""What `make bench` measures and compares: deliveries, ratios, charts, and the processes it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from bench import history, plots
from bench.processes import Ended, run, succeed
from bench.volume import ratios
from orchestration.sample import write_sample


def test_ratios_compare_what_both_weeks_have() -> None:
    normal = {"records": 100, "run_seconds": 10.0, "stages": {"build": 2.0, "between_runs": 0.0, "gate": 1.0}}
    peak = {"records": 500, "run_seconds": 15.0, "stages": {"build": 7.0, "between_runs": 0.5}}
    assert ratios(normal, peak) == {"records": 5.0, "run_seconds": 1.5, "build": 3.5, "gate": 0.0}


def test_a_delivery_is_the_files_of_a_week_without_what_is_kept_back(tmp_path: Path) -> None:
    write_sample(tmp_path, weeks=2, orders_per_week=200, sellers=5)
    inbox = tmp_path / "inbox"
    first, second = history.by_week(inbox)
    assert Path("oms_logs/2026-01/2026-01-11.parquet") in first
    assert Path("oms_logs/2026-01/2026-01-12-late.jsonl.zst") in second
    assert len(first) + len(second) == len([path for path in inbox.rglob("*") if path.is_file()])
    monday = inbox / "oms_logs" / "2026-01" / "2026-01-05.parquet"
    whole = set(duckdb.read_parquet(str(monday)).fetchall())
    late = history.keep_back(inbox, first, 20)
    kept, left = (set(duckdb.read_parquet(str(path)).fetchall()) for path in (inbox / late, monday))
    assert (len(kept), kept | left, kept & left) == (20, whole, set())
    assert late not in first
    with pytest.raises(SystemExit, match="take more ORDERS"):
        history.keep_back(inbox, first, len(left))


def test_history_is_compared_without_the_first_run() -> None:
    def took(seconds: float) -> Ended:
        return Ended(0, "", 0.0, seconds, 2 * seconds, 1)

    runs = [took(seconds) for seconds in (1, 10, 11, 12, 13, 14, 90, 91, 92, 93, 22, 20, 21, 22, 23)]
    assert history.ratios(runs, took(100)) == {
        "run_seconds_after_all_weeks": pytest.approx(22 / 12, abs=1e-3),
        "cpu_seconds_after_all_weeks": pytest.approx(22 / 12, abs=1e-3),
        "run_seconds_week_by_week": 5.35,
        "cpu_seconds_week_by_week": 5.35,
    }


def test_growth_is_drawn_with_a_point_for_each_measurement() -> None:
    month = {"run_seconds": 10.0, "run_cpu_seconds": 20.0, "handwritten_seconds": 5.0}
    months = [{**month, "rows": {"oms_logs": {"rows_read": logs}}} for logs in (10**6, 10**8)]
    runs = [{"run_seconds": 10.0, "run_cpu_seconds": 12.0}] * 4
    for chart, points in ((plots.records(months), 3 * 2), (plots.weeks({"orders": 7, "runs": runs}), 2 * 4)):
        drawn = ElementTree.fromstring(chart.render())
        assert len([one for one in drawn.iter() if one.get("class", "").startswith("dot ")]) >= points


def test_a_command_runs_in_the_environment_that_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_BENCH", "kept")
    tell = [sys.executable, "-c", "import os; print(os.environ['OF_BENCH'], os.environ.get('OF_COMMAND'))"]
    assert run(tell, {"OF_COMMAND": "spark"}).text.split() == ["kept", "spark"]
    assert run(tell).text.split() == ["kept", "None"]
    with pytest.raises(SystemExit, match="ended with status 3"):
        succeed([sys.executable, "-c", "raise SystemExit(3)"])
    assert succeed([sys.executable, "-c", "raise SystemExit(3)"], also=[3]).status == 3
