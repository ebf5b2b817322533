"""Commands in processes of their own: how long they took, and how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a command ended; CPU of its whole tree and memory of the largest process, as far as they were waited for."""

    status: int
    text: str
    started_at: float
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command, with variables beside those of this process; what it says is kept."""
    with tempfile.TemporaryFile() as said:
        started_at, started = time.time(), time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=said,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        # wait4 tells of this child and those that it waited for; a child also inherits what its parent held when it
        # was forked, so whoever measures must be small itself.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Ended(process.returncode, text, started_at, seconds, usage.ru_utime + usage.ru_stime, peak)


def least_seconds(command: Sequence[str], times: int = 3) -> float:
    """The shortest of several runs of a command that has to succeed."""
    return min(succeed(command).seconds for _ in range(times))


def succeed(command: Sequence[str], *, also: Sequence[int] = (), environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command; SystemExit with what it said unless it ends with 0, or with a status that counts as well."""
    ended = run(command, environment)
    if ended.status and ended.status not in also:
        raise SystemExit(f"{' '.join(command)}\nended with status {ended.status}:\n{ended.text}")
    return ended
