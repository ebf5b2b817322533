"""A console script that ends when its standard input closes, and so with the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points
from pathlib import Path

from dagster_shared.ipc import interrupt_ipc_subprocess_pid
from filelock import FileLock

_SECONDS_TO_END = 20


@contextmanager
def child(lock: Path, script: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a console script while the block lasts, and end it with all that it started.

    It begins when it has the lock: one that a killed process left ends first.
    """
    command = [sys.executable, "-P", "-m", __name__, str(lock), script, *arguments]
    # A group of its own: Ctrl-C in a terminal reaches this process alone, which ends the others in their order.
    # Warnings of Python are for those who write definitions, not for those who look at them.
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=env)
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()


def main() -> None:
    """In the child: the script, until it ends by itself or is interrupted."""
    threading.Thread(target=_interrupt_at_the_end_of_input, daemon=True).start()
    lock, name = sys.argv[1:3]
    [script] = entry_points(group="console_scripts", name=name)
    sys.argv = sys.argv[2:]
    with suppress(KeyboardInterrupt), FileLock(lock):
        script.load()()


def _interrupt_at_the_end_of_input() -> None:
    os.read(0, 1)
    while True:
        interrupt_ipc_subprocess_pid(0)  # the whole group, as Ctrl-C does: the runs that it launched, too
        time.sleep(5)


if __name__ == "__main__":
    main()
