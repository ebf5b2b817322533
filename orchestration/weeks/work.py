"""What there is to do: the command line, the schedule and the sensor ask this before they launch the job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from orchestration.configuration import Configuration
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.landing import look, new_files
from orchestration.ingest.ledger import Ledger
from orchestration.publication.reading import published_weeks
from orchestration.weeks.planning import plan_weeks, state_of


@dataclass(frozen=True)
class Work:
    """What there is to do. `new_files` and `new_weeks` are digests of it, '' for nothing: they stay until it changes.

    new_files: what the inbox has that isn't landed as it is. weeks, new_weeks: what is new or due, and as what.
    """

    new_files: str
    weeks: list[date]
    new_weeks: str


def work_of(home: Home, configuration: Configuration, now: datetime) -> Work:
    """What a run would do now. Opens no file of the inbox."""
    inbox = look(home)
    with Ledger(home.ledger, read_only=True) as ledger:
        seen: list[str] = []
        for source in SOURCES:
            seen += [
                f"{source.name}/{file.path}:{file.size}:{file.mtime_ns}"
                for file in new_files(inbox, ledger, source.name)
            ]
            present = {(file.path, file.size, file.mtime_ns) for file in inbox.candidates(source.name)}
            gone = [
                key for key, status in ledger.known(source.name).items() if status == "failed" and key not in present
            ]
            seen += [f"gone {source.name}/{path}:{size}:{mtime}" for path, size, mtime in gone]
        state = state_of(ledger, published_weeks(home.published_store))
    plans = plan_weeks(state, configuration, now, None)
    marks = [f"{plan.week_start} {plan.mark}" for plan in plans]
    return Work(_digest(seen), [plan.week_start for plan in plans], _digest(marks))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16] if parts else ""
