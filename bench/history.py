"""`make bench-history`: what a weekly run costs as history grows, and a backfill of all weeks beside it.

The same WEEKS of ORDERS orders come to one home week by week, with a run after each, and to another at once, with one
run. Some records of an old week are kept back and come at the end, in a file of their own. The two stores are compared
cell by cell. Writes `results/history.json`; the exit status is 1 where a cell differs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.processes import Ended, succeed
from bench.run import METRIC_STORE, machine, say, shown, versions

RESULT = Path(__file__).with_name("results") / "history.json"
WEEKS, ORDERS, SELLERS = 52, 1000, 50
#: A Monday so long ago that all weeks have passed: others only land.
START = "2025-01-06"
#: So many log records of one day come late, and the number of the week that they belong to.
LATE_RECORDS, LATE_WEEK = 1000, 10
#: Runs whose median stands for a short and for a long history. The first of all restates nothing, and isn't among them.
FEW = 5


def main() -> int:
    """Measure, compare, write the result and print it."""
    weeks, orders = (int(os.environ.get(name) or usual) for name, usual in (("WEEKS", WEEKS), ("ORDERS", ORDERS)))
    load = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory(prefix="metric-store-bench-") as folder:
        sample, weekly, at_once = (Path(folder) / name for name in ("sample", "weekly", "at-once"))
        say(f"sample of {weeks} weeks of {orders:,} orders")
        size = ["--start", START, "--weeks", str(weeks), "--orders-per-week", str(orders), "--sellers", str(SELLERS)]
        succeed([METRIC_STORE, "sample", "--home", str(sample), *size])
        inbox = sample / "inbox"
        deliveries = by_week(inbox)
        late = keep_back(inbox, deliveries[min(LATE_WEEK, weeks) - 1], LATE_RECORDS)
        runs = []
        for number, files in enumerate(deliveries, 1):
            runs.append(_run(weekly, inbox, files))
            say(f"week {number} of {weeks}: {runs[-1].seconds:.1f} s")
        backfill = _run(at_once, inbox, [file for files in deliveries for file in files])
        say(f"{weeks} weeks at once: {backfill.seconds:.1f} s")
        restated, _ = (_run(home, inbox, [late]) for home in (weekly, at_once))
        # Large libraries come now: a process inherits what its parent held, so who measures memory must be small.
        from bench.stores import differences

        result = {
            "weeks": weeks,
            "orders": orders,
            "sellers": SELLERS,
            "runs": [_figures(ended) for ended in runs],
            "backfill": _figures(backfill),
            "late_file": {"records": LATE_RECORDS, **_figures(restated)},
            "ratios": ratios(runs, backfill),
            "differences": differences(*(home / "published" / "metric_store.duckdb" for home in (weekly, at_once))),
        }
    result["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    result["versions"] = versions()
    result["machine"] = machine(load)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    _print(result)
    return 1 if result["differences"] else 0


def by_week(inbox: Path) -> list[list[Path]]:
    """The files of a sample by the week of the date that their names begin with; paths relative to the inbox."""
    weeks: dict[date, list[Path]] = {}
    for path in sorted(path for path in inbox.rglob("*") if path.is_file()):
        day = date.fromisoformat(path.name[:10])
        weeks.setdefault(date.fromordinal(day.toordinal() - day.weekday()), []).append(path.relative_to(inbox))
    return [weeks[week] for week in sorted(weeks)]


def keep_back(inbox: Path, files: Iterable[Path], number: int) -> Path:
    """Move so many records of the first day's logs to a file of their own, which it returns; not one of `files`.

    SystemExit where the day hasn't more than that.
    """
    import duckdb  # small enough: no run is smaller

    logs = next(file for file in files if file.parts[0] == "oms_logs" and file.suffix == ".parquet")
    late, rest = logs.with_stem(f"{logs.stem}-kept-back"), logs.with_stem(f"{logs.stem}-rest")
    with duckdb.connect() as db:
        records = db.read_parquet(str(inbox / logs)).order("log_id")
        if len(records) <= number:
            raise SystemExit(f"{logs} has {len(records)} records, so {number} can't be kept back: take more ORDERS.")
        records.limit(number).write_parquet(str(inbox / late))
        records.limit(2**62, number).write_parquet(str(inbox / rest))
    (inbox / rest).replace(inbox / logs)
    return late


def _run(home: Path, inbox: Path, files: Iterable[Path]) -> Ended:
    """Bring files into a home's inbox, and run it."""
    for file in files:
        target = home / "inbox" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(inbox / file, target)
    return succeed([METRIC_STORE, "run", "--home", str(home)])


def _figures(ended: Ended) -> dict[str, Any]:
    published = re.search(r"Published (\d+) week", ended.text)
    return {
        "run_seconds": round(ended.seconds, 3),
        "run_cpu_seconds": round(ended.cpu_seconds, 3),
        "peak_rss_bytes": ended.peak_rss_bytes,
        "weeks_published": int(published[1]) if published else 0,
    }


def ratios(runs: Sequence[Ended], backfill: Ended) -> dict[str, float]:
    """A run after all weeks to one after a few, and all runs together to the backfill: how many times the cost.

    In seconds of the clock, and of the processors, which depend less on what else the machine does.
    """
    early, late = runs[1 : 1 + FEW], runs[-FEW:]
    return {
        "run_seconds_after_all_weeks": round(median(r.seconds for r in late) / median(r.seconds for r in early), 3),
        "cpu_seconds_after_all_weeks": round(
            median(r.cpu_seconds for r in late) / median(r.cpu_seconds for r in early), 3
        ),
        "run_seconds_week_by_week": round(sum(r.seconds for r in runs) / backfill.seconds, 2),
        "cpu_seconds_week_by_week": round(sum(r.cpu_seconds for r in runs) / backfill.cpu_seconds, 2),
    }


def _print(result: dict[str, Any]) -> None:
    lines = [
        f"{result['weeks']} weeks of {result['orders']:,} orders; load {result['machine']['load_average']:g} before",
        "",
        f"{'run':<34}{'seconds':>10}{'CPU':>10}{'MiB':>8}{'weeks':>8}",
    ]
    named = [(f"week {number}", run) for number, run in enumerate(result["runs"], 1)]
    together = {
        "run_seconds": sum(run["run_seconds"] for run in result["runs"]),
        "run_cpu_seconds": sum(run["run_cpu_seconds"] for run in result["runs"]),
        "peak_rss_bytes": max(run["peak_rss_bytes"] for run in result["runs"]),
        "weeks_published": sum(run["weeks_published"] for run in result["runs"]),
    }
    named += [
        ("week by week, together", together),
        ("all weeks at once", result["backfill"]),
        (f"then a late file of {result['late_file']['records']:,} records", result["late_file"]),
    ]
    for name, run in named:
        lines.append(
            f"{name:<34}{run['run_seconds']:>10.1f}{run['run_cpu_seconds']:>10.1f}"
            f"{run['peak_rss_bytes'] / 2**20:>8.0f}{run['weeks_published']:>8}"
        )
    lines += ["", *(f"{name.replace('_', ' '):<34}{times:>10.2f} times" for name, times in result["ratios"].items())]
    verdict = "; ".join(result["differences"]) or "every published cell equal"
    print("\n".join([*lines, "", f"Stores: {verdict}", f"Written: {shown(RESULT)}"]))


if __name__ == "__main__":
    sys.exit(main())
