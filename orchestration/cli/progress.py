"""Progress of a run: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.status import Status

if TYPE_CHECKING:
    from dagster import DagsterEvent, LoggerDefinition


class Progress:
    """Says which step of the run is at work, and how long each took, on standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = self._console.status("") if self._console.is_terminal else None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def step(self, text: str) -> None:
        """Say what is at work now."""
        if self._status:
            self._status.update(text)

    def done(self, text: str) -> None:
        """Say what is finished, with the seconds since the command started."""
        self._console.print(f"{time.monotonic() - self._started:6.1f} s  {text}", soft_wrap=True)
        sys.stderr.flush()

    def logger(self) -> LoggerDefinition:
        """The logger of a run that this process executes: Dagster's events become steps, warnings are shown."""
        from dagster import LoggerDefinition

        handler = _Handler(self)

        def start(_: object) -> logging.Logger:
            logger = logging.Logger("metric_store_progress", logging.DEBUG)  # steps are told of at this level
            logger.addHandler(handler)
            return logger

        return LoggerDefinition(start)


class _Handler(logging.Handler):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        event: DagsterEvent | None = meta.get("dagster_event")
        if event is not None and event.step_key:
            name = event.step_key.replace("__", "/")
            if event.is_step_start:
                self._progress.step(name)
            elif event.is_step_success:
                self._progress.done(name)
        elif event is None and (record.levelno == logging.INFO or _is_told_nowhere_else(record, meta)):
            self._progress.done(meta.get("orig_message", record.getMessage()))


def _is_told_nowhere_else(record: logging.LogRecord, meta: dict[str, object]) -> bool:
    """Warnings of what a week is withheld by, and of files, are told when the run has ended."""
    return record.levelno == logging.WARNING and meta.get("step_key") in ("copy", "notice")
