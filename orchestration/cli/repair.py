"""Cleans up after a killed or failed run, from a command that launches no run itself."""

from __future__ import annotations

from contextlib import suppress

from orchestration.home.layout import Home


def tidy_up(home: Home) -> None:
    """Put right what is left of a run that had published, and came no further: history, working files, pages.

    Costs nothing where there is nothing.
    """
    if home.lock_note.is_file():
        clear_killed_run(home)
    elif _has_old_pages(home):
        from orchestration.home.lock import HomeIsBusyError, writer_lock
        from orchestration.report.writing import write_report

        with suppress(HomeIsBusyError), writer_lock(home, "", 0):
            write_report(home)


def clear_killed_run(home: Home) -> None:
    """Put right what a killed run left, if one was killed."""
    if not home.lock_note.is_file():
        return
    from dagster import DagsterInstance

    from orchestration.home.instance import prepare_instance
    from orchestration.leftovers import clear_killed_run

    prepare_instance(home)
    with DagsterInstance.get() as instance:
        clear_killed_run(home, instance)


def _has_old_pages(home: Home) -> bool:
    """Whether the store took its place after the index of the pages, which every run writes last."""
    store, index = home.published_store, home.report_index
    return store.is_file() and not (index.is_file() and index.stat().st_mtime_ns >= store.stat().st_mtime_ns)
