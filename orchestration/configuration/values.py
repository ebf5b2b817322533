"""The types of cells, for the models of files: how a value is written, and what to do about one that isn't."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from orchestration.configuration.ids import WEEKDAYS
from orchestration.configuration.problems import shown
from orchestration.weeks.calendar import time_zones

Value = str | int | Decimal | bool | date | datetime

# Zones that depend on the machine, or are none.
_NO_ZONES = {"localtime", "Factory"}


def _written(form: str, words: str) -> WrapValidator:
    """Takes the texts of this form that the type itself takes, too: alone it would take `1_000` and `yes`."""
    pattern = re.compile(form)

    def read(text: str, read_as_type: ValidatorFunctionWrapHandler) -> Any:
        if pattern.fullmatch(text):
            try:
                return read_as_type(text)
            except ValidationError:
                pass
        raise ValueError(f"{shown(text)} {words}")

    return WrapValidator(read)


def one_of(*known: str) -> AfterValidator:
    """A closed set of names."""

    def check(text: str) -> str:
        if text not in known:
            raise ValueError(f"{shown(text)} is not known; {one_of_text(text, known)}")
        return text

    return AfterValidator(check)


def one_of_text(text: str, known: tuple[str, ...]) -> str:
    """Says which values there are, the nearest first."""
    near = difflib.get_close_matches(text.lower(), known, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"it must be one of {', '.join(known)}"


def _zone(text: str) -> str:
    zones = _zones()
    if text not in zones:
        near = difflib.get_close_matches(text, zones, n=1)
        raise ValueError(
            f"{shown(text)} is not a known time zone; "
            + (f"did you mean {near[0]}? " if near else "")
            + "write an IANA name, like UTC or Asia/Ho_Chi_Minh"
        )
    return text


@cache
def _zones() -> frozenset[str]:
    return (time_zones() & zoneinfo.available_timezones()) - _NO_ZONES


def _weekdays(text: str) -> str:
    days = [day.strip() for day in text.split(",")]
    if len(set(days)) < len(days) or not set(days) <= set(WEEKDAYS):
        raise ValueError(
            f'{shown(text)} is not a list of weekdays; write each workday once, like "mon,tue,wed,thu,fri",'
            f" in quotes; the days are {', '.join(WEEKDAYS)}"
        )
    return ",".join(day for day in WEEKDAYS if day in days)


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC).replace(tzinfo=None)


# [0-9], as \d takes the digits of every script.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#: Without line breaks and control characters.
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Zone = Annotated[str, AfterValidator(_zone)]
Weekdays = Annotated[str, AfterValidator(_weekdays)]
TimeOfDay = Annotated[
    str,
    _written("([01][0-9]|2[0-3]):[0-5][0-9]", "is not a time of day; write hh:mm from 00:00 to 23:59, like 08:00"),
]
Flag = Annotated[bool, _written("(?i:true|false)", "is neither true nor false; write one of them")]
Whole = Annotated[int, _written("[+-]?[0-9]{1,15}", "is not a whole number; write digits only, like 28")]
Number = Annotated[
    Decimal,
    _written(
        r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?",
        "is not a number; write digits and a point, like 2.5: no comma, no %,"
        " at most 12 digits before the point and 6 after it",
    ),
]
Day = Annotated[date, _written(_DATE, "is not a date; write year-month-day, like 2024-08-29")]
#: In UTC, without zone; what is finer than a microsecond is cut.
Instant = Annotated[
    datetime,
    _written(
        # From 1970 to 2199: wide of the ends of the calendar, whatever the offset.
        r"(19[7-9]|2[01][0-9])[0-9]-[0-9]{2}-[0-9]{2}"
        r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
        "is not an instant from 1970 to 2199; write date and time in UTC, like 2024-08-13T09:00:00,"
        " or with an offset, like 2024-08-13T16:00:00+07:00",
    ),
    AfterValidator(_in_utc),
]

# Upper bounds keep an extra digit from becoming a date beyond the calendar, far from the file that holds it.
Percent = Annotated[Number, Field(ge=0, le=100)]
Factor = Annotated[Number, Field(gt=0, le=1000)]
Count = Annotated[Whole, Field(ge=0, le=10**9)]
Limit = Annotated[Whole, Field(ge=1, le=10**9)]
Hours = Annotated[Whole, Field(ge=1, le=1000)]
Days = Annotated[Whole, Field(ge=1, le=3650)]
Weeks = Annotated[Whole, Field(ge=1, le=520)]


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
