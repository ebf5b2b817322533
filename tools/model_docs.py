"""`make docs`: the dbt docs site of a home as one page in it, linked from its report. Needs no network."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from metric_store.errors import MetricStoreError
from orchestration.home.files import write_whole
from orchestration.home.layout import Home
from orchestration.report.writing import write_report
from orchestration.transform.engine import Engine
from orchestration.transform.invocation import invoke


def write_model_docs(home: Home) -> Path:
    """Describe the project and the warehouse of the last run, and renew the report. Raises MetricStoreError."""
    if not home.warehouse.is_file():
        raise MetricStoreError(f"{home.root} has no warehouse yet: metric-store run --home {home.quoted}")
    with tempfile.TemporaryDirectory() as folder:
        invoke(["docs", "generate", "--static"], home, Engine.target, Path(folder))
        write_whole(home.model_docs, (Path(folder) / "static_index.html").read_text(encoding="utf-8"))
    write_report(home)
    return home.model_docs


def main() -> int:
    """Print where the page lies, or what is in the way."""
    try:
        print(f"Docs of the models: {write_model_docs(Home.of(sys.argv[1]).require())}")
    except MetricStoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
