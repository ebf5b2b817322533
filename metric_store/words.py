"""Weeks, ids and reasons as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

WEEK = timedelta(days=7)


def unbroken(weeks: Iterable[date]) -> list[list[date]]:
    """Weeks as runs of neighbours, oldest first."""
    ranges: list[list[date]] = []
    for week in sorted(set(weeks)):
        if ranges and week - ranges[-1][-1] == WEEK:
            ranges[-1].append(week)
        else:
            ranges.append([week])
    return ranges


def in_words(weeks: Iterable[date]) -> str:
    """Weeks as ranges: `2024-08-05..2024-08-19, 2024-09-02`."""
    return ", ".join(
        str(several[0]) if len(several) == 1 else f"{several[0]}..{several[-1]}" for several in unbroken(weeks)
    )


def printable(text: str) -> str:
    """A text without signs that a terminal would obey; they are written as escapes."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def parted(name: str) -> tuple[str, str]:
    """The source and the column of `source.column`."""
    source, column = name.split(".")
    return source, column


def not_measured_line(metric: str, columns: Iterable[tuple[str, str]]) -> str:
    """Why a metric isn't measured; columns: (source, column) of those that no file has."""
    return f"not measured: {metric} ({'; '.join(f'no file of {source} has {column}' for source, column in columns)})"
