"""Parts of the weekly job launched apart, as Dagster's UI launches them, and the weeks that a run is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from dagster import AssetKey, DagsterInstance, DagsterRun, ExecuteInProcessResult

from orchestration.definitions import defs
from orchestration.weeks.partitions import tags_for, weeks_of


def launch(weeks: Sequence[date], *assets: str, keeps_history: bool = False) -> ExecuteInProcessResult:
    """A run of these assets of the home that METRIC_STORE_HOME names; without weeks, of those that it finds itself.

    Its history is kept in memory, or in the instance that DAGSTER_HOME names, where it ends a run that was killed.
    """
    with DagsterInstance.get() if keeps_history else DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("weekly_run").execute_in_process(
            instance=instance,
            tags=tags_for(weeks) if weeks else {},
            asset_selection=[AssetKey(asset.split("/")) for asset in assets],
            raise_on_error=False,
        )


def weeks_asked_for(tags: Mapping[str, str]) -> list[str]:
    """The weeks that a run with these tags works on."""
    weeks = [week.isoformat() for week in weeks_of(DagsterRun(job_name="weekly_run", tags=tags))]
    assert len(weeks) == len(set(weeks)), "each week once"
    return weeks
