"""`make bench-plots`: growth curves of what `bench/results` holds, as SVG in `docs/images`. Measures nothing itself."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pygal
from pygal.style import LightSolarizedStyle as Style

RESULTS = Path(__file__).with_name("results")
IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

_CONFIG: dict[str, Any] = {
    "js": [],
    "width": 760,
    "height": 380,
    "legend_at_bottom": True,
    "style": Style(background="white", plot_background="white", font_family="sans-serif"),
}


def main() -> None:
    """Draw what there is, and say what there isn't."""
    months = [json.loads(file.read_text(encoding="utf-8")) for file in RESULTS.glob("august-*.json")]
    if len(months) > 1:
        _write("growth-records.svg", records(sorted(months, key=_logs)))
    else:
        print("Run make bench at two values of SCALE or more to draw what records cost.", file=sys.stderr)
    history = RESULTS / "history.json"
    if history.is_file():
        _write("growth-weeks.svg", weeks(json.loads(history.read_text(encoding="utf-8"))))
    else:
        print("Run make bench-history to draw what history costs.", file=sys.stderr)


def records(months: list[dict[str, Any]]) -> pygal.XY:
    """Seconds over log records, both in powers of ten: a straight line of slope 1 is proportional."""
    chart = pygal.XY(
        title="A month of SCALE times 237,642,097 log records",
        x_title="log records",
        y_title="seconds",
        **_CONFIG,
    )
    chart.x_value_formatter = chart.value_formatter = _power
    chart.x_labels, chart.y_labels = range(5, 10), range(5)
    for name, key in (
        ("metric-store run", "run_seconds"),
        ("its CPU, all processes", "run_cpu_seconds"),
        ("hand-written SQL", "handwritten_seconds"),
    ):
        chart.add(name, [(math.log10(_logs(month)), math.log10(month[key])) for month in months])
    return chart


def weeks(history: dict[str, Any]) -> pygal.XY:
    """Seconds of each weekly run over the weeks that came before it."""
    chart = pygal.XY(
        title=f"A weekly run of {history['orders']:,} orders as history grows",
        x_title="weeks before it",
        y_title="seconds",
        include_x_axis=True,
        dots_size=2,
        **_CONFIG,
    )
    for name, key in (("run", "run_seconds"), ("its CPU, all processes", "run_cpu_seconds")):
        chart.add(name, [(number, run[key]) for number, run in enumerate(history["runs"])])
    return chart


def _logs(month: dict[str, Any]) -> int:
    return int(month["rows"]["oms_logs"]["rows_read"])


def _power(exponent: float) -> str:
    return f"{10**exponent:,.0f}"


def _write(name: str, chart: pygal.XY) -> None:
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / name).write_bytes(chart.render())
    print(f"Drawn: docs/images/{name}")


if __name__ == "__main__":
    main()
