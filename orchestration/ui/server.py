"""Serves Dagster's webserver behind the checks of `origin`, with its daemon and the code location as children."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import uvicorn
from dagster import DagsterInstance
from dagster_shared.cli import WorkspaceOpts

# Of these dagster-webserver's own command makes its application; Dagster has no other way to put anything before it.
from dagster_webserver.cli import (
    WorkspaceProcessContext,
    create_app_from_workspace_process_context,
    workspace_opts_to_load_target,
)
from starlette.applications import Starlette
from starlette.types import ASGIApp

from metric_store.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.reruns import LOCATION
from orchestration.ui.child import child
from orchestration.ui.origin import MIDDLEWARE

_SECONDS_TO_LOAD = 120
_QUIET = ("--log-level", "warning")


def serve(home: Home, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve the UI on a bound socket until Ctrl-C or until the process is asked to end; all children end before it.

    Raises MetricStoreError when the code location can't be loaded, or one of the children ends by itself.
    """
    failures: list[MetricStoreError] = []

    # What a script starts in the background ignores Ctrl-C, and so do its children, unless uvicorn has taken it before.
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with ExitStack() as stack:
            try:
                dagster, children = stack.enter_context(_dagster(home))
            except MetricStoreError as error:
                failures.append(error)
                server.should_exit = True
                yield
                return
            app.mount("/", dagster)
            watch = asyncio.create_task(_watch(children))
            on_ready()
            yield
            watch.cancel()

    async def _watch(children: list[subprocess.Popen[bytes]]) -> None:
        while all(process.poll() is None for process in children):
            await asyncio.sleep(1)
        failures.append(MetricStoreError("Dagster's daemon or code location ended by itself; what it said is above."))
        server.should_exit = True

    app = Starlette(middleware=MIDDLEWARE, lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    for failure in failures:
        raise failure


@contextmanager
def _dagster(home: Home) -> Iterator[tuple[ASGIApp, list[subprocess.Popen[bytes]]]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="metric-store-ui-")))
        workspace, address = folder / "workspace.yaml", folder / "code.sock"
        location = {"location_name": LOCATION, "host": "localhost", "socket": str(address)}
        workspace.write_text(json.dumps({"load_from": [{"grpc_server": location}]}))
        code = stack.enter_context(
            child(
                folder / "code.lock",
                *("dagster", "code-server", "start", "--use-python-environment-entry-point", *_QUIET),
                *("--module-name", "orchestration.definitions", "--location-name", LOCATION, "--socket", str(address)),
            )
        )
        _wait_for(address, code)
        daemon = stack.enter_context(
            child(home.daemon_lock, "dagster-daemon", "run", "--workspace", str(workspace), *_QUIET)
        )
        instance = stack.enter_context(DagsterInstance.get())
        target = workspace_opts_to_load_target(WorkspaceOpts(workspace=[str(workspace)]))
        context = stack.enter_context(WorkspaceProcessContext(instance, target))
        yield create_app_from_workspace_process_context(context), [code, daemon]


def _wait_for(address: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS_TO_LOAD
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as attempt, suppress(OSError):
            attempt.connect(str(address))
            return
        time.sleep(0.1)
    raise MetricStoreError("Dagster's code location can't be loaded; what it said is above.")
