"""When a week begins, ends and is calculated: computed here alone, by the time zone data of DuckDB.

The models get these instants as rows of `inputs.weeks`, the rest of the program as `CalendarWeek`. Python's time zone
data isn't asked: for some zones it is older than DuckDB's, and the two disagree by an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import duckdb

from metric_store.sql import sql_text

#: No accepted instant is later than 2199.
_LAST_WEEK = date(2200, 1, 6)
#: The Monday before the earliest accepted instant: a limit follows from a seller's first order, however old.
_EARLIEST_WEEK = date(1969, 12, 22)


@dataclass(frozen=True)
class CalendarWeek:
    """A week W by its Monday, with S, E and A in UTC, and the date of A in the reporting time zone."""

    week_start: date
    starts_at: datetime
    ends_at: datetime
    calculated_at: datetime
    calculated_on: date


def calendar_query(reporting_timezone: str, calculation_offset_hours: int) -> str:
    """SQL of DuckDB: every week that a record can make, one row each, with the columns of CalendarWeek.

    Where clocks are set back over midnight, a week starts at the later of the two instants.
    """
    zone = sql_text(reporting_timezone)
    return f"""
        select
            week_start,
            timezone('UTC', timezone({zone}, cast(week_start as timestamp))) as starts_at,
            timezone('UTC', timezone({zone}, week_start + interval 7 days)) as ends_at,
            ends_at + {calculation_offset_hours} * interval 1 hour as calculated_at,
            cast(timezone({zone}, timezone('UTC', calculated_at)) as date) as calculated_on
        from (
            select cast(unnest(generate_series(date '{_EARLIEST_WEEK}', date '{_LAST_WEEK}', interval 7 days)) as date)
                as week_start
        )
    """


@cache
def calendar(reporting_timezone: str, calculation_offset_hours: int) -> dict[date, CalendarWeek]:
    """Every week that a record can make, by its Monday."""
    with duckdb.connect() as engine:
        rows = engine.execute(calendar_query(reporting_timezone, calculation_offset_hours)).fetchall()
    return {row[0]: CalendarWeek(*row) for row in rows}


@cache
def time_zones() -> frozenset[str]:
    """The names of time zones that DuckDB knows."""
    with duckdb.connect() as engine:
        return frozenset(name for (name,) in engine.execute("select name from pg_timezone_names()").fetchall())
