"""Checks that seller grades can be scored: on every day the weights sum to 100 and the bands have no gap or overlap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from orchestration.configuration.files import DatedRow, GradeBand, GradeWeight
from orchestration.configuration.problems import Problem
from orchestration.configuration.reading import Content
from orchestration.configuration.values import canonical_text

_WEIGHTS = "grade_weights.csv"
_BANDS = "grade_bands.csv"


def check_grade(weights: Content, bands: Content) -> None:
    """Adds what is wrong with weights and bands, on any day on which a row of either begins or ends to hold."""
    weight_rows, band_rows = weights.rows_of(GradeWeight), bands.rows_of(GradeBand)
    days = sorted({day for row in (*weight_rows, *band_rows) for day in (row.valid_from, row.ends)})
    # Without all rows, a sum or a gap would blame the wrong thing.
    if weights.is_clean:
        weights.problems.extend(_once(problem for day in days for problem in _weight_problems(weight_rows, day)))
    if bands.is_clean:
        bands.problems.extend(_once(problem for day in days for problem in _band_problems(band_rows, day)))
        weights.problems.extend(_once(p for day in days for p in _missing_bands(weight_rows, band_rows, day)))


def _weight_problems(weights: list[GradeWeight], day: date) -> Iterator[Problem]:
    """Whether the weights that hold on a day, if there are any, sum to exactly 100."""
    valid = [row for row in weights if row.holds_on(day)]
    total = sum((row.weight for row in valid), Decimal(0))
    if valid and total != 100:
        parts = ", ".join(f"{row.metric_id} {canonical_text(row.weight)}" for row in valid)
        yield Problem(
            _WEIGHTS,
            tuple(row.line for row in valid),
            "weight",
            f"the weights valid from {_since(valid)} sum to {canonical_text(total)}, not 100: {parts};"
            " change them, or the dates they hold, so that they sum to 100",
        )


def _band_problems(bands: list[GradeBand], day: date) -> Iterator[Problem]:
    """Whether the bands of each metric that hold on a day go from 0 to 100 without a gap or an overlap."""
    by_metric: dict[str, list[GradeBand]] = defaultdict(list)
    for row in bands:
        if row.holds_on(day):
            by_metric[row.metric_id].append(row)
    for metric, rows in by_metric.items():
        rows.sort(key=lambda row: (row.min, row.max))
        whose = f"the bands of {metric} valid from {_since(rows)}"
        first, last = rows[0], rows[-1]
        if first.min != 0:
            message = f"{whose} start at {canonical_text(first.min)}, not at 0; let the first one start at 0"
            yield Problem(_BANDS, first.line, "min", message)
        for row, following in pairwise(rows):
            if seam := _seam(row, following):
                yield Problem(_BANDS, (row.line, following.line), "min", f"{whose} {seam}")
        if last.max != 100:
            message = f"{whose} end at {canonical_text(last.max)}, not at 100; let the last one end at 100"
            yield Problem(_BANDS, last.line, "max", message)


def _missing_bands(weights: list[GradeWeight], bands: list[GradeBand], day: date) -> Iterator[Problem]:
    """Which weights hold on a day on which their metric has no band."""
    scored = {row.metric_id for row in bands if row.holds_on(day)}
    for row in weights:
        if row.holds_on(day) and row.metric_id not in scored:
            yield Problem(
                _WEIGHTS,
                row.line,
                "metric_id",
                f"{row.metric_id} has a weight, but no bands valid on {day}; add its bands from 0 to 100 to"
                f" {_BANDS}, or remove the weight",
            )


def _seam(row: GradeBand, following: GradeBand) -> str | None:
    """What is wrong between two neighbouring bands. The whole number between 25 and 26 is no gap: 25.5 is in 0-25."""
    spans = f"{row} (row {row.line}) and {following} (row {following.line})"
    if following.min < row.max or following.min == row.min:
        return (
            f"overlap: {spans}; let the second start where the first ends, and where one is an older version,"
            " end it with valid_to"
        )
    if following.min > row.max + 1:
        return f"leave a gap between {spans}; let the second start at {canonical_text(row.max)}"
    return None


def _once(problems: Iterator[Problem]) -> list[Problem]:
    """Each place once, though the same rows may be wrong on several days."""
    places: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        places.setdefault((problem.row, problem.column), problem)
    return list(places.values())


def _since(rows: Sequence[DatedRow]) -> date:
    """The first day on which all of the rows hold."""
    return max(row.valid_from for row in rows)
