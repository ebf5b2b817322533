"""The writer lock of a home, which ends with its process (kill -9 included), and a note of who holds it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from metric_store.errors import MetricStoreError
from orchestration.home.files import write_whole
from orchestration.home.layout import Home


class HomeIsBusyError(MetricStoreError):
    """Another run writes this home."""


@contextmanager
def writer_lock(
    home: Home, run_id: str, wait_seconds: float, put_right: Callable[[str | None], None] | None = None
) -> Iterator[None]:
    """Hold the home's only place for a writer. Raises HomeIsBusyError where it isn't free after `wait_seconds`.

    put_right: is given the run that held it last, where that was killed, else None; it's killed until this returns.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.lock)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise HomeIsBusyError(
            f"Another run is writing {home.root}{_holder(home)}.\n"
            "Wait until it ends; metric-store status shows what is published."
        ) from None
    try:
        if put_right is not None:
            put_right(str(_note(home).get("run_id", "")) if home.lock_note.is_file() else None)
        write_whole(
            home.lock_note,
            json.dumps({"run_id": run_id, "pid": os.getpid(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}),
        )
        yield
    finally:
        home.lock_note.unlink(missing_ok=True)
        lock.release()


def _note(home: Home) -> dict[str, Any]:
    try:
        note = json.loads(home.lock_note.read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _holder(home: Home) -> str:
    note = _note(home)
    try:
        return f" (run {note['run_id'][:8]}, process {note['pid']}, since {note['since']})"
    except (KeyError, TypeError):
        return ""
