"""DuckDB against Spark on the same month of records, at three sizes: `.venv/bin/python bench/engines.py [SCALE ...]`.

SCALE 1 is 20,000 orders a week; without one, 0.25, 1 and 4. Both engines compute the same landed records, Spark as the
environment says (in the process, or behind SPARK_THRIFT_HOST); the stores are compared cell by cell. Writes
`results/engines.json`; the exit status is 1 where a cell differs. Needs the extra `spark`.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.processes import Ended, succeed
from bench.stores import copy_landed, differences

RESULT = Path(__file__).with_name("results") / "engines.json"
SCALES = (0.25, 1.0, 4.0)
WEEKS, ORDERS_PER_WEEK, SELLERS = 4, 20_000, 800
PACKAGES = ("duckdb", "dbt-duckdb", "pyspark", "dbt-spark")
METRIC_STORE = str(Path(sys.executable).with_name("metric-store"))
STAGES = ("run_inputs", "build", "gate", "after_gate", "published_store")


def main(scales: list[float]) -> int:
    """Measure every size, print a line for each, and write the result."""
    load = round(os.getloadavg()[0], 2)
    sizes = []
    for scale in scales:
        with tempfile.TemporaryDirectory(prefix="metric-store-engines-") as folder:
            sizes.append(_measure(Path(folder), scale))
        _print(sizes[-1])
    result = {
        "sizes": sizes,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}},
        "machine": {"system": platform.system(), "cores": os.cpu_count(), "load_average": load},
        "spark": "thrift" if os.environ.get("SPARK_THRIFT_HOST") else "session",
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"Written: {RESULT}")
    return 1 if any(size["differences"] for size in sizes) else 0


def _measure(folder: Path, scale: float) -> dict[str, Any]:
    """One size: the same records landed once, computed by each engine in a home of its own."""
    landed = folder / "landed"
    sample = {
        "weeks": WEEKS,
        "orders-per-week": max(7, round(scale * ORDERS_PER_WEEK)),
        "sellers": max(1, round(scale * SELLERS)),
    }
    options = [text for name, value in sample.items() for text in (f"--{name}", str(value))]
    succeed([METRIC_STORE, "sample", "--home", str(landed), *options])
    succeed([METRIC_STORE, "run", "--home", str(landed)], environment=_environment("duckdb"))
    measured: dict[str, Any] = {"scale": scale, "sample": sample}
    for engine in ("duckdb", "spark"):
        copy_landed(landed, folder / engine)
        ended = succeed([METRIC_STORE, "run", "--home", str(folder / engine)], environment=_environment(engine))
        if (folder / engine / "spark").is_dir() != (engine == "spark"):
            raise SystemExit(f"the run that was to be {engine}'s was another engine's")
        measured[engine] = _figures(folder / engine, ended)
    stores = [folder / engine / "published" / "metric_store.duckdb" for engine in ("duckdb", "spark")]
    measured["differences"] = differences(*stores)
    return measured


def _environment(engine: str) -> dict[str, str]:
    return {"METRIC_STORE_ENGINE": engine}


def _figures(home: Path, ended: Ended) -> dict[str, Any]:
    """Seconds by stage; CPU and memory are of the largest process of this machine, a cluster's are its own."""
    from bench.stages import stages
    from orchestration.home.layout import Home

    seconds = stages(Home.of(home), ended)
    return {
        "run_seconds": round(ended.seconds, 2),
        "cpu_seconds": round(ended.cpu_seconds, 2),
        "peak_rss_bytes": ended.peak_rss_bytes,
        "stages": {stage: round(seconds.get(stage, 0.0), 2) for stage in STAGES},
    }


def _print(size: dict[str, Any]) -> None:
    print(f"scale {size['scale']:g}: {size['sample']['orders-per-week']:,} orders a week, {WEEKS} weeks")
    for engine in ("duckdb", "spark"):
        figures = size[engine]
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in figures["stages"].items())
        memory = figures["peak_rss_bytes"] / 2**20
        print(f"  {engine:<8}{figures['run_seconds']:>8.1f} s ({stages}); {memory:,.0f} MiB")
    print("  " + ("; ".join(size["differences"]) or "every published cell equal"), flush=True)


if __name__ == "__main__":
    sys.exit(main([float(scale) for scale in sys.argv[1:]] or list(SCALES)))
