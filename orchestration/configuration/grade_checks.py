"""Checks that seller grades can be scored: on every day the weights sum to 100 and the bands have no gap or overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from orchestration.configuration.problems import Problem
from orchestration.configuration.reading import Content, Row
from orchestration.configuration.values import canonical_text

_WEIGHTS = "grade_weights.csv"
_BANDS = "grade_bands.csv"
_LEAST, _MOST = Decimal(0), Decimal(100)


def check_grade(weights: Content, bands: Content) -> None:
    """Adds what is wrong with weights and bands, on any day on which a row of either begins or ends to hold."""
    weights.problems.extend(_row_problems(_WEIGHTS, weights.rows, ("weight",)))
    bands.problems.extend(_row_problems(_BANDS, bands.rows, ("min", "max")))
    bands.problems.extend(_inverted(bands.rows))
    days = sorted({day for row in (*weights.rows, *bands.rows) for day in (row.starts, row.ends)})
    # Without all rows, a sum or a gap would blame the wrong thing.
    if weights.is_clean:
        weights.problems.extend(_once(problem for day in days for problem in _weight_problems(weights.rows, day)))
    if bands.is_clean:
        bands.problems.extend(_once(problem for day in days for problem in _band_problems(bands.rows, day)))
        weights.problems.extend(_once(p for day in days for p in _missing_bands(weights.rows, bands.rows, day)))


def _weight_problems(weights: list[Row], day: date) -> Iterator[Problem]:
    """Whether the weights that hold on a day, if there are any, sum to exactly 100."""
    valid = [row for row in weights if row.holds_on(day)]
    total = sum((row.number("weight") for row in valid), Decimal(0))
    if valid and total != _MOST:
        parts = ", ".join(f"{row['metric_id']} {_text(row, 'weight')}" for row in valid)
        yield Problem(
            _WEIGHTS,
            tuple(row.line for row in valid),
            "weight",
            f"the weights valid from {_since(valid)} sum to {canonical_text(total)}, not 100: {parts};"
            " change them, or the dates they hold, so that they sum to 100",
        )


def _band_problems(bands: list[Row], day: date) -> Iterator[Problem]:
    """Whether the bands of each metric that hold on a day go from 0 to 100 without a gap or an overlap."""
    by_metric: dict[str, list[Row]] = defaultdict(list)
    for row in bands:
        if row.holds_on(day):
            by_metric[row.text("metric_id")].append(row)
    for metric, rows in by_metric.items():
        rows.sort(key=lambda row: (row.number("min"), row.number("max")))
        whose = f"the bands of {metric} valid from {_since(rows)}"
        first, last = rows[0], rows[-1]
        if first.number("min") != _LEAST:
            message = f"{whose} start at {_text(first, 'min')}, not at 0; let the first one start at 0"
            yield Problem(_BANDS, first.line, "min", message)
        for row, following in pairwise(rows):
            if seam := _seam(row, following):
                yield Problem(_BANDS, (row.line, following.line), "min", f"{whose} {seam}")
        if last.number("max") != _MOST:
            message = f"{whose} end at {_text(last, 'max')}, not at 100; let the last one end at 100"
            yield Problem(_BANDS, last.line, "max", message)


def _missing_bands(weights: list[Row], bands: list[Row], day: date) -> Iterator[Problem]:
    """Which weights hold on a day on which their metric has no band."""
    scored = {row["metric_id"] for row in bands if row.holds_on(day)}
    for row in weights:
        if row.holds_on(day) and row["metric_id"] not in scored:
            yield Problem(
                _WEIGHTS,
                row.line,
                "metric_id",
                f"{row['metric_id']} has a weight, but no bands valid on {day}; add its bands from 0 to 100 to"
                f" {_BANDS}, or remove the weight",
            )


def _seam(row: Row, following: Row) -> str | None:
    """What is wrong between two neighbouring bands. The whole number between 25 and 26 is no gap: 25.5 is in 0-25."""
    spans = f"{_span(row)} (row {row.line}) and {_span(following)} (row {following.line})"
    if following.number("min") < row.number("max") or following.number("min") == row.number("min"):
        return (
            f"overlap: {spans}; let the second start where the first ends, and where one is an older version,"
            " end it with valid_to"
        )
    if following.number("min") > row.number("max") + 1:
        return f"leave a gap between {spans}; let the second start at {_text(row, 'max')}"
    return None


def _row_problems(file: str, rows: list[Row], columns: tuple[str, ...]) -> Iterator[Problem]:
    for row in rows:
        for column in columns:
            if not _LEAST <= row.number(column) <= _MOST:
                message = f"{_text(row, column)} of {row['metric_id']} is outside 0 to 100; give a percentage"
                yield Problem(file, row.line, column, message)


def _inverted(bands: list[Row]) -> Iterator[Problem]:
    for row in bands:
        if row.number("min") > row.number("max"):
            yield Problem(
                _BANDS,
                row.line,
                "min",
                f"the band {_span(row)} of {row['metric_id']} is inverted: {_text(row, 'min')} is greater than"
                f" {_text(row, 'max')}; swap min and max",
            )


def _once(problems: Iterator[Problem]) -> list[Problem]:
    """Each place once, though the same rows may be wrong on several days."""
    places: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        places.setdefault((problem.row, problem.column), problem)
    return list(places.values())


def _since(rows: list[Row]) -> date:
    """The first day on which all of the rows hold."""
    return max(row.starts for row in rows)


def _span(row: Row) -> str:
    return f"{_text(row, 'min')}-{_text(row, 'max')}"


def _text(row: Row, column: str) -> str:
    return canonical_text(row.number(column)) or ""
