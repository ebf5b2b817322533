"""How a value of the store is written: for readers, for programs, and as a signal for better or worse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from markupsafe import Markup

NOTHING = "–"
_MEMBER = ("week_start", "metric_id", "dimension", "member")
#: What tells the rows of a published table apart.
KEYS = {
    "fct_metric_week": _MEMBER,
    "fct_metric_change_week": _MEMBER,
    "fct_metric_driver_week": _MEMBER,
    "fct_data_quality_week": ("week_start", "rule_id", "scope"),
    "fct_o2d_settling_week": ("week_start", "cohort_week_start", "mall_segment"),
}


def shown(value: Any, kind: str = "number") -> str:
    """A value as the page shows it, rounded to what a reader needs; kinds are those of `tables.COLUMNS`.

    Shares and points are without their sign of percent, durations have their unit.
    """
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "points":
        return f"{'+' if value > 0 else '−' if value < 0 else '±'}{_share(abs(value))}"
    if kind == "percent":
        return _share(value).replace("-", "−")
    if kind in ("seconds", "hours"):
        return _duration(float(value) * (3600 if kind == "hours" else 1)).replace("-", "−")
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int | Decimal):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def of_unit(value: Any, unit: str) -> str:
    """A value of a metric, with its sign of percent where it is a share."""
    if value is None:
        return NOTHING
    return f"{shown(value, 'percent')} %" if unit == "percent" else shown(int(value) if unit == "count" else value)


def _share(value: Any) -> str:
    """One decimal; two where few are left to 0 or to 100, so that neither is said of what is not quite."""
    if value in (0, 100):
        return str(int(value))
    return f"{value:,.2f}" if abs(value) < 1 or 99 < value < 100 else f"{value:,.1f}"


def _duration(seconds: float) -> str:
    """In the largest of s, min, h and d that leaves more than one of it."""
    for unit, size, most in (("s", 1, 90), ("min", 60, 5400), ("h", 3600, 172_800)):
        if abs(seconds) < most:
            return f"{seconds / size:,.{2 if unit == 's' and abs(seconds) < 10 else 1}f} {unit}"
    return f"{seconds / 86_400:,.1f} d"


def raw(value: Any) -> str:
    """A value as a program reads it: what the page sorts by and downloads."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def figure(row: Mapping[str, Any], column: str, text: str, table: str = "fct_metric_week") -> Markup:
    """A number of the store in a sentence: what a test finds again under its table, key and column."""
    key, exact = json.dumps({name: raw(row[name]) for name in KEYS[table]}), raw(row[column])
    return Markup('<span data-table="{}" data-key="{}" data-column="{}" data-v="{}" title="{}">{}</span>').format(
        table, key, column, exact, exact, text
    )


def signal(row: Mapping[str, Any], direction: str) -> str:
    """better or worse, where the change of the row is more than chance and the direction says which; else nothing."""
    if not row["is_signal"] or not row["change"] or direction not in ("high", "low"):
        return ""
    return "better" if (row["change"] > 0) == (direction == "high") else "worse"


def change(value: Any, unit: str) -> str:
    """The change of a metric, in points where it is a share; of a count it is a whole number."""
    if unit == "percent" or not value:
        return shown(value, "points")
    return f"{int(value) if unit == 'count' else value:+,}".replace("-", "−")
