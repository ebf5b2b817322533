"""The engine that files are read with: one for the sources that are read side by side, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import duckdb

from orchestration.home.layout import Home
from orchestration.limits import EngineLimits, engine_config


class StoppedError(Exception):
    """The reading was ended from outside. A file that isn't in the ledger counts as not read."""


class IngestEngine:
    """DuckDB, and the ids of the files that are read with it.

    ids: the next ones; one writer has the home, so they needn't be reserved in the ledger.
    """

    def __init__(self, home: Home, limits: EngineLimits, ids: Iterator[int]) -> None:
        self.ids = ids
        self._engine = duckdb.connect(config=engine_config(home, limits))
        self._at_work: set[duckdb.DuckDBPyConnection] = set()
        self._is_stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    @contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one piece of work: what it makes is gone with it. Raises StoppedError after `stop`."""
        if self._is_stopped:
            raise StoppedError
        with self._engine.cursor() as connection:
            self._at_work.add(connection)
            try:
                yield connection
            finally:
                self._at_work.discard(connection)

    def stop(self) -> None:
        """End what other threads are at, now and from here on; to be called until they have ended."""
        self._is_stopped = True
        for connection in list(self._at_work):
            with suppress(duckdb.Error):  # closed meanwhile
                connection.interrupt()
