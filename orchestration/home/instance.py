"""The Dagster instance of a home: its folder, its settings, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.home.files import write_whole
from orchestration.home.layout import HOME_VARIABLE, Home

#: Ticks of the sensor come each minute; the runs themselves are kept for keep_runs_days.
_RETENTION = """\
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 1
      started: 7
      failure: 30
      success: 90
"""
#: One writer at a time, whoever launches it; no telemetry, and no dialog over the UI.
_SETTINGS = f"""\
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
{_RETENTION}run_monitoring:
  enabled: true
"""

#: Named by the settings that an earlier release wrote; it no longer exists.
_REMOVED = "orchestration.history"


def prepare_instance(home: Home) -> Path:
    """Make the home's instance folder and point this process and its children at it; returns the folder."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings = home.dagster / "dagster.yaml"
    text = settings.read_text() if settings.is_file() else None
    if text is None or _REMOVED in text or text == _SETTINGS.replace(_RETENTION, ""):  # what an earlier release wrote
        write_whole(settings, _SETTINGS)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ[HOME_VARIABLE] = str(home.root)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    return home.dagster
