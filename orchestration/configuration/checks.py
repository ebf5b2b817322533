"""Checks the rows of configuration files against each other: within a row, a file, and between files."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta

from orchestration.configuration.files import LIMIT_SETTINGS, SETTINGS
from orchestration.configuration.grade_checks import check_grade
from orchestration.configuration.problems import shown
from orchestration.configuration.reading import Content, Row
from orchestration.configuration.values import canonical_text, read_value

# file, the column that must not be the greater one, the other one
_ORDERED = (
    ("metric_catalog", "minimum", "maximum"),
    ("gate_rules", "lower", "upper"),
)


def check_contents(contents: dict[str, Content]) -> None:
    """Adds to each file's problems what is wrong with its rows, taken together and with those of other files."""
    _read_settings(contents["settings"])
    for content in contents.values():
        if content.file.is_dated:
            _check_validity(content)
        for columns in content.file.unique:
            _check_unique(content, columns)
        if content.file.complete is not None:
            _check_complete(content, content.file.complete)
    for stem, lower, upper in _ORDERED:
        _check_ordered(contents[stem], lower, upper)
    _check_bounded(contents["gate_rules"])
    _check_working_time(contents["ovl_policy"])
    _check_calendars(contents["ovl_policy"], contents["holidays"])
    _check_mondays(contents["gate_waivers"])
    _check_incidents(contents["incidents"])
    check_grade(contents["grade_weights"], contents["grade_bands"])


def _read_settings(content: Content) -> None:
    """Types the values of settings.csv, which only their keys tell."""
    rows = []
    for row in content.rows:
        try:
            value = read_value((SETTINGS | LIMIT_SETTINGS)[row.text("key")], row.text("value"))
        except ValueError as error:
            content.report(row.line, "value", f"the {row['key']} {error}")
        else:
            rows.append(Row(row.line, {"key": row["key"], "value": value}))
    content.rows = rows


def _check_mondays(content: Content) -> None:
    for row in content.rows:
        week = row["week_start"]
        assert isinstance(week, date)
        if week.weekday() != 0:
            monday = week - timedelta(days=week.weekday())
            content.report(
                row.line, "week_start", f"{week} is a {week:%A}; a week is named by its Monday, like {monday}"
            )


def _check_incidents(content: Content) -> None:
    for row in content.rows:
        starts_at, ends_at = row["starts_at"], row["ends_at"]
        assert isinstance(starts_at, datetime)
        assert isinstance(ends_at, datetime)
        if starts_at >= ends_at:
            content.report(
                row.line,
                "ends_at",
                f"{ends_at} is not after starts_at {starts_at} (both in UTC); give the instant at which it was over",
            )
        if "," in row.text("incident_id"):
            content.report(
                row.line,
                "incident_id",
                f"{shown(row.text('incident_id'))} holds a comma, which parts ids; leave it out",
            )
        client = row.text("oms_client")
        if client != "all" and client.lower() == "all":
            content.report(
                row.line, "oms_client", f"{client} is no client; write all, in small letters, for every client"
            )


def _check_validity(content: Content) -> None:
    for row in content.rows:
        if row.starts >= row.ends:
            content.report(
                row.line,
                "valid_to",
                f"{row.ends} is not after valid_from {row.starts}, so the row never holds; give a later date,"
                " or leave it empty for no end",
            )


def _check_unique(content: Content, columns: tuple[str, ...]) -> None:
    same_key: dict[tuple[str | None, ...], list[Row]] = defaultdict(list)
    for row in content.rows:
        same_key[tuple(canonical_text(row[column]) for column in columns)].append(row)
    place = ", ".join(columns)
    for key, rows in same_key.items():
        name = ", ".join(str(part) for part in key)
        if content.file.is_dated:
            _check_apart(content, rows, place or "valid_from", name or "a row")
        elif len(rows) > 1:
            lines = tuple(row.line for row in rows)
            content.report(lines, place, f"{name} is there {len(rows)} times; keep one of the rows")


def _check_apart(content: Content, rows: list[Row], place: str, name: str) -> None:
    """Reports the versions of one thing that hold on the same day."""
    versions = sorted((row for row in rows if row.starts < row.ends), key=lambda row: (row.starts, row.line))
    for index, later in enumerate(versions):
        for earlier in versions[:index]:
            if later.starts < earlier.ends:
                content.report(
                    (earlier.line, later.line),
                    place,
                    f"{name} is there twice on {later.starts}: the validity of the rows overlaps; end the earlier one"
                    " with valid_to = valid_from of the later one, or remove one",
                )
                break


def _check_complete(content: Content, column: str) -> None:
    if not content.is_clean:
        return
    there = {row.text(column) for row in content.rows}
    required = set(content.file.column(column).one_of) - set(content.file.optional)
    missing = [value for value in content.file.column(column).one_of if value in required - there]
    if missing:
        content.report(None, column, f"no row for {', '.join(missing)}; add one for each, as in the default file")


def _check_ordered(content: Content, lower: str, upper: str) -> None:
    for row in content.rows:
        if row[lower] is not None and row[upper] is not None and row.number(lower) > row.number(upper):
            content.report(
                row.line,
                lower,
                f"{canonical_text(row[lower])} is greater than the {upper} {canonical_text(row[upper])}; swap them,"
                " or mend the one that is wrong",
            )


def _check_bounded(rules: Content) -> None:
    for row in rules.rows:
        if row["lower"] is None and row["upper"] is None:
            rules.report(row.line, "lower", f"{row['rule_id']} has no bound, so nothing fails it; give lower or upper")


def _check_working_time(content: Content) -> None:
    for row in content.rows:
        # hh:mm has two digits each, so the order of the texts is that of the times.
        if row.text("workday_start") >= row.text("workday_end"):
            content.report(
                row.line,
                "workday_start",
                f"{row['workday_start']} is not before workday_end {row['workday_end']}; a workday must start"
                " before it ends, on the same day",
            )


def _check_calendars(policies: Content, holidays: Content) -> None:
    if not holidays.is_clean:
        return
    calendars = sorted({row.text("calendar") for row in holidays.rows})
    for row in policies.rows:
        if row["holiday_calendar"] not in calendars:
            policies.report(
                row.line,
                "holiday_calendar",
                f"{row['holiday_calendar']} has no holidays in holidays.csv; add them there, or use one of its"
                f" calendars: {', '.join(calendars) or '(none)'}",
            )
