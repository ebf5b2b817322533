"""The work to do: the command line, the schedule and the sensor ask for it before they launch the job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from metric_store.reading import published_weeks
from orchestration.configuration import Configuration
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.landing import look, new_files
from orchestration.ingest.ledger import Ledger
from orchestration.weeks.change import check_calendar
from orchestration.weeks.planning import Week, plan_weeks, state_of


@dataclass(frozen=True)
class Work:
    """What there is to do.

    new_files: a digest of what the inbox has that isn't landed as it is, '' for nothing; it stays until that changes.
    plans: the weeks that are new or due, with the marks of what they would be made from.
    """

    new_files: str
    plans: list[Week]

    @property
    def weeks(self) -> list[date]:
        return [plan.week_start for plan in self.plans]

    def mark_of(self, weeks: Sequence[date]) -> str:
        """A digest of what these weeks would be made from."""
        return _digest([f"{plan.week_start} {plan.mark}" for plan in self.plans if plan.week_start in weeks])


def work_of(home: Home, configuration: Configuration, now: datetime, following: Sequence[date] | None = None) -> Work:
    """What a run would do now. Opens no file of the inbox.

    following: the weeks that are to follow another calendar, if the run is asked to. Raises MetricStoreError where the
    settings name another one, and it isn't.
    """
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
        published = published_weeks(home.published_store)
        check_calendar(ledger, configuration, published, following)
        state = state_of(ledger, published)
    return Work(_digest(seen), plan_weeks(state, configuration, now, None))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16] if parts else ""
