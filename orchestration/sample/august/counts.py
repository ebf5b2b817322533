"""How many of everything the month has, at a scale, and how they spread over its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from orchestration.sample.frames import midnight, spread, stream

MONTH = date(2025, 8, 1)
"""August 2025 ends with a Sunday: four weeks of it are complete, and three days lie in a fifth. No month has more."""

DAYS = tuple(MONTH + timedelta(days=n) for n in range(31))
WEEKS = tuple(date(2025, 8, day) for day in (4, 11, 18, 25))
"""The complete weeks, which pass the gate. That of July 28 lacks four days: `days_present` withholds it."""

LEAST_SCALE = 0.002
"""Below, a request of 200 sub-orders would be most of its day."""

_RECORDS, _NULL_RECORDS = 237_642_097, 65_459_064
_PARALLEL_REQUESTS, _NON_PARALLEL_REQUESTS = 4_342_981, 2_553_636
_SUB_ORDERS, _SELLERS = 25_000_000, 4_000
_FEWEST_SELLERS = 28  # two for each OMS client

_WEEKDAY_WEIGHTS = np.array([1.04, 1.0, 0.98, 0.99, 1.06, 1.0, 0.95])
_SILENCE_NOISE = 0.03  # standard deviation of the log of a day's share of the records without a request id
_FIRST_DAY, _AFTER_MONTH = 0.6, 0.4  # of a day: orders of the first one itself, and those that wait on its last evening


@dataclass(frozen=True)
class Day:
    """One day's share. sub_orders: those that its batches take over; named and null records: with and without id."""

    day: date
    sub_orders: int
    parallel_requests: int
    requests: int
    named_records: int
    null_records: int


@dataclass(frozen=True)
class Counts:
    """The month's totals at a scale: log records that count (each log_id once, the damaged copies left out), and so on.

    Every one is that of the whole month times the scale, rounded by itself.
    """

    scale: float
    records: int
    null_records: int
    parallel_requests: int
    non_parallel_requests: int
    sub_orders: int
    sellers: int

    @classmethod
    def at(cls, scale: float) -> Counts:
        """The counts at a scale; ValueError for one that is too small or more than 1."""
        if not LEAST_SCALE <= scale <= 1:
            raise ValueError(f"scale must be from {LEAST_SCALE:g} to 1, not {scale:g}")
        return cls(
            scale=scale,
            records=round(scale * _RECORDS),
            null_records=round(scale * _NULL_RECORDS),
            parallel_requests=round(scale * _PARALLEL_REQUESTS),
            non_parallel_requests=round(scale * _NON_PARALLEL_REQUESTS),
            sub_orders=round(scale * _SUB_ORDERS),
            sellers=max(_FEWEST_SELLERS, round(scale * _SELLERS)),
        )

    def by_day(self, seed: int) -> list[Day]:
        """The 31 days of the month, and one more: the orders of its last evening, which nobody has taken over yet."""
        weights = np.array([_WEEKDAY_WEIGHTS[day.weekday()] for day in DAYS])
        weights *= np.exp(stream(seed, "calendar", MONTH).normal(0, 0.03, len(DAYS)))
        weights[0] *= _FIRST_DAY
        silence = np.exp(stream(seed, "silence", MONTH).normal(0, _SILENCE_NOISE, len(DAYS)))
        sub_orders = spread(self.sub_orders, np.append(weights, _AFTER_MONTH))
        parallel, non_parallel, named, null = (
            np.append(spread(total, share), 0)
            for total, share in (
                (self.parallel_requests, weights),
                (self.non_parallel_requests, weights),
                (self.records - self.null_records, weights),
                (self.null_records, weights * silence),
            )
        )
        columns = (sub_orders, parallel, parallel + non_parallel, named, null)
        days = (*DAYS, DAYS[-1] + timedelta(days=1))
        return [Day(day, *map(int, row)) for day, *row in zip(days, *columns, strict=True)]


def milliseconds(day: date) -> int:
    """00:00 UTC of a day, in milliseconds since 1970."""
    return int(midnight(day).astype(np.int64))
