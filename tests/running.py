"""A run of `metric-store` that a test follows, and ends before its time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from orchestration.home.layout import Home
from orchestration.home.lock import HomeIsBusyError, writer_lock
from tests.conftest import METRIC_STORE, Ended

_STEP = re.compile(r"\s*[\d.]+ s  (\S+)\s*")


def is_free(home: Path) -> bool:
    """Whether a run could write this home now."""
    try:
        with writer_lock(Home(home), "test", 0):
            return True
    except HomeIsBusyError:
        return False


class Running:
    """A run in a process of its own, followed by its lines on standard error."""

    def __init__(self, home: Path, *options: str) -> None:
        self._process = subprocess.Popen(
            [str(METRIC_STORE), "run", "--home", str(home), *options],
            stdout=subprocess.PIPE,  # a few lines, which fit into the pipe
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches every process of a terminal's foreground group
        )
        self._lines: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._has_said_all = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> None:
        """Until its own process is gone; those that it started may still be there."""
        self._process.wait(300)

    @property
    def is_at_work(self) -> bool:
        return self._process.poll() is None

    @property
    def steps(self) -> dict[str, float]:
        """The steps that it has done, and when: by the monotonic clock, in their order."""
        return {step.group(1): at for at, line in self._lines if (step := _STEP.fullmatch(line))}

    def wait_for(self, text: str) -> None:
        """Until it has said this."""
        with self._news:
            self._news.wait_for(lambda: self._has_said_all or any(text in line for _, line in self._lines))
        if not any(text in line for _, line in self._lines):
            raise AssertionError(f"the run ended without saying {text}:\n{self._said}")

    def kill(self) -> None:
        """As kill -9 or the kernel that is out of memory does: only this process, and at once."""
        os.kill(self.pid, signal.SIGKILL)

    def interrupt(self) -> None:
        """As Ctrl-C does: every process of the group."""
        os.killpg(self.pid, signal.SIGINT)

    def end(self, timeout: float = 300) -> Ended:
        """Wait until it has ended, one way or another."""
        assert self._process.stdout is not None
        status = self._process.wait(timeout)
        self._listener.join(timeout)
        with self._process.stdout as out:
            return Ended(status, out.read(), self._said)

    @property
    def children(self) -> list[int]:
        """Processes of its session that are still there, itself left out."""
        found = subprocess.run(
            ["ps", "-s", str(self.pid), "-o", "pid=,stat="], capture_output=True, text=True, check=False
        )
        processes = [line.split() for line in found.stdout.splitlines()]
        return [int(pid) for pid, state in processes if int(pid) != self.pid and not state.startswith("Z")]

    @property
    def children_that_stay(self) -> list[int]:
        """Those that are still there some seconds later: they notice by themselves that it is gone."""
        until = time.monotonic() + 30
        while (children := self.children) and time.monotonic() < until:
            time.sleep(0.2)
        return children

    @property
    def _said(self) -> str:
        return "".join(line for _, line in self._lines)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                with self._news:
                    self._lines.append((time.monotonic(), line))
                    self._news.notify_all()
        with self._news:
            self._has_said_all = True
            self._news.notify_all()
