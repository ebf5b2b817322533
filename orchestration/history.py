"""Dagster's event history in its own SQLite files, written over connections that stay open."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

#: Shards that stay open: the index, the run that is written, and a few that the UI looks at.
_OPEN_SHARDS = 8


class HistoryStorage(SqliteEventLogStorage):
    """Dagster's default event log storage, at its default place, but for the connections.

    The default opens a file, compiles the statement and closes the file again for each of the some 500 events of a
    run; the last to close also moves the write-ahead log into the file. That was a third of a small run. A commit
    isn't synced one by one: a loss of power can cost the last events of the history, never a figure.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._engines_lock = threading.RLock()
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> HistoryStorage:
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"), inst_data)

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        return self._kept_open(str(run_id))

    def index_connection(self) -> AbstractContextManager[Connection]:
        return self._kept_open(INDEX_SHARD_NAME)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; asked for every event, and a table that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        super().dispose()
        with self._engines_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()

    @contextmanager
    def _kept_open(self, shard: str) -> Iterator[Connection]:
        # One at a time, as the default has it: a transaction that reads first can't wait for another that writes.
        with self._engines_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            with super()._connect(shard):  # makes the file where there is none
                pass
            engine = create_engine(
                self.conn_string_for_shard(shard), connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
            )
            event.listen(engine, "connect", _sync_less)
            self._engines[shard] = engine
            if len(self._engines) > _OPEN_SHARDS:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]


def _sync_less(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = normal")
