"""Checks the rows of configuration files against each other: within a file, and between files."""

from __future__ import annotations

from collections import defaultdict

from orchestration.configuration.files import DatedRow, Holiday, OvlPolicy, Row
from orchestration.configuration.grade_checks import check_grade
from orchestration.configuration.reading import Content
from orchestration.configuration.values import Value, canonical_text


def check_contents(contents: dict[str, Content]) -> None:
    """Adds to each file's problems what is wrong with its rows, taken together and with those of other files."""
    for content in contents.values():
        for columns in content.file.unique:
            _check_unique(content, columns)
        _check_complete(content)
    _check_calendars(contents["ovl_policy"], contents["holidays"])
    check_grade(contents["grade_weights"], contents["grade_bands"])


def _check_unique(content: Content, columns: tuple[str, ...]) -> None:
    same_key: dict[tuple[Value | None, ...], list[Row]] = defaultdict(list)
    for row in content.rows:
        same_key[tuple(getattr(row, column) for column in columns)].append(row)
    place = ", ".join(columns)
    for key, rows in same_key.items():
        if len(rows) == 1:
            continue
        name = ", ".join(canonical_text(value) or "" for value in key)
        versions = [row for row in rows if isinstance(row, DatedRow)]
        if versions:
            _check_apart(content, versions, place or "valid_from", name or "a row")
        else:
            lines = tuple(row.line for row in rows)
            content.report(lines, place, f"{name} is there {len(rows)} times; keep one of the rows")


def _check_apart(content: Content, rows: list[DatedRow], place: str, name: str) -> None:
    """Reports the versions of one thing that hold on the same day."""
    versions = sorted(rows, key=lambda row: (row.valid_from, row.line))
    for index, later in enumerate(versions):
        earlier = next((row for row in versions[:index] if later.valid_from < row.ends), None)
        if earlier:
            content.report(
                (earlier.line, later.line),
                place,
                f"{name} is there twice on {later.valid_from}: the validity of the rows overlaps; end the earlier one"
                " with valid_to = valid_from of the later one, or remove one",
            )


def _check_complete(content: Content) -> None:
    if content.file.complete and content.is_clean:
        column = content.file.unique[0][0]
        there = {row.values[column] for row in content.rows}
        if missing := [value for value in content.file.complete if value not in there]:
            content.report(None, column, f"no row for {', '.join(missing)}; add one for each, as in the default file")


def _check_calendars(policies: Content, holidays: Content) -> None:
    if not holidays.is_clean:
        return
    calendars = sorted({row.calendar for row in holidays.rows_of(Holiday)})
    for row in policies.rows_of(OvlPolicy):
        if row.holiday_calendar not in calendars:
            policies.report(
                row.line,
                "holiday_calendar",
                f"{row.holiday_calendar} has no holidays in holidays.csv; add them there, or use one of its"
                f" calendars: {', '.join(calendars) or '(none)'}",
            )
