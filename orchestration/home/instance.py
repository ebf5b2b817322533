"""The Dagster instance of a home: its folder, its settings, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.home.files import write_whole
from orchestration.home.layout import HOME_VARIABLE, Home

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
"""

#: Named by the settings that an earlier release wrote; it no longer exists.
_REMOVED = "orchestration.history"


def prepare_instance(home: Home) -> Path:
    """Make the home's instance folder and point this process and its children at it; returns the folder."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    if not settings.is_file() or _REMOVED in settings.read_text():
        write_whole(settings, _SETTINGS)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ[HOME_VARIABLE] = str(home.root)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    return home.dagster
