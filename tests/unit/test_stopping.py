"""What other threads are at has ended before a run gives its home away, however often it is interrupted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from orchestration.stopping import stop_and_wait


def test_it_returns_when_all_have_ended_though_it_is_interrupted_again() -> None:
    stopped = threading.Event()
    asked = []

    def stop() -> None:
        asked.append(len(asked))
        if len(asked) == 1:
            raise KeyboardInterrupt
        if len(asked) == 2:
            raise RuntimeError("release unlocked lock")
        stopped.set()

    with ThreadPoolExecutor(2) as threads:
        at_work = [threads.submit(stopped.wait, 10) for _ in range(2)]
        stop_and_wait(at_work, stop)
        assert [work.done() for work in at_work] == [True, True]
    assert asked == [0, 1, 2]


def test_nothing_is_stopped_that_has_ended() -> None:
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(int)
        done.result()
        asked: list[None] = []
        stop_and_wait([done], lambda: asked.append(None))
    assert asked == []
