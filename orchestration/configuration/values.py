"""Reads one cell of a configuration file into its type, or says how it should have been written."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

from orchestration.configuration.files import Column, Kind
from orchestration.configuration.ids import WEEKDAYS
from orchestration.configuration.problems import shown
from orchestration.weeks.calendar import time_zones

Value = str | int | Decimal | bool | date | datetime

# [0-9], as \d takes the digits of every script.
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
# Zones that depend on the machine, or are none.
_NO_ZONES = {"localtime", "Factory"}


def read_value(column: Column, text: str) -> Value | None:
    """The typed value of a cell, None where it is empty.

    Spaces around it do not count. Raises ValueError, with what is wrong and what to do, for a value that the column
    does not take.
    """
    text = text.strip()
    if not text:
        if column.required:
            raise ValueError("is empty; give a value")
        return None
    if _CONTROL.search(text):
        raise ValueError(
            f"{shown(text)} holds a line break or a control character; put it on one line, and look for a missing quote"
        )
    value: Value = _READERS[column.kind](text)
    if column.one_of and text not in column.one_of:
        raise ValueError(f"{shown(text)} is not known; {one_of_text(text, column.one_of)}")
    if column.bounds is not None and isinstance(value, int | Decimal) and not column.bounds.hold(value):
        raise ValueError(f"{text} is out of range; it must be {column.bounds}")
    return value


def canonical_text(value: Value | None) -> str | None:
    """One spelling per value: what a settings table holds, and what is hashed."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        # Plus 0, as -0 keeps its sign otherwise.
        return f"{value.normalize() + 0:f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def one_of_text(text: str, known: tuple[str, ...]) -> str:
    """Says which values there are, the nearest first."""
    near = difflib.get_close_matches(text.lower(), known, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"it must be one of {', '.join(known)}"


def _read_text(text: str) -> str:
    return text


def _read_whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a whole number; write digits only, like 28")
    return int(text)


def _read_decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a number; write digits and a point, like 2.5: no comma, no %,"
            " at most 12 digits before the point and 6 after it"
        )
    return Decimal(text)


def _read_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false; write one of them")
    return text.lower() == "true"


def _read_date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{shown(text)} is not a date; write year-month-day, like 2024-08-29")


def _read_instant(text: str) -> datetime:
    """The instant in UTC, without zone; what is finer than a microsecond is cut."""
    parts = _INSTANT.fullmatch(text)
    if parts and (parts[3] or not parts[4]):
        day, minute, second, fraction, offset = parts.groups()
        try:
            read = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{(fraction or '')[:7]}{offset or 'Z'}")
            if 1970 <= read.year < 2200:  # wide of the ends of the calendar, whatever the offset
                return read.astimezone(UTC).replace(tzinfo=None)
        except ValueError:
            pass
    raise ValueError(
        f"{shown(text)} is not an instant from 1970 to 2199; write date and time in UTC, like 2024-08-13T09:00:00,"
        " or with an offset, like 2024-08-13T16:00:00+07:00"
    )


def _read_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a time of day; write hh:mm from 00:00 to 23:59, like 08:00")
    return text


def _read_zone(text: str) -> str:
    if text not in _zones():
        near = difflib.get_close_matches(text, _zones(), n=1)
        raise ValueError(
            f"{shown(text)} is not a known time zone; "
            + (f"did you mean {near[0]}? " if near else "")
            + "write an IANA name, like UTC or Asia/Ho_Chi_Minh"
        )
    return text


def _read_workdays(text: str) -> str:
    days = [day.strip() for day in text.split(",")]
    if len(set(days)) < len(days) or not set(days) <= set(WEEKDAYS):
        raise ValueError(
            f'{shown(text)} is not a list of weekdays; write each workday once, like "mon,tue,wed,thu,fri",'
            f" in quotes; the days are {', '.join(WEEKDAYS)}"
        )
    return ",".join(day for day in WEEKDAYS if day in days)


@cache
def _zones() -> frozenset[str]:
    return (time_zones() & zoneinfo.available_timezones()) - _NO_ZONES


_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: _read_text,
    Kind.WHOLE: _read_whole,
    Kind.DECIMAL: _read_decimal,
    Kind.BOOLEAN: _read_boolean,
    Kind.DATE: _read_date,
    Kind.INSTANT: _read_instant,
    Kind.TIME: _read_time,
    Kind.ZONE: _read_zone,
    Kind.WORKDAYS: _read_workdays,
}
