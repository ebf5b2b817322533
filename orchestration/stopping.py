"""Ends what other threads are at when a run is ended from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any

_AGAIN_SECONDS = 0.2


def stop_and_wait(at_work: Collection[Future[Any]], stop: Callable[[], None]) -> None:
    """Call `stop` until all of these have ended, and return only then.

    An interruption meanwhile changes nothing (people press Ctrl-C twice, `timeout` signals twice): the home must not be
    given away while a thread still writes it.
    """
    while True:
        with suppress(BaseException):
            if all(work.done() for work in at_work):
                return
            with suppress(Exception):  # what is to be stopped may just begin or end
                stop()
            wait(at_work, _AGAIN_SECONDS)
