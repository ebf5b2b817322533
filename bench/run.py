"""`make bench`: what `metric-store run` costs on SCALE times the source's August, 237,642,097 logs, stage by stage.

Beside it stand the main figures as hand-written SQL, in time and value by value. Writes `results/august-SCALE.json`
and the same as `results/latest.json`; the exit status is 1 if a figure differs. Large libraries are imported after the
last command has ended (`processes`).
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.processes import least_seconds, succeed

if TYPE_CHECKING:
    from bench.processes import Ended

RESULTS = Path(__file__).with_name("results")
SCALE = 0.01
WITHHELD = 3  # how a run ends that withholds a week: the month begins with a Friday, and days are missing before it
YARDSTICK_RUNS, RUNS_OF_LARGE = 3, 1
LARGE = 0.1
PACKAGES = ("brand-experience-metric-store", "dagster", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations")
METRIC_STORE = str(Path(sys.executable).with_name("metric-store"))


def main() -> int:
    """Measure, compare, write the result and print it."""
    scale = float(os.environ.get("SCALE") or SCALE)
    load = round(os.getloadavg()[0], 2)  # what else the machine was doing when this began
    with tempfile.TemporaryDirectory(prefix="metric-store-bench-") as folder:
        measured, compared = _measure(folder, scale)
    result: dict[str, Any] = {"scale": scale, **measured, "compared": compared}
    result["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    result["versions"] = versions()
    result["machine"] = machine(load)
    RESULTS.mkdir(exist_ok=True)
    written = RESULTS / f"august-{scale:g}.json"
    for file in (written, RESULTS / "latest.json"):
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    _print(result, written)
    return 0 if result["figures_equal"] else 1


def _measure(home: str, scale: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All measurements on a new home, and what was compared. Commands come first: they want this process small."""
    say(f"sample of {scale:g} times a month")
    sampled = succeed([METRIC_STORE, "sample", "--home", home, "--scenario", "august", "--scale", str(scale)])
    commands = {
        "import orchestration.definitions": least_seconds([sys.executable, "-c", "import orchestration.definitions"]),
        "metric-store --help": least_seconds([METRIC_STORE, "--help"]),
    }
    say("metric-store run")
    ended = succeed([METRIC_STORE, "run", "--home", home], also=[WITHHELD])
    say("metric-store run again, and status")
    again = succeed([METRIC_STORE, "run", "--home", home])
    commands["metric-store status"] = least_seconds([METRIC_STORE, "status", "--home", home])
    say("the yardstick")
    times, compared = _yardstick(home, YARDSTICK_RUNS if scale < LARGE else RUNS_OF_LARGE)
    different = sum(column["different"] for column in compared)
    measured = {
        "ratio_to_handwritten": round(ended.seconds / min(times), 1),
        "peak_rss_bytes": ended.peak_rss_bytes,
        "figures_equal": bool(compared) and different == 0,
        "values_compared": sum(column["values"] for column in compared),
        "values_different": different,
        "run_seconds": round(ended.seconds, 3),
        "run_cpu_seconds": round(ended.cpu_seconds, 3),
        "handwritten_seconds": round(min(times), 3),
        "second_run_seconds": round(again.seconds, 3),
        "second_run_said": again.text.strip().splitlines()[-1],
        "stages": _stages(home, ended),
        "commands": {name: round(seconds, 3) for name, seconds in commands.items()},
        "sample_seconds": round(sampled.seconds, 3),
        "sample_cpu_seconds": round(sampled.cpu_seconds, 3),
        "sample_peak_rss_bytes": sampled.peak_rss_bytes,
        "inbox_bytes": sum(file.stat().st_size for file in (Path(home) / "inbox").rglob("*") if file.is_file()),
        "rows": read_rows(home),
    }
    return measured, compared


def _yardstick(home: str, runs: int) -> tuple[list[float], list[dict[str, Any]]]:
    """Seconds of each run of the hand-written figures, and their comparison with the published store."""
    from bench.yardstick import compare, compute
    from orchestration.home.layout import Home

    place, times = Home.of(home), []
    for _ in range(runs):
        started = time.perf_counter()
        figures = compute(place.inbox)
        times.append(time.perf_counter() - started)
    return times, [asdict(column) for column in compare(figures, place.published_store)]


def _stages(home: str, ended: Ended) -> dict[str, float]:
    from bench.stages import stages
    from orchestration.home.layout import Home

    return {stage: round(seconds, 3) for stage, seconds in stages(Home.of(home), ended).items()}


def read_rows(home: str) -> dict[str, dict[str, int]]:
    """By source, the records that its files held and what became of them."""
    from orchestration.home.layout import Home
    from orchestration.ingest.ledger import Ledger

    rows: dict[str, dict[str, int]] = {}
    with Ledger(Home.of(home).ledger, read_only=True) as ledger:
        for file in ledger.files():
            counts = rows.setdefault(file["source"], {"rows_read": 0, "landed": 0, "quarantined": 0, "duplicates": 0})
            for name in counts:
                counts[name] += file[name]
    return dict(sorted(rows.items()))


def machine(load: float) -> dict[str, Any]:
    """What it was measured on; `load` is the load average before."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_average": load,
    }


def versions() -> dict[str, str]:
    """Python's version, and those of the packages that do the work."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def say(text: str) -> None:
    """What is being measured, for who waits."""
    print(f"... {text}", file=sys.stderr, flush=True)


def _print(result: dict[str, Any], written: Path) -> None:
    """The result as tables for people."""
    total, load = result["run_seconds"], result["machine"]["load_average"]
    lines = [
        f"SCALE={result['scale']:g}: {result['rows']['oms_logs']['rows_read']:,} logs; load {load:g} before",
        "",
    ]
    lines += [
        f"{stage:<34}{seconds:>10.2f} s{100 * seconds / total:>7.1f} %" for stage, seconds in result["stages"].items()
    ]
    lines += [
        f"{'metric-store run':<34}{total:>10.2f} s",
        f"{'hand-written SQL':<34}{result['handwritten_seconds']:>10.2f} s",
    ]
    lines += [f"{'ratio to hand-written':<34}{result['ratio_to_handwritten']:>10.1f}", ""]
    lines += [f"{'peak RSS, largest process':<34}{result['peak_rss_bytes'] / 2**20:>10.0f} MiB"]
    lines += [f"{'CPU, all processes':<34}{result['run_cpu_seconds']:>10.2f} s"]
    lines += [f"{'second run, nothing new':<34}{result['second_run_seconds']:>10.2f} s"]
    lines += [f"{'metric-store sample':<34}{result['sample_seconds']:>10.2f} s"]
    lines += [f"{'peak RSS of the sample':<34}{result['sample_peak_rss_bytes'] / 2**20:>10.0f} MiB"]
    lines += [f"{command:<34}{seconds:>10.2f} s" for command, seconds in result["commands"].items()]
    lines += ["", f"{'source':<24}{'read':>12}{'landed':>12}{'quarantined':>13}{'duplicates':>12}"]
    for source, counts in result["rows"].items():
        read, landed, quarantined, duplicates = counts.values()
        lines.append(f"{source:<24}{read:>12,}{landed:>12,}{quarantined:>13,}{duplicates:>12,}")
    lines += ["", f"{'figure':<30}{'column':<18}{'values':>8}{'different':>11}"]
    lines += ["{figure:<30}{column:<18}{values:>8,}{different:>11,}".format(**column) for column in result["compared"]]
    verdict = "all equal" if result["figures_equal"] else f"{result['values_different']:,} DIFFERENT"
    lines += ["", f"Figures: {result['values_compared']:,} values compared, {verdict}", f"Written: {shown(written)}"]
    print("\n".join(lines))


def shown(path: Path) -> str:
    """A path as short as it can be."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
