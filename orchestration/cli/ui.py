"""`metric-store ui`: Dagster's own UI and daemon for a home, on this machine only."""

from __future__ import annotations

import os
import socket

import click
from dagster import DagsterInstance
from filelock import AcquireReturnProxy, FileLock, Timeout

from metric_store.errors import MetricStoreError
from orchestration.home.instance import prepare_instance
from orchestration.home.layout import Home
from orchestration.leftovers import clear_killed_run
from orchestration.transform.project import manifest_path

_ADDRESS = "127.0.0.1"


def serve(home: Home, port: int, automation: bool) -> None:
    """Serve the UI until Ctrl-C. Raises MetricStoreError where another one is open, or the port is taken."""
    prepare_instance(home)
    os.environ["METRIC_STORE_AUTOMATION"] = "on" if automation else "off"
    with _only_one(home), _bound(port) as listener:
        manifest_path(home)
        with DagsterInstance.get() as instance:
            clear_killed_run(home, instance)
        from orchestration.ui.server import serve as serve_dagster

        url = f"http://{_ADDRESS}:{listener.getsockname()[1]}"
        serve_dagster(
            home, listener, lambda: click.echo(f"Dagster UI of {home.root}: {url}  (Ctrl-C ends it)", err=True)
        )


def _only_one(home: Home) -> AcquireReturnProxy:
    """Two daemons would each launch what is due."""
    try:
        return FileLock(home.ui_lock).acquire(timeout=0)
    except Timeout:
        raise MetricStoreError(
            f"metric-store ui is at work for {home.root} already.\nUse that one, or end it first (Ctrl-C)."
        ) from None


def _bound(port: int) -> socket.socket:
    try:
        return socket.create_server((_ADDRESS, port))
    except OSError as error:
        raise MetricStoreError(
            f"Port {port} of {_ADDRESS} can't be used: {os.strerror(error.errno or 0)}.\n"
            "Name another one with --port, or end what has it."
        ) from error
