"""`make bench-volume`: what a week costs with five times the orders of a normal one, stage by stage.

Two homes with one week each, of ORDERS and of five times as many orders, of as many sellers. Writes
`results/volume.json`, and a copy into the home that is given, for its report.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.processes import Ended, succeed
from bench.run import METRIC_STORE, machine, read_rows, say, shown, versions

RESULT = Path(__file__).with_name("results") / "volume.json"
ORDERS, FACTOR, SELLERS = 5000, 5, 200


def main() -> None:
    """Measure both weeks, write the result and print it."""
    orders = int(os.environ.get("ORDERS") or ORDERS)
    load = round(os.getloadavg()[0], 2)
    measured: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="metric-store-bench-") as folder:
        runs: dict[str, tuple[str, Ended]] = {}
        for name, volume in (("normal", orders), ("peak", FACTOR * orders)):
            home = str(Path(folder) / name)
            say(f"a week of {volume:,} orders")
            size = ["--weeks", "1", "--orders-per-week", str(volume), "--sellers", str(SELLERS)]
            succeed([METRIC_STORE, "sample", "--home", home, *size])
            runs[name] = (home, succeed([METRIC_STORE, "run", "--home", home]))
        for name, (home, ended) in runs.items():  # large libraries only now: who measures memory must be small
            measured[name] = _measured(home, ended)
    result = {
        "orders": orders,
        "factor": FACTOR,
        "sellers": SELLERS,
        **measured,
        "ratios": ratios(measured["normal"], measured["peak"]),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": machine(load),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if len(sys.argv) > 1:
        _leave_in(Path(sys.argv[1]))
    _print(result)


def _leave_in(folder: Path) -> None:
    """The result for the report of a home, where there is one."""
    from orchestration.home.layout import Home

    home = Home.of(folder)
    if home.published_store.is_file():
        shutil.copyfile(RESULT, home.pipeline_at_peak)
        say(f"for the report of {folder}: metric-store report --home {folder}")


def _measured(home: str, ended: Ended) -> dict[str, Any]:
    from bench.stages import stages
    from orchestration.home.layout import Home

    return {
        "records": sum(counts["rows_read"] for counts in read_rows(home).values()),
        "run_seconds": round(ended.seconds, 3),
        "run_cpu_seconds": round(ended.cpu_seconds, 3),
        "peak_rss_bytes": ended.peak_rss_bytes,
        "stages": {stage: round(seconds, 3) for stage, seconds in stages(Home.of(home), ended).items()},
    }


def ratios(normal: dict[str, Any], peak: dict[str, Any]) -> dict[str, float]:
    """How many times the normal week's cost the other one has: records, time, CPU, memory, and the time by stage."""
    whole = [name for name in normal if name != "stages"]
    both = [(name, normal[name], peak[name]) for name in whole]
    both += [(stage, seconds, peak["stages"].get(stage, 0.0)) for stage, seconds in normal["stages"].items()]
    return {name: round(after / before, 2) for name, before, after in both if before > 0}


def _print(result: dict[str, Any]) -> None:
    normal, peak, times = result["normal"], result["peak"], result["ratios"]
    lines = [
        f"{result['orders']:,} orders a week, and {result['factor']} times as many; "
        f"load {result['machine']['load_average']:g} before",
        "",
        f"{'stage':<30}{'normal':>12}{'peak':>12}{'times':>8}",
    ]
    for stage, seconds in normal["stages"].items():
        lines.append(f"{stage:<30}{seconds:>10.2f} s{peak['stages'].get(stage, 0):>10.2f} s{times.get(stage, 0):>8.2f}")
    for name, unit, by in (("run_seconds", "s", 1), ("run_cpu_seconds", "s", 1), ("peak_rss_bytes", "MiB", 2**20)):
        label = f"{name.rpartition('_')[0]}, {unit}"
        lines.append(f"{label:<30}{normal[name] / by:>12.1f}{peak[name] / by:>12.1f}{times[name]:>8.2f}")
    lines.append(f"{'records':<30}{normal['records']:>12,}{peak['records']:>12,}{times['records']:>8.2f}")
    print("\n".join([*lines, "", f"Written: {shown(RESULT)}"]))


if __name__ == "__main__":
    main()
