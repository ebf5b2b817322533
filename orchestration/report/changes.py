"""The published changes of a week: signals, usual ranges, and what a first reading will settle to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from orchestration.report.tables import Store

#: Columns of fct_metric_change_week that stand beside a figure.
CHANGE_COLUMNS = ("change_low", "change_high", "is_signal", "usual_low", "usual_high", "usual_weeks", "is_unusual")


def with_changes(store: Store) -> str:
    """SQL: fct_metric_week with the columns of fct_metric_change_week; these are null in a store that has none."""
    if store.has("fct_metric_change_week"):
        changes = f"from marts.fct_metric_change_week select {_KEY}, {', '.join(CHANGE_COLUMNS)}"
    else:
        nothing = ", ".join(f"null as {column}" for column in CHANGE_COLUMNS)
        changes = f"from marts.fct_metric_week select {_KEY}, {nothing} where false"
    return f"(from marts.fct_metric_week left join ({changes}) using ({_KEY}))"


def read_settling(store: Store, week: date) -> Mapping[str, Any] | None:
    """The row of fct_o2d_settling_week that says what the O2D ratio of a week will come to; None where nothing says."""
    if not store.has("fct_o2d_settling_week"):
        return None
    rows = store.records(
        "from marts.fct_o2d_settling_week "
        "where week_start = $week and cohort_week_start = $week and mall_segment = 'mall' and settled_low is not null",
        {"week": week},
    )
    return rows[0] if rows else None


def read_placed(store: Store, week: date, weeks: int) -> list[Mapping[str, Any] | None]:
    """The rows of fct_metric_week that count the orders placed in these weeks, and 52 before: the newest first."""
    back = [*range(weeks), 52]
    found = {
        row["week_start"]: row
        for row in store.records(
            "select week_start, metric_id, dimension, member, denominator from marts.fct_metric_week "
            "where metric_id = 'o2d_ratio' and dimension = 'overall' and week_start between $first and $week",
            {"first": week - timedelta(weeks=52), "week": week},
        )
    }
    return [found.get(week - timedelta(weeks=number)) for number in back]


_KEY = "week_start, metric_id, dimension, member"
