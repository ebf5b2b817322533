"""`make bench-year`: what a home holds, and what a weekly run costs, in a year of daily deliveries.

Each night brings the logs of the day and lands them; each Monday brings the rest of the week, and computes it. The runs
are given the time that they would have, in this process, which has imported everything once: a process of its own takes
some seconds more. Writes `results/year.json`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from click.testing import CliRunner

from bench.run import machine, say, shown, versions
from orchestration.cli.app import main as metric_store
from orchestration.home.layout import Home

RESULT = Path(__file__).with_name("results") / "year.json"
WEEKS, ORDERS, SELLERS = 52, 60, 10
#: A Monday so long ago that the year is over. Dagster notes when a run began by its own clock, which is set right.
START, BEGAN = date(2025, 1, 6), datetime.now(UTC)
#: The weeks after which the table has a line, and the runs up to there whose median it shows.
SHOWN, FEW = (4, 8, 12, 16, 26, 39, 52), 3


def main() -> None:
    """Simulate the year, write the result and print it."""
    weeks, keep_days = int(os.environ.get("WEEKS") or WEEKS), os.environ.get("KEEP_RUNS_DAYS")
    load = round(os.getloadavg()[0], 2)
    after_weeks = []
    with tempfile.TemporaryDirectory(prefix="metric-store-bench-") as folder:
        sample, home = Path(folder) / "sample", Home(Path(folder) / "home")
        size = ["--weeks", weeks, "--start", START, "--orders-per-week", ORDERS, "--sellers", SELLERS]
        _command("sample", "--home", sample, *size)
        if keep_days:
            home.config.mkdir(parents=True)
            (home.config / "settings.csv").write_text(f"key,value\nkeep_runs_days,{keep_days}\n")
        nights: dict[date, list[Path]] = {}
        for path in sorted(path for path in (sample / "inbox").rglob("*") if path.is_file()):
            nights.setdefault(delivered_on(path), []).append(path)
        landing: list[dict[str, Any]] = []
        for day in sorted(nights):
            ended = _run(home, sample, nights[day], day)
            if day.weekday():
                landing.append(ended)
                continue
            after_weeks.append({"run": ended, "landing_runs": landing, "bytes": held(home)})
            landing = []
            say(f"week {len(after_weeks)} of {weeks}: {ended['seconds']:.1f} s, {ended['weeks_published']} published")
    result = {
        "orders": ORDERS,
        "sellers": SELLERS,
        "keep_runs_days": int(keep_days or 90),
        "after_weeks": after_weeks,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": machine(load),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    _print(after_weeks)
    print(f"\nWritten: {shown(RESULT)}")


def delivered_on(path: Path) -> date:
    """The night after its day, where a file has the logs of a day; else the Monday after the week of its name."""
    day = date.fromisoformat(path.name[:10])
    is_daily = path.name == f"{day}.parquet"
    return day + timedelta(days=1 if is_daily else 7 - day.weekday())


def held(home: Home) -> dict[str, int]:
    """Bytes on disk by part of the home, without its inbox."""
    parts = {
        "dagster": home.dagster,
        "data_docs": home.data_docs,
        "reports": home.reports,
        "warehouse": home.warehouse,
        "landing": home.landing,
        "ledger": home.ledger,
        "store": home.published_store,
        "evidence": home.evidence,
    }
    sizes = {name: _bytes(path) for name, path in parts.items()}
    return sizes | {"landing": sizes["landing"] - sizes["ledger"]}


def _bytes(place: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in [place, *place.rglob("*")] if path.is_file())


def _run(home: Home, sample: Path, files: Iterable[Path], day: date) -> dict[str, Any]:
    """What a run of this night took, with the files that it brings."""
    for file in files:
        target = home.root / file.relative_to(sample)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    at = datetime(day.year, day.month, day.day, 4)
    started, cpu = time.perf_counter(), time.process_time()
    text = _command("run", "--home", home.root, "--now", at.isoformat())
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    with sqlite3.connect(home.dagster / "history" / "runs.db") as history:
        history.execute("update runs set create_timestamp = ? where create_timestamp > ?", (f"{at}", f"{BEGAN:%F %T}"))
    published = re.search(r"Published (\d+) week", text)
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "weeks_published": int(published[1]) if published else 0,
    }


def _command(*arguments: object) -> str:
    """What a command says that has to end well, or has to withhold no more than a week."""
    ended = CliRunner().invoke(metric_store, [str(argument) for argument in arguments])
    if ended.exit_code not in (0, 3):
        raise SystemExit(f"metric-store {' '.join(map(str, arguments))}\nended with {ended.exit_code}:\n{ended.output}")
    return ended.output


def _print(after_weeks: list[dict[str, Any]]) -> None:
    """Median cost of the last few runs, and sizes, after some numbers of weeks."""
    parts = list(after_weeks[0]["bytes"])
    print("".join(f"{name:>11}" for name in ("weeks", "run, s", "CPU, s", "computed", "landing, s", *parts)) + "  (MB)")
    for number in sorted({*(week for week in SHOWN if week <= len(after_weeks)), len(after_weeks)}):
        few = after_weeks[max(0, number - FEW) : number]
        cells = [median(week["run"][name] for week in few) for name in ("seconds", "cpu_seconds", "weeks_published")]
        cells.append(median(run["seconds"] for week in few for run in week["landing_runs"]))
        cells += [after_weeks[number - 1]["bytes"][part] / 1e6 for part in parts]
        print(f"{number:>11}" + "".join(f"{cell:>11.1f}" for cell in cells))


if __name__ == "__main__":
    main()
