"""A process of its own for slow imports: what comes back, and how it ends."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from orchestration.background import Background, BackgroundEndedError, Purpose, emit, started_early

_prepared = 0


def prepare() -> None:
    global _prepared
    _prepared += 1


def prepare_slowly() -> None:
    time.sleep(60)


def prepared() -> tuple[int, int]:
    return os.getpid(), _prepared


def count_to(last: int, *, fail: bool = False) -> None:
    for number in range(1, last + 1):
        emit(number)
    if fail:
        raise ValueError("told to fail")


def count_and_fail(last: int) -> None:
    count_to(last, fail=True)


def count_and_wait(last: int) -> None:
    count_to(last)
    time.sleep(60)


def make_locks() -> None:
    emit("begun")
    while True:
        locks = [multiprocessing.get_context("spawn").RLock() for _ in range(3)]
        del locks[::2]
        sum(range(20_000))


COUNTER = Purpose(prepare)


@pytest.fixture
def process() -> Iterator[Background]:
    with Background(COUNTER) as process:
        yield process


def test_calls_run_in_one_process_that_prepared_itself_once(process: Background) -> None:
    assert process.call(prepared) == process.call(prepared) == (process.pid, 1)
    assert process.pid != os.getpid()


def test_what_was_imported_is_left_out_of_collecting_garbage(process: Background) -> None:
    assert process.call(gc.get_freeze_count) > 10_000
    assert process.call(gc.isenabled)


def test_a_stream_gives_all_events_in_their_order_and_the_process_goes_on(process: Background) -> None:
    assert list(process.stream(count_to, 5000)) == list(range(1, 5001))
    assert list(process.stream(count_to, 0)) == []
    assert process.call(prepared) == (process.pid, 1)


def test_an_error_comes_after_the_events_before_it(process: Background) -> None:
    stream = process.stream(count_and_fail, 3)
    assert [next(stream), next(stream), next(stream)] == [1, 2, 3]
    with pytest.raises(ValueError, match="told to fail"):
        next(stream)
    assert list(process.stream(count_to, 2)) == [1, 2]


def test_a_process_that_is_killed_in_a_stream_is_an_error(process: Background) -> None:
    stream = process.stream(count_and_wait, 2)
    assert [next(stream), next(stream)] == [1, 2]
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(BackgroundEndedError):
        next(stream)


def import_duckdb() -> None:
    importlib.import_module("duckdb")


def test_a_process_that_is_asked_for_nothing_more_ends_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    """DuckDB's binding tells of all that garbage collection leaves to the end of the interpreter."""
    with Background(Purpose(import_duckdb)) as process:
        process.call(prepared)
        process._pool.shutdown(wait=True)  # it may hear of this before the end of its lifeline
    assert capfd.readouterr() == ("", "")


def test_closing_in_a_stream_does_not_wait_for_its_end(process: Background) -> None:
    started = time.monotonic()
    next(process.stream(count_and_wait, 1))
    process.close()
    assert time.monotonic() - started < 20
    with pytest.raises(BackgroundEndedError):
        process.call(prepared)


def test_what_was_started_early_is_obtained_once() -> None:
    with started_early(COUNTER):
        first, second = Background.obtain(COUNTER), Background.obtain(COUNTER)
    with first, second:
        assert first.call(prepared)[0] != second.call(prepared)[0]


def test_what_was_started_early_and_not_obtained_ends_with_the_block() -> None:
    started = time.monotonic()
    with started_early(Purpose(prepare_slowly)):
        pass
    assert time.monotonic() - started < 20


_CLOSE_AT_ANY_MOMENT = """
import time
from orchestration.background import Background
from tests.unit.test_background import COUNTER, make_locks

for moment in range(15):
    with Background(COUNTER) as process:
        next(process.stream(make_locks))
        time.sleep(moment / 1000)
"""


def test_a_process_that_ends_in_the_middle_gives_its_locks_back() -> None:
    done = subprocess.run([sys.executable, "-c", _CLOSE_AT_ANY_MOMENT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
