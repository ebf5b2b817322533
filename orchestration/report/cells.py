"""How a value of the store is written: for readers, for programs, and as a change for better or worse."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

NOTHING = "–"


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


def verdict(change: Any, direction: str) -> str:
    """better, worse, or nothing to say of a change."""
    if not change or direction not in ("high", "low"):
        return ""
    return "better" if (change > 0) == (direction == "high") else "worse"


def change(value: Any, unit: str) -> str:
    """The change of a metric: of a count it is a whole number."""
    return shown(int(value) if unit == "count" and value is not None else value, "points")
