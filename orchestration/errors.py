"""Errors that an analyst reads: one or two lines that say what is wrong, where, and what to do."""

from __future__ import annotations


class MetricStoreError(Exception):
    """Something went wrong that the user can act on; the text is shown as it is. Ends a command with status 1."""


class UsageError(MetricStoreError):
    """The command was called in a way that can't be meant. Ends a command with status 2."""


class InterruptedRunError(MetricStoreError):
    """The user ended the command with Ctrl-C."""

    def __init__(self) -> None:
        super().__init__("Interrupted. The published store is whole; run again to go on from here.")
