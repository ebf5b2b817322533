"""Which weeks a run computes: those asked for, or every complete week that is new or due for restatement.

Decided from the ledger, the published store and the configuration; nothing is read but their compact tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from metric_store.errors import MetricStoreError
from metric_store.reading import PublishedWeek
from metric_store.words import in_words
from orchestration.configuration import Configuration
from orchestration.ingest.ledger import Ledger
from orchestration.project import code_version
from orchestration.weeks.names import FIRST_WEEK

#: A week is landed when one of these has a record in it.
WEEK_SOURCES = ("oms_logs", "seller_orders")


@dataclass(frozen=True)
class Week:
    """A week on its way from the plan to publication: when it was, and the marks of what it is made from.

    is_published: whether it was published before. mark: changes when the week could come out differently, by other
    records, configuration, code or unreadable files. Instants are UTC.
    """

    week_start: date
    starts_at: datetime
    ends_at: datetime
    calculated_at: datetime
    calculated_on: date
    is_published: bool
    raw_fingerprint: str
    config_hash: str
    code_version: str
    mark: str


@dataclass(frozen=True)
class State:
    """What is known of every week before a run.

    unmoved: published weeks that come out the same from other records than those that they were built from.
    """

    landed: dict[date, int]
    fingerprints: dict[date, str]
    published: dict[date, PublishedWeek]
    attempts: dict[date, dict[str, Any]]
    failed_files: str
    unmoved: frozenset[date]

    @property
    def due(self) -> list[date]:
        """Published weeks that something can change which landed after their build, or was taken back."""
        return sorted(week for week in self.published if self.has_other_records(week) or self.is_void(week))

    def has_other_records(self, week: date) -> bool:
        """Whether a published week can come out differently from what has landed now."""
        return self.fingerprints[week] != self.published[week].raw_fingerprint and week not in self.unmoved

    def is_void(self, week: date) -> bool:
        """Whether the week was judged by rejected records that are gone."""
        attempt = self.attempts.get(week)
        return attempt is not None and attempt["fingerprint"] == ""

    def withheld_by(self, week: date) -> list[str]:
        """The rules that withheld the week when it was last tried."""
        attempt, published = self.attempts.get(week), self.published.get(week)
        if attempt is None or not attempt["withheld_by"]:
            return []
        # A run that was killed right after it published the week has not recorded that.
        if published is not None and published.published_at > datetime.fromisoformat(attempt["attempted_at"]):
            return []
        return str(attempt["withheld_by"]).split(",")


def state_of(ledger: Ledger, published: dict[date, PublishedWeek]) -> State:
    """The state of a home."""
    landed = {week: rows for week, rows in ledger.landed_rows_by_week(WEEK_SOURCES).items() if week >= FIRST_WEEK}
    failed = [f"{row['source']}/{row['path']}:{row['size']}:{row['mtime_ns']}" for row in ledger.files(status="failed")]
    fingerprints = _fingerprints(ledger, set(landed) | set(published))
    return State(
        landed=landed,
        fingerprints=fingerprints,
        published=published,
        attempts=ledger.attempts(),
        failed_files=_digest(sorted(failed)) if failed else "",
        unmoved=frozenset(
            week
            for week, marks in ledger.unmoved().items()
            if week in published and marks == (published[week].build_id, fingerprints[week])
        ),
    )


def plan_weeks(
    state: State, configuration: Configuration, now: datetime, requested: Sequence[date] | None
) -> list[Week]:
    """The weeks to compute, oldest first; those that would come out as they are published are left out.

    Raises MetricStoreError for a requested week that hasn't passed, and where no requested week has a record.
    """
    if requested is not None:
        check_over(configuration, now, requested)
        _check_landed(state, requested)
        return [plan for plan in plans_of(state, configuration, requested) if not _is_done(state, plan)]
    candidates = [week for week in set(state.landed) - set(state.published) if configuration.calculated_at(week) <= now]
    plans = plans_of(state, configuration, [*candidates, *state.due])
    return [plan for plan in plans if not _was_withheld_as_it_is(state, plan)]


def plans_of(state: State, configuration: Configuration, weeks: Iterable[date]) -> list[Week]:
    """These weeks, oldest first, with the marks of what they would be made from."""
    return [_week(state, configuration, week) for week in sorted(set(weeks))]


def _week(state: State, configuration: Configuration, week: date) -> Week:
    is_published = week in state.published
    fingerprint = state.fingerprints.get(week, _digest([]))
    config_hash = configuration.config_hash(week)
    # A published week keeps its figures whatever is unreadable now, so that isn't part of its mark.
    mark = _digest([fingerprint, config_hash, code_version(), "" if is_published else state.failed_files])
    instants = asdict(configuration.calendar[week])
    return Week(
        **instants,
        is_published=is_published,
        raw_fingerprint=fingerprint,
        config_hash=config_hash,
        code_version=code_version(),
        mark=mark,
    )


def is_as_published(state: State, plan: Week) -> bool:
    """Whether the week is published from what this plan names, with its evidence, and was judged by what counts now."""
    published = state.published.get(plan.week_start)
    return (
        published is not None
        and (published.raw_fingerprint == plan.raw_fingerprint or plan.week_start in state.unmoved)
        and published.config_hash == plan.config_hash
        and published.code_version == plan.code_version
        and published.has_evidence
        and not state.is_void(plan.week_start)
    )


def _is_done(state: State, plan: Week) -> bool:
    return is_as_published(state, plan) and not _was_withheld_as_it_is(state, plan)


def _was_withheld_as_it_is(state: State, plan: Week) -> bool:
    attempt = state.attempts.get(plan.week_start)
    return attempt is not None and bool(attempt["withheld_by"]) and attempt["fingerprint"] == plan.mark


def check_over(configuration: Configuration, now: datetime, requested: Sequence[date]) -> None:
    """Raises MetricStoreError where one of the weeks can't be computed yet."""
    ahead = [week for week in requested if configuration.calculated_at(week) > now]
    if ahead:
        raise MetricStoreError(
            f"Not over yet: {in_words(ahead)}. It can be computed from "
            f"{configuration.calculated_at(ahead[0]):%Y-%m-%d %H:%M} UTC on; leave it out of --weeks."
        )


def _check_landed(state: State, requested: Sequence[date]) -> None:
    if not any(week in state.landed for week in requested):
        known = (
            f"Landed weeks: {in_words(state.landed)}."
            if state.landed
            else "Nothing has landed yet: put files into the inbox."
        )
        raise MetricStoreError(f"No order and no log landed in {in_words(requested)}.\n{known}")


def _fingerprints(ledger: Ledger, weeks: set[date]) -> dict[date, str]:
    """Per week, a digest of the landed files that hold something the week reads."""
    names = {
        int(row["file_id"]): f"{row['source']}/{row['path']}:{row['size']}:{row['mtime_ns']}:{row['landed']}"
        for row in ledger.files()
    }
    read: dict[date, set[str]] = {week: set() for week in weeks}
    for first, last, file_id in ledger.touches():
        for week in weeks:
            if first <= week <= last:
                read[week].add(names[file_id])
    return {week: _digest(sorted(files)) for week, files in read.items()}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
