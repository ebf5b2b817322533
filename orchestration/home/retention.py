"""Deletes old runs from Dagster's history; materializations of weeks stay, and results of checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from dagster import AssetMaterialization, DagsterInstance, RunsFilter

#: So many at a time: what is over waits for the next run.
_RUNS = 200


def forget_old_runs(instance: DagsterInstance, now: datetime, keep_days: int) -> int:
    """Remove runs that began more than `keep_days` before `now` (UTC), with their events; returns how many.

    A partition that only such a run had marked is marked again, without a run.
    """
    began_before = now - timedelta(days=keep_days)
    records = instance.get_run_records(RunsFilter(created_before=began_before), limit=_RUNS, ascending=True)
    old = [record.dagster_run.run_id for record in records if record.dagster_run.is_finished]
    if not old:
        return 0
    marked = {key: instance.get_materialized_partitions(key) for key in instance.all_asset_keys()}
    for run_id in old:
        instance.delete_run(run_id)
        # Dagster empties the database of the run's events, and leaves the file as large as it was.
        for file in Path(instance.root_directory, "history", "runs").glob(f"{run_id}.db*"):
            file.unlink()
    for key, partitions in marked.items():
        for partition in sorted(partitions - instance.get_materialized_partitions(key)):
            instance.report_runless_asset_event(AssetMaterialization(key, partition=partition))
    return len(old)
