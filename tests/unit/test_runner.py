"""How dbt ends that is still at work when its run has ended."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import dbt.adapters.factory
import duckdb
import pytest
from dagster import DagsterInstance, InitResourceContext, build_init_resource_context

from orchestration.home.layout import Home
from orchestration.resources import MetricStoreResource
from orchestration.transform.engine import Engine
from orchestration.transform.runner import DbtRunner


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the connections of dbt's adapter are cancelled; one is closed between being seen and being cancelled."""
    event = threading.Event()

    def closed(_adapter: str) -> None:
        event.set()
        raise duckdb.ConnectionException("Connection already closed!")

    monkeypatch.setattr(dbt.adapters.factory, "get_adapter_by_type", closed)
    return event


def test_closing_ends_a_build_that_nobody_reads_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancelled: threading.Event
) -> None:
    """What had read it is garbage by then, and dbt's own thread may be the one that collects it."""
    dropped = threading.Event()

    def build(_runner: DbtRunner, _selection: Any, events: Any) -> None:
        events.put({})
        assert dropped.wait(10)
        gc.collect()
        assert cancelled.wait(10)

    monkeypatch.setattr(DbtRunner, "_build", build)
    runner = DbtRunner(Home(tmp_path), Engine())
    circle = [runner.build()]
    next(circle[0])
    circle.append(circle)
    del circle
    dropped.set()
    runner.close()
    assert cancelled.is_set()


def test_a_run_has_its_home_until_dbt_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cancelled: threading.Event
) -> None:
    had_lock = []

    def build(runner: DbtRunner, _selection: Any, events: Any) -> None:
        events.put({})
        assert cancelled.wait(10)
        had_lock.append(Home(tmp_path).lock_note.is_file())

    monkeypatch.setattr(DbtRunner, "_build", build)
    monkeypatch.setenv("METRIC_STORE_HOME", str(tmp_path))

    def run_until_ctrl_c(context: InitResourceContext) -> None:
        with MetricStoreResource().yield_for_execution(context) as store:
            next(store.dbt.build())
            raise KeyboardInterrupt

    with (
        DagsterInstance.ephemeral() as instance,
        build_init_resource_context(instance=instance) as context,
        pytest.raises(KeyboardInterrupt),
    ):
        run_until_ctrl_c(context)
    assert had_lock == [True]
    assert not Home(tmp_path).lock_note.is_file()
