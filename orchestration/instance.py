"""The Dagster instance of a home: its folder, its settings, nothing else."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from orchestration.publication.files import write_whole
from orchestration.settings import HOME_VARIABLE, Home

#: One writer at a time, whoever launches it; no telemetry, and no dialog over the UI.
_SETTINGS = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 10
    tag_concurrency_limits:
      - key: metric_store/writer
        limit: 1
  pools:
    default_limit: 1
    granularity: run
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
run_monitoring:
  enabled: true
event_log_storage:
  module: orchestration.history
  class: HistoryStorage
  config: {}
"""


def prepare_instance(home: Home) -> Path:
    """Make the home's instance folder and point this process and its children at it; returns the folder."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.is_file():
        write_whole(settings, _SETTINGS)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ[HOME_VARIABLE] = str(home.root)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    return home.dagster


@contextmanager
def quick_history(home: Home) -> Iterator[None]:
    """Keep Dagster's records of runs cheap to write while a run of this process lasts; events: `orchestration.history`.

    Dagster opens SQLite anew each time. The last connection to close moves the write-ahead log into the file and
    deletes it, with several syncs of the disk: one connection held open spares that. Without a sync at every commit, a
    loss of power can cost the last of the history, never a figure.
    """

    def relax(connection: object, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = normal")

    event.listen(Engine, "connect", relax)
    held = [sqlite3.connect(file) for file in home.dagster.glob("**/*.db")]
    try:
        for connection in held:
            connection.execute("select count(*) from sqlite_master").fetchall()
        yield
    finally:
        for connection in held:
            connection.close()
        event.remove(Engine, "connect", relax)
