"""Runs of the command line, which Dagster's UI can start again like those that it launched itself."""

from __future__ import annotations

import json
from typing import Any

from dagster import DagsterInstance, DagsterRun, deserialize_value

#: The code location, as the UI and workspace.yaml call it.
LOCATION = "metric_store"
#: A repository within it, as Dagster writes it into a run that was launched there. A run that is executed in a process
#: of ours has nothing there, and to start it again was answered with HTTP 500.
_REPOSITORY = {
    "__class__": "ExternalRepositoryOrigin",
    "repository_location_origin": {"__class__": "RegisteredRepositoryLocationOrigin", "location_name": LOCATION},
    "repository_name": "__repository__",
}


def let_ui_start_again(instance: DagsterInstance, run: DagsterRun | None) -> None:
    """Note of a run that has ended where the UI has its job; None is a run that was never recorded."""
    if run and not run.remote_job_origin:
        job = {"external_repository_origin": _REPOSITORY, "pipeline_name": run.job_name}
        origin: Any = deserialize_value(json.dumps({"__class__": "ExternalPipelineOrigin", **job}))
        instance.run_storage.replace_job_origin(run, origin)
