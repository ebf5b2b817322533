"""Why a run failed, from its events, in words for an analyst."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from metric_store.errors import MetricStoreError
from orchestration.errors import DiskFullError, InterruptedRunError, is_disk_full
from orchestration.home.layout import Home

if TYPE_CHECKING:
    from dagster import DagsterEvent

_INTERRUPTIONS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


def cause_of(events: Iterable[DagsterEvent], run_id: str, home: Home) -> MetricStoreError:
    """The error of what failed in a run, in its own words; where it happened is noted for --debug."""
    where = f"see run {run_id} in metric-store ui"
    said_by_dagster = ""
    for event in events:
        error = getattr(event.event_specific_data, "error", None)
        if not event.is_failure or error is None:
            said_by_dagster = event.message if event.is_failure and event.message else said_by_dagster
            continue
        if any(link.cls_name in _INTERRUPTIONS for link in _with_all_behind(error)):
            return InterruptedRunError()
        chain = [error]
        while (link := chain[-1].cause) is not None:
            chain.append(link)
        root = chain[-1]
        if any(is_disk_full(link.message, home.root) for link in chain):
            return DiskFullError(home.root)
        name, _, said = root.message.strip().partition(": ")
        # Dagster keeps no more of an exception than its name; those of this project are all written for an analyst.
        if (name.startswith(("metric_store.", "orchestration.")) or root.cls_name in _names(OSError)) and said:
            cause = MetricStoreError(said)
        else:
            cause = MetricStoreError(
                f"unexpected error in {event.step_key or 'the run'}, please report it: "
                f"{name.rpartition('.')[2]}: {said.splitlines()[0] if said else 'no reason given'}\n"
                f"Run again with metric-store --debug, or {where}."
            )
        cause.add_note(error.to_string())
        return cause
    return MetricStoreError(f"{said_by_dagster or 'The run failed.'}\nFor more {where}.")


def _with_all_behind(error: Any) -> Iterator[Any]:
    """An error, and those that it came from or came on top of: what is at work when a run is ended may fail of it."""
    if error is not None:
        yield error
        yield from _with_all_behind(error.cause)
        yield from _with_all_behind(error.context)


def _names(kind: type[Exception]) -> set[str]:
    """The names of an exception and of those derived from it: Dagster keeps no more of an exception."""
    return {kind.__name__}.union(*(_names(derived) for derived in kind.__subclasses__()))
