"""The UI ends with an error when what it stands on doesn't start, or ends. No process of Dagster's is started here."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

import orchestration.ui.server as server
from metric_store.errors import MetricStoreError
from orchestration.home.layout import Home


def serve(tmp_path: Path) -> list[str]:
    ready: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.serve(Home(tmp_path), listener, lambda: ready.append("ready"))
    return ready


def test_a_child_that_ends_by_itself_ends_the_ui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Home] = []

    @contextmanager
    def with_a_short_lived_child(home: Home) -> Iterator[Any]:
        yield Starlette(), [subprocess.Popen([sys.executable, "-c", ""])]
        closed.append(home)

    monkeypatch.setattr(server, "_dagster", with_a_short_lived_child)
    with pytest.raises(MetricStoreError, match="ended by itself"):
        serve(tmp_path)
    assert closed == [Home(tmp_path)], "what is left is ended, too"


def test_a_code_location_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[Any, ...]] = []

    @contextmanager
    def child(*command: Any) -> Iterator[subprocess.Popen[bytes]]:
        started.append(command)
        yield subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr(server, "child", child)
    with pytest.raises(MetricStoreError, match="code location can't be loaded"):
        serve(tmp_path)
    assert [command[1:4] for command in started] == [("dagster", "code-server", "start")], "no daemon without it"
