"""The background process that imports Great Expectations while a run does other things. Not here: judging itself.

The process is spawned and doesn't import the caller's `__main__`: it works from a console script, Dagster, pytest, a
notebook or a script without a guard, and loads none of them again. It ends with its parent, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from datetime import date
from multiprocessing.connection import Connection
from typing import Self

from orchestration.gate.verdict import GateError, GateReport, ProfileRow, RequiredRow, Rule
from orchestration.settings import Home

_start_lock = threading.Lock()


class GateWorker:
    """Starts importing at once; `judge` waits until that is done. Close it, or use it in a `with` statement."""

    def __init__(self, home: Home) -> None:
        self._home = home
        spawn = multiprocessing.get_context("spawn")
        lifeline, self._lifeline = spawn.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(max_workers=1, mp_context=spawn, initializer=_start, initargs=(lifeline,))
        with _without_main():
            self._ready: Future[None] = self._pool.submit(_get_ready)
        lifeline.close()

    def judge(
        self,
        weeks: Sequence[date],
        profile: Sequence[ProfileRow],
        rules: Sequence[Rule],
        required: Sequence[RequiredRow],
    ) -> GateReport:
        """The verdict on these weeks; see `orchestration.gate.judge`."""
        if self._lifeline.closed:
            raise GateError("The gate's process was closed before the verdict.")
        try:
            self._ready.result()
            return self._pool.submit(_judge, self._home, weeks, profile, rules, required).result()
        except BrokenProcessPool as error:
            raise GateError(
                "The gate's process ended before it gave a verdict, so nothing may be published.\n"
                "It was killed, or memory ran out: run again."
            ) from error

    def close(self) -> None:
        """Ends the process, also while it is still importing."""
        self._lifeline.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _start(lifeline: Connection) -> None:
    """Prepares the process: it ends with the parent, leaves Ctrl-C to it, and writes nothing on standard output."""
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    os.dup2(2, 1)


def _end_with_parent(lifeline: Connection) -> None:
    """The parent holds the only other end, so reading ends when it closes it or is gone, kill -9 included."""
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(0)


def _get_ready() -> None:
    import logging
    import warnings

    from tqdm import tqdm  # type: ignore[import-untyped]

    tqdm.set_lock(threading.RLock())  # its own one is a semaphore of the system, reported as leaked at a sudden end
    warnings.simplefilter("ignore")
    from orchestration.gate.judge import warm_up

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warm_up()


def _judge(
    home: Home,
    weeks: Sequence[date],
    profile: Sequence[ProfileRow],
    rules: Sequence[Rule],
    required: Sequence[RequiredRow],
) -> GateReport:
    from orchestration.gate.judge import judge

    try:
        return judge(home, weeks, profile, rules, required)
    except (ValueError, GateError, OSError):
        raise
    except Exception as error:  # its own exceptions don't all survive the way back to the parent
        raise GateError(f"Great Expectations failed: {type(error).__name__}: {error}") from error


@contextmanager
def _without_main() -> Iterator[None]:
    """A spawned process imports its parent's main module; one that is spawned in here finds none to import."""
    with _start_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
