"""What a week of several times the volume cost on this machine, as `make bench-volume` measured it.

The benchmark leaves its result in the home that it is given; without one the page says how to measure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.home.layout import Home
from orchestration.report.tables import Column, Table

_COLUMNS = (
    Column("what", "Of a whole run", "text", "What was measured."),
    Column("normal", "Normal week", "count", "A week of the usual number of orders."),
    Column("peak", "Peak week", "count", "A week of several times as many orders."),
    Column("times", "Times", "decimal", "Peak week / normal week."),
)
#: Name in the result, words on the page, units of the result in one of the page.
_MEASURED = (
    ("records", "Records", 1),
    ("run_seconds", "Time, s", 1),
    ("run_cpu_seconds", "Time of the processor, s", 1),
    ("peak_rss_bytes", "Memory of the largest process, MiB", 2**20),
)


@dataclass(frozen=True)
class PipelineAtPeak:
    """A measurement: `orders` a normal week, `factor` times as many in the other; `table` has both and the ratio."""

    orders: int
    factor: int
    measured_at: str
    table: Table


def mark_of_pipeline(home: Home) -> str:
    """Changes with every measurement; empty without one."""
    try:
        found = home.pipeline_at_peak.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_size}"


def read_pipeline(home: Home) -> PipelineAtPeak | None:
    """The measurement that lies in the home; None where there is none, or a file that holds something else."""
    try:
        result: Mapping[str, Any] = json.loads(home.pipeline_at_peak.read_bytes())
        rows = [
            (words, round(result["normal"][name] / unit), round(result["peak"][name] / unit), result["ratios"][name])
            for name, words, unit in _MEASURED
        ]
        return PipelineAtPeak(
            int(result["orders"]),
            int(result["factor"]),
            str(result["measured_at"])[:10],
            Table("pipeline", "The pipeline under peak volume", "", _COLUMNS, rows),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
