"""`make bench-publication`: what publishing one week costs as the store grows.

A home with one published week of SELLERS sellers. Its store gets WEEKS weeks by copying that week back in time, with
other figures each; then the next week is run. Writes `results/publication.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.processes import Ended, succeed
from bench.run import METRIC_STORE, machine, say, shown, versions

RESULT = Path(__file__).with_name("results") / "publication.json"
WEEKS, SELLERS, ORDERS = "8,52,260", 2000, 4000
FIRST, NEXT = date(2026, 1, 5), date(2026, 1, 12)
#: The stages that could grow with the store. The report is none: it writes the pages of each copied week, once.
STAGES = ("build", "after_gate", "published_store")


def main() -> None:
    """Measure a publication on a store of each size, write the result and print it."""
    sizes = [int(weeks) for weeks in (os.environ.get("WEEKS") or WEEKS).split(",")]
    load = round(os.getloadavg()[0], 2)
    measured: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="metric-store-bench-") as folder:
        first = Path(folder) / "first"
        say(f"two weeks of {ORDERS:,} orders of {SELLERS:,} sellers, the first one published")
        size = ["--weeks", "2", "--start", str(FIRST), "--orders-per-week", str(ORDERS), "--sellers", str(SELLERS)]
        succeed([METRIC_STORE, "sample", "--home", str(first), *size])
        succeed([METRIC_STORE, "run", "--home", str(first), "--weeks", str(FIRST)])
        for weeks in sizes:
            home = Path(folder) / str(weeks)
            shutil.copytree(first, home, ignore=shutil.ignore_patterns("dagster"))
            lengthen(home, weeks)
            say(f"a publication on {weeks} weeks")
            ended = succeed([METRIC_STORE, "run", "--home", str(home), "--weeks", str(NEXT)])
            measured[weeks] = _measured(home, ended)
            shutil.rmtree(home)
    result = {
        "sellers": SELLERS,
        "orders": ORDERS,
        "by_weeks": measured,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": machine(load),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    _print(measured)


def lengthen(home: Path, weeks: int) -> None:
    """Give the store of a home with one published week so many, by copies of it further back with other numerators."""
    import duckdb

    with duckdb.connect(str(home / "published" / "metric_store.duckdb")) as db:
        tables: dict[str, list[str]] = dict(
            db.execute(
                "select table_name, list(column_name) from duckdb_columns() where schema_name = 'marts' group by 1"
            ).fetchall()
        )
        for table, columns in tables.items():
            if "week_start" not in columns:
                continue
            back = [f"{name} - to_days(7 * back) as {name}" for name in _DATES if name in columns]
            if table == "fct_metric_week":
                back.append("numerator + 37 * back % 11 as numerator")
            db.execute(
                f"insert into marts.{table} select week.* replace ({', '.join(back)}) from marts.{table} as week, "
                f"range(1, {weeks}) as earlier(back)"
            )


#: Columns of weekly tables that name a week or a day.
_DATES = ("week_start", "cohort_week_start", "day", "applies_from")


def _measured(home: Path, ended: Ended) -> dict[str, Any]:
    from bench.stages import stages
    from orchestration.home.layout import Home

    of = stages(Home.of(home), ended)
    store = home / "published" / "metric_store.duckdb"
    return {
        "store_bytes": store.stat().st_size,
        "stages": {stage: round(of[stage], 3) for stage in STAGES},
    }


def _print(measured: dict[int, dict[str, Any]]) -> None:
    least = next(iter(measured.values()))
    print(f"{'weeks':>6}{'store, MB':>12}" + "".join(f"{stage + ', s':>22}" for stage in STAGES))
    for weeks, of in measured.items():
        times = [f"{of['stages'][s]:.2f} (x{of['stages'][s] / least['stages'][s]:.2f})" for s in STAGES]
        print(f"{weeks:>6}{of['store_bytes'] / 1e6:>12.1f}" + "".join(f"{time:>22}" for time in times))
    print(f"\nWritten: {shown(RESULT)}")


if __name__ == "__main__":
    main()
