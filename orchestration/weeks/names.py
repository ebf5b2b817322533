"""Weeks by name: how a user writes one or several, and lists of them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from metric_store.words import WEEK
from orchestration.errors import UsageError

#: No order or log is older: a record before this is a mistake of its sender, and makes no week.
FIRST_WEEK = date(2015, 1, 5)


def parse_week(text: str) -> date:
    """A week by its Monday, YYYY-MM-DD. Raises UsageError for anything else."""
    try:
        if not re.fullmatch(r"[12]\d{3}-\d\d-\d\d", text):  # the ISO format has other spellings, and other years
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no week: write its Monday as YYYY-MM-DD.") from None
    if day.weekday() != 0:
        monday = day - timedelta(days=day.weekday())
        raise UsageError(f"{text} is a {day:%A}; a week is named by its Monday: {monday}.")
    if day < FIRST_WEEK:
        raise UsageError(f"{text} is too early: the first week is {FIRST_WEEK}.")
    return day


def parse_weeks(text: str) -> list[date]:
    """`FIRST` or `FIRST..LAST`, both included. Raises UsageError."""
    first_text, parted, last_text = text.partition("..")
    first = parse_week(first_text)
    last = parse_week(last_text) if parted else first
    if last < first:
        raise UsageError(f"{text}: the last week is before the first; write --weeks {last}..{first}.")
    return weeks_between(first, last)


def weeks_between(first: date, last: date) -> list[date]:
    """Every Monday from first to last."""
    return [first + number * WEEK for number in range((last - first).days // 7 + 1)]
