"""A process of its own for what takes long to import or keeps the interpreter busy: dbt, and Great Expectations.

The process is spawned and doesn't import the caller's `__main__`: it works from a console script, Dagster, pytest, a
notebook or a script without a guard, and loads none of them again. It ends with its parent, however that ends.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import multiprocessing.synchronize
import multiprocessing.util
import os
import signal
import sys
import threading
import time
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self, TypeVar

from orchestration.errors import MetricStoreError

T = TypeVar("T")

_start_lock = threading.Lock()

#: How long the main thread of a process that is to end may stay in one call before it is ended all the same.
_LAST_CALL_SECONDS = 10
_ASK_AGAIN_SECONDS = 0.001
_HANDLING_LOCKS = {
    (multiprocessing.synchronize.__file__, "__init__"),
    (multiprocessing.synchronize.__file__, "_cleanup"),
    (multiprocessing.util.__file__, "__call__"),
    (multiprocessing.util.__file__, "_run_finalizers"),
}

#: In the background process: where `emit` sends to.
_events: Connection | None = None


class BackgroundEndedError(MetricStoreError):
    """The process was killed or closed while something was asked of it."""


@dataclass(frozen=True)
class Purpose:
    """What a process is for. `prepare` runs there first, `niceness` lets those go before it that are waited for."""

    prepare: Callable[[], None]
    niceness: int = 0


class Closing(ABC):
    """Closed by `close` or by the end of a `with` statement."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Background(Closing):
    """One process with one job at a time. Close it, or use it in a `with` statement.

    It prepares itself at once, while the caller goes on. What runs there is imported by name.
    """

    def __init__(self, purpose: Purpose) -> None:
        spawn = multiprocessing.get_context("spawn")
        lifeline, self._lifeline = spawn.Pipe(duplex=False)
        self._events, events = spawn.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            max_workers=1, mp_context=spawn, initializer=_start, initargs=(lifeline, events, purpose.niceness)
        )
        with _without_main():
            self._ready: Future[None] = self._pool.submit(_prepare, purpose.prepare)
        lifeline.close()
        events.close()

    @classmethod
    def obtain(cls, purpose: Purpose) -> Background:
        """The process that was started early for this purpose, else a new one."""
        return _early.pop(purpose, None) or cls(purpose)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function returns there. Raises what it raises, or BackgroundEndedError."""
        self._require_open()
        try:
            self._ready.result()
            return self._pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise BackgroundEndedError("The process was killed, or memory ran out.") from error

    def stream(self, function: Callable[..., None], *arguments: Any) -> Iterator[Any]:
        """What the function emits there (see `emit`), as it comes. Raises what it raises, or BackgroundEndedError."""
        self._require_open()
        try:
            self._ready.result()
            done = self._pool.submit(_run_emitting, function, *arguments)
            with suppress(EOFError):
                while (event := self._events.recv()) is not None:
                    yield event
            done.result()
        except BrokenProcessPool as error:
            raise BackgroundEndedError("The process was killed, or memory ran out.") from error

    def close(self) -> None:
        """Ends the process, also in the middle of what it does."""
        self._lifeline.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._events.close()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return next(iter(self._pool._processes))

    def _require_open(self) -> None:
        if self._lifeline.closed:
            raise BackgroundEndedError("The process was closed before.")


_early: dict[Purpose, Background] = {}


@contextmanager
def started_early(*purposes: Purpose) -> Iterator[None]:
    """Start processes that something within this block will obtain; those that nothing did end with the block."""
    for purpose in purposes:
        _early[purpose] = Background(purpose)
    try:
        yield
    finally:
        for purpose in purposes:
            if (unused := _early.pop(purpose, None)) is not None:
                unused.close()


def emit(event: Any) -> None:
    """From a function that runs under `Background.stream`: hand something over to whoever reads the stream."""
    assert _events is not None
    _events.send(event)


def _prepare(prepare: Callable[[], None]) -> None:
    # What is imported stays: looking through it for garbage again and again was most of what collecting took.
    gc.disable()
    prepare()
    gc.freeze()
    gc.enable()


def _run_emitting(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    finally:
        emit(None)


def _start(lifeline: Connection, events: Connection, niceness: int) -> None:
    """Prepares the process: it ends with the parent, leaves Ctrl-C to it, and writes nothing on standard output."""
    global _events
    _events = events
    atexit.register(_leave)
    signal.signal(signal.SIGALRM, _end)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    os.dup2(2, 1)


def _leave() -> None:
    """Ends a process that was asked for nothing more, without taking it to pieces: DuckDB's binding would tell the
    terminal of every object that garbage collection has left to the end."""
    sys.stderr.flush()
    os._exit(0)


def _end_with_parent(lifeline: Connection) -> None:
    """The parent holds the only other end, so reading ends when it closes it or is gone, kill -9 included."""
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.kill(os.getpid(), signal.SIGALRM)
    time.sleep(_LAST_CALL_SECONDS)
    os._exit(0)


def _end(_signal: int, frame: types.FrameType | None) -> None:
    """Ends the process from its main thread, unless that makes or gives back a lock just now.

    Locks are semaphores of the system, which Python reports as leaked where an ended process didn't give them back.
    """
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_code.co_name) in _HANDLING_LOCKS:
            # By the clock: this thread lets others run while it handles locks, so they would find it there again.
            signal.setitimer(signal.ITIMER_REAL, _ASK_AGAIN_SECONDS)
            return
        frame = frame.f_back
    multiprocessing.util._run_finalizers()  # type: ignore[attr-defined]
    os._exit(0)


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
