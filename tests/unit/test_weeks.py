"""Weeks by name: what a user may write, what is refused and in which words, and weeks as ranges."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metric_store.words import WEEK, in_words
from orchestration.errors import UsageError
from orchestration.weeks.names import FIRST_WEEK, parse_week, parse_weeks, weeks_between

MONDAY = date(2024, 8, 5)

mondays = st.integers(0, 4000).map(lambda number: date(2015, 1, 5) + number * WEEK)


def test_a_week_is_named_by_its_monday() -> None:
    assert parse_week("2024-08-05") == MONDAY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-08",
        "2024-13-05",
        "2024-02-30",
        "20240805",
        "2024-W32-1",
        "2024-08-05T00:00",
        "2024-8-5",
        " 2024-08-05",
        "9999-12-27",
        "0001-01-01",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write its Monday as YYYY-MM-DD") as raised:
        parse_week(text)
    assert repr(text) in str(raised.value)


def test_weeks_begin_somewhere() -> None:
    assert parse_week("2015-01-05") == FIRST_WEEK
    with pytest.raises(UsageError, match="2014-12-29 is too early: the first week is 2015-01-05"):
        parse_week("2014-12-29")


@pytest.mark.parametrize("days", range(1, 7))
def test_another_day_of_the_week_is_refused_and_its_monday_named(days: int) -> None:
    day = MONDAY + timedelta(days=days)
    with pytest.raises(UsageError, match=f"^{day} is a {day:%A}; .*: 2024-08-05"):
        parse_week(day.isoformat())


def test_a_range_holds_both_ends() -> None:
    assert parse_weeks("2024-08-05..2024-08-19") == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]
    assert parse_weeks("2024-08-05..2024-08-05") == parse_weeks("2024-08-05") == [MONDAY]


def test_a_range_may_cross_a_year() -> None:
    assert parse_weeks("2024-12-30..2025-01-06") == [date(2024, 12, 30), date(2025, 1, 6)]


@pytest.mark.parametrize(
    "text", ["..", "2024-08-05..", "..2024-08-05", "2024-08-05...2024-08-12", "2024-08-05..2024-08-13", "a..b"]
)
def test_a_range_with_a_bad_end_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_weeks(text)


def test_a_reversed_range_is_refused_and_the_right_one_shown() -> None:
    with pytest.raises(UsageError, match=r"last week is before the first; write --weeks 2024-08-05\.\.2024-08-12"):
        parse_weeks("2024-08-12..2024-08-05")


def test_weeks_in_words() -> None:
    weeks = [MONDAY + number * WEEK for number in (4, 0, 1, 2, 7, 8)]
    assert in_words(weeks) == "2024-08-05..2024-08-19, 2024-09-02, 2024-09-23..2024-09-30"
    assert in_words([]) == ""


@given(st.sets(mondays, max_size=30))
def test_words_name_exactly_the_weeks(weeks: set[date]) -> None:
    named = [week for part in in_words(weeks).split(", ") if part for week in parse_weeks(part)]
    assert named == sorted(weeks)


@given(mondays, st.integers(0, 100))
def test_weeks_between_are_mondays_without_gaps(first: date, number: int) -> None:
    weeks = weeks_between(first, first + number * WEEK)
    assert len(weeks) == number + 1
    assert all(later - earlier == WEEK for earlier, later in pairwise(weeks))
