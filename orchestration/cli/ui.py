"""`metric-store ui`: Dagster's own UI and daemon for a home, on this machine only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from dagster import DagsterInstance

from orchestration.home.instance import prepare_instance
from orchestration.home.layout import Home
from orchestration.leftovers import clear_killed_run
from orchestration.project import PROJECT_ROOT
from orchestration.transform.project import manifest_path


def serve(home: Home, port: int, automation: bool) -> None:
    """Start the UI in this process's place; it ends with Ctrl-C."""
    prepare_instance(home)
    manifest_path(home)
    with DagsterInstance.get() as instance:
        clear_killed_run(home, instance)
    os.environ["METRIC_STORE_AUTOMATION"] = "on" if automation else "off"
    workspace = PROJECT_ROOT / "workspace.yaml"
    where = ["-w", str(workspace)] if workspace.is_file() else ["-m", "orchestration.definitions"]
    click.echo(f"Dagster UI of {home.root}: http://127.0.0.1:{port}  (Ctrl-C ends it)", err=True)
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.execv(dagster, [dagster, "dev", *where, "--host", "127.0.0.1", "--port", str(port)])
