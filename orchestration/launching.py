"""What there is to do: the command line, the schedule and the sensor ask this before they launch the job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from orchestration.configuration import Configuration
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.landing import look, new_files
from orchestration.ingest.ledger import Ledger
from orchestration.planning import plan_weeks, state_of
from orchestration.publication.reading import published_weeks
from orchestration.settings import Home


@dataclass(frozen=True)
class Work:
    """What there is to do: `new_files` names what the inbox has that isn't landed as it is; '' for nothing."""

    new_files: str
    weeks: list[date]


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
    weeks = [plan.week_start for plan in plan_weeks(state, configuration, now, None)]
    return Work(hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16] if seen else "", weeks)
