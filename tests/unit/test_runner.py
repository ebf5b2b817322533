"""How the builder of a home ends when whoever reads its events stops."""

from __future__ import annotations

import threading
from pathlib import Path

import dbt.adapters.factory
import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.transform.engine import Engine
from orchestration.transform.runner import DbtRunner


def test_an_error_of_cancelling_does_not_hide_what_ends_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection may be closed between being seen and being cancelled."""
    cancelled = threading.Event()

    def closed(_adapter: str) -> None:
        cancelled.set()
        raise duckdb.ConnectionException("Connection already closed!")

    def build(_runner, _selection, events) -> None:
        events.put({})
        assert cancelled.wait(10)

    monkeypatch.setattr(dbt.adapters.factory, "get_adapter_by_type", closed)
    monkeypatch.setattr(DbtRunner, "_build", build)
    events = DbtRunner(Home(tmp_path), Engine()).build()
    next(events)
    with pytest.raises(KeyboardInterrupt):
        events.throw(KeyboardInterrupt())
