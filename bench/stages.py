"""Where the time of a run went, by Dagster's own history of the home."""

from __future__ import annotations

from itertools import pairwise

from dagster import DagsterInstance

from bench.processes import Ended
from orchestration.home.instance import prepare_instance
from orchestration.home.layout import Home

Step = tuple[str, float, float]


def stages(home: Home, ended: Ended) -> dict[str, float]:
    """Seconds by stage of the command that ran on a new home; together they are its whole time.

    A stage that several of its Dagster runs have, such as landing, is their sum. startup: until the first step;
    between_runs: from the last step of one run to the first of the next; finish: after the last step of all.
    """
    runs = _steps_of_runs(home, ended.started_at + ended.seconds)
    seconds = {"startup": runs[0][0][1] - ended.started_at}
    for steps in runs:
        for stage, start, end in steps:
            seconds[stage] = seconds.get(stage, 0.0) + end - start
    seconds["between_runs"] = sum(after[0][1] - before[-1][2] for before, after in pairwise(runs))
    seconds["finish"] = ended.started_at + ended.seconds - runs[-1][-1][2]
    seconds["between_steps"] = ended.seconds - sum(seconds.values())
    return seconds


def _steps_of_runs(home: Home, before: float) -> list[list[Step]]:
    """Per run its steps that started before a moment (name, start, end); all in the order of time."""
    runs = []
    prepare_instance(home)
    with DagsterInstance.get() as instance:
        for run_id in instance.get_run_ids():
            steps = [
                (step.step_key.replace("__", "."), step.start_time, step.end_time)
                for step in instance.get_run_step_stats(run_id)
                if step.start_time and step.end_time and step.start_time < before
            ]
            if steps:
                runs.append(sorted(steps, key=lambda step: step[1]))
    return sorted(runs, key=lambda steps: steps[0][1])
