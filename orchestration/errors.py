"""Errors that an analyst reads: one or two lines that say what is wrong, where, and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metric_store.errors import MetricStoreError


class UsageError(MetricStoreError):
    """The command was called in a way that can't be meant. Ends a command with status 2."""


class InterruptedRunError(MetricStoreError):
    """The user ended the command with Ctrl-C."""

    def __init__(self) -> None:
        super().__init__("Interrupted. The published store is whole; run again to go on from here.")


class DiskFullError(MetricStoreError):
    """The disk of a home is full."""

    def __init__(self, place: object) -> None:
        super().__init__(
            f"No space is left on the disk of {place}.\n"
            "The published store is whole; free some space, and run again to go on from here."
        )


#: How the system, SQLite and a quota say it; libraries wrap these in errors of their own.
_DISK_FULL = ("No space left on device", "database or disk is full", "Disk quota exceeded")
#: What SQLite says of any failure to write, one of them that the memory that its readers share can't grow.
_CANT_WRITE = "disk I/O error"
_NO_SPACE_BYTES = 1_000_000


def is_disk_full(text: str, place: Path) -> bool:
    """Whether an error's text says that the disk of a place is full."""
    if any(sign in text for sign in _DISK_FULL):
        return True
    return _CANT_WRITE in text and shutil.disk_usage(place).free < _NO_SPACE_BYTES


@contextmanager
def full_disk_named(place: Path) -> Iterator[None]:
    """Raises DiskFullError in place of any library's error that says so."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, MetricStoreError) and is_disk_full(str(error), place):
            raise DiskFullError(place) from error
        raise
