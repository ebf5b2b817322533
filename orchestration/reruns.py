"""Runs of the command line, which Dagster's UI can start again like those that it launched itself."""

from __future__ import annotations

import json
from typing import Any

from dagster import DagsterInstance, DagsterRun, deserialize_value

#: Where the UI has the weekly job, as Dagster writes it into a run that was launched there. A run that is executed in
#: a process of ours has nothing there, and to start it again was answered with HTTP 500.
_WEEKLY_RUN = {
    "__class__": "ExternalPipelineOrigin",
    "external_repository_origin": {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": {
            "__class__": "RegisteredRepositoryLocationOrigin",
            "location_name": "metric_store",
        },
        "repository_name": "__repository__",
    },
    "pipeline_name": "weekly_run",
}


def let_ui_start_again(instance: DagsterInstance, run: DagsterRun | None) -> None:
    """Note of a run that has ended where the UI has its job; None is a run that was never recorded."""
    if run and not run.remote_job_origin:
        origin: Any = deserialize_value(json.dumps(_WEEKLY_RUN))
        instance.run_storage.replace_job_origin(run, origin)
