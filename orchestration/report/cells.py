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
    "fct_o2d_settling_week": ("week_start", "cohort_week_start", "mall_segment"),
}


def shown(value: Any, kind: str = "number") -> str:
    """A value as the page shows it; kinds are those of `orchestration.report.tables.COLUMNS`."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "points":
        return f"{value:+,}".replace("-", "−") if value else f"±{abs(value):,}"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int | Decimal):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def raw(value: Any) -> str:
    """A value as a program reads it: what the page sorts by and downloads."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def figure(row: Mapping[str, Any], column: str, text: str, table: str = "fct_metric_week") -> Markup:
    """A number of the store in a sentence: what a test finds again under its table, key and column."""
    key = json.dumps({name: raw(row[name]) for name in KEYS[table]})
    return Markup('<span data-table="{}" data-key="{}" data-column="{}" data-v="{}">{}</span>').format(
        table, key, column, raw(row[column]), text
    )


def signal(row: Mapping[str, Any], direction: str) -> str:
    """better or worse, where the change of the row is more than chance and the direction says which; else nothing."""
    if not row["is_signal"] or not row["change"] or direction not in ("high", "low"):
        return ""
    return "better" if (row["change"] > 0) == (direction == "high") else "worse"


def change(value: Any, unit: str) -> str:
    """The change of a metric: of a count it is a whole number."""
    return shown(int(value) if unit == "count" and value is not None else value, "points")
