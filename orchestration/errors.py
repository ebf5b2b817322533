"""Errors that an analyst reads: one or two lines that say what is wrong, where, and what to do."""

from __future__ import annotations

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


def says_disk_is_full(text: str) -> bool:
    """Whether an error's text says that a disk is full."""
    return any(sign in text for sign in _DISK_FULL)
