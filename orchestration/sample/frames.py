"""Columns of equal length as numpy arrays, seeded random streams, and rows that wait for their day."""

import zlib
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Frame = dict[str, Column]
"""Column name -> array of shape (rows,). Instants are datetime64[ms] in UTC, NaT where nothing happened;
words are integer codes into a tuple of names, -1 for null."""

NEVER = np.datetime64("NaT", "ms")
DAY_KEY = 10_000_000
"""Numbers per day: a key is `days since 1970 * DAY_KEY + number within the day`, so keys sort in time."""


def stream(seed: int, source: str, day: date) -> np.random.Generator:
    """Random numbers of one source and day: more weeks never change what an earlier day got."""
    return np.random.default_rng([seed, zlib.crc32(source.encode()), day.toordinal()])


def midnight(day: date) -> np.datetime64:
    """00:00 UTC of the day."""
    return np.datetime64(day, "ms")


def days_of(monday: date) -> list[date]:
    """The seven days of a week."""
    return [monday + timedelta(days=n) for n in range(7)]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def seconds(amount: Column | float) -> Column:
    """Seconds as timedelta64[ms], cut to whole milliseconds."""
    return (np.asarray(amount, dtype=float) * 1000).astype("timedelta64[ms]")


def hours(amount: Column | float) -> Column:
    """Hours as timedelta64[ms]."""
    return seconds(np.asarray(amount, dtype=float) * 3600)


def size(frame: Frame) -> int:
    """Number of rows."""
    return len(next(iter(frame.values())))


def take(frame: Frame, rows: Column) -> Frame:
    """The rows picked by a mask or by positions."""
    return {name: column[rows] for name, column in frame.items()}


def stack(frames: list[Frame]) -> Frame:
    """Frames with the same columns, one under the other."""
    return {name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def within_group(starts: Column) -> Column:
    """Position of each row in its group, from 0; `starts` is True at the first row of each group."""
    index = np.arange(len(starts))
    return index - np.maximum.accumulate(np.where(starts, index, 0))


def spread(total: int, weights: Column) -> Column:
    """`total` split in proportion to the weights, at least 1 each; needs total >= len(weights)."""
    exact = (total - len(weights)) * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    most_cut = np.argsort(counts - exact, kind="stable")
    counts[most_cut[: total - len(weights) - counts.sum()]] += 1
    result: Column = counts + 1
    return result


def draw(rng: np.random.Generator, weights: Column, count: int) -> Column:
    """`count` positions drawn in proportion to the weights."""
    cumulative = np.cumsum(weights, dtype=float)
    last = np.flatnonzero(weights)[-1]  # rounding must not lead past it
    positions: Column = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    return positions.clip(max=last)


class Carry:
    """Rows that are known already but belong to a later day or week, ordered by one of their instants."""

    def __init__(self, due: str) -> None:
        self._due = due
        self._waiting: list[Frame] = []

    def add(self, frame: Frame) -> None:
        """Keep these rows until they are due."""
        self._waiting.append(frame)

    def take_before(self, instant: np.datetime64) -> Frame:
        """Remove and return the rows due before the instant, in the order of their instants."""
        waiting = stack(self._waiting)
        is_due = waiting[self._due] < instant
        self._waiting = [take(waiting, ~is_due)]
        due = take(waiting, is_due)
        return take(due, np.argsort(due[self._due], kind="stable"))
