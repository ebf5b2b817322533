"""What a killed run left, put right by a command that launches no run."""

from __future__ import annotations

from orchestration.settings import Home


def clear_killed_run(home: Home) -> None:
    """Put right what a killed run left: history, working files, pages. Costs nothing where no run was killed."""
    if not home.lock_note.is_file():
        return
    from dagster import DagsterInstance

    from orchestration.instance import prepare_instance
    from orchestration.resources import clear_killed_run

    prepare_instance(home)
    with DagsterInstance.get() as instance:
        clear_killed_run(home, instance)
