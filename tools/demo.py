"""`make demo`: synthetic weeks into a home, one run over all of them, the headline figures, and where to look next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dbt_project.registry import registry


def metric_store(*arguments: str) -> int:
    """Run a command as a user would; returns its exit status."""
    command = Path(sys.executable).with_name("metric-store")
    print(f"\n$ metric-store {' '.join(arguments)}", flush=True)
    return subprocess.run([str(command), *arguments], check=False).returncode


def main() -> int:
    """Make the demo's home if it is new, run it, and show it."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "./data")
    if not (home / "inbox").is_dir() and (status := metric_store("sample", "--home", str(home))):
        return status
    status = metric_store("run", "--home", str(home))
    if status not in (0, 3):
        return status
    for metric in registry().headlines:
        if registry().metric(metric).interval:
            metric_store("metric", metric, "--home", str(home))
    metric_store("status", "--home", str(home))
    print(f"\nPublished store  {home / 'published' / 'metric_store.duckdb'}  (DuckDB, schema marts)")
    print(f"Report           {home / 'reports' / 'index.html'}")
    print(f"Data docs        {home / 'data_docs' / 'index.html'}")
    print("Dagster UI       make ui")
    return status


if __name__ == "__main__":
    sys.exit(main())
