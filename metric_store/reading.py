"""Reads the published store and the evidence beside it.

Readers open the store read-only and never meet a lock; a store that isn't there is empty.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from metric_store.errors import EvidenceMissingError, MetricStoreError
from metric_store.layout import evidence_beside, evidence_files
from metric_store.sql import sql_parquet, sql_text
from metric_store.words import in_words, not_measured_line, parted


@dataclass(frozen=True)
class PublishedWeek:
    """The current build of a week, as `publication` has it, and whether its evidence is there. Times are UTC."""

    week_start: date
    build_id: str
    published_at: datetime
    calculated_at: datetime
    config_hash: str
    code_version: str
    raw_fingerprint: str
    has_evidence: bool


@dataclass(frozen=True)
class PublishedWaiver:
    """A failure of the gate in spite of which a week is published: a row of `fct_gate_waiver_week`."""

    rule_id: str
    scope: str
    reason: str
    approved_by: str
    valid_until: date

    def __str__(self) -> str:
        subject = self.rule_id if self.scope == "all" else f"{self.rule_id} of {self.scope}"
        return f"{subject}, by {self.approved_by}: {self.reason}"


@contextmanager
def open_store(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store, read-only: the file that is published now, which stays as it is when another takes its place.

    It is attached to a database of its own. Of two connections to one path DuckDB gives the second what the first has
    open, be it replaced or not.

    Raises MetricStoreError where it can't be opened, and where it lacks a table or column that is asked for.
    """
    with duckdb.connect() as connection:
        try:
            connection.execute(f"attach {sql_text(str(store))} as metric_store (read_only)")
            connection.execute("use metric_store")
        except duckdb.Error as error:
            raise _unreadable(store, error) from error
        connection.execute("set TimeZone = 'UTC'")
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise MetricStoreError(
                f"{store} was written by another release, and lacks something: {str(error).splitlines()[0]}\n"
                "Publish its weeks anew (metric-store run --weeks FIRST..LAST), or read it with the release it is of."
            ) from error
        except duckdb.Error as error:
            # A damage is found where it is read; another error may be of a file that is written from the store.
            if "Corrupt database file" not in str(error) and str(store) not in str(error):
                raise
            raise _unreadable(store, error) from error


def _unreadable(store: Path, error: duckdb.Error) -> MetricStoreError:
    return MetricStoreError(
        f"{store} can't be read: {str(error).splitlines()[0]}\n"
        "Close a program that writes it; if it is broken, move it away: the next run publishes every week anew."
    )


def published_weeks(store: Path) -> dict[date, PublishedWeek]:
    """Every published week and its current build; empty where there is no store yet."""
    if not store.is_file():
        return {}
    with open_store(store) as connection:
        rows = connection.execute(
            "select week_start, build_id, published_at, calculated_at, config_hash, code_version, raw_fingerprint "
            "from marts.publication where is_current order by week_start"
        ).fetchall()
    folder = evidence_beside(store)
    return {
        week: PublishedWeek(week, build_id, at, until, config, code, raw, bool(evidence_files(folder, week, build_id)))
        for week, build_id, at, until, config, code, raw in rows
    }


def current_builds(connection: duckdb.DuckDBPyConnection) -> dict[date, str]:
    """The published weeks, each with the build that counts, oldest first."""
    return dict(
        connection.execute(
            "select week_start, build_id from marts.publication where is_current order by week_start"
        ).fetchall()
    )


def published_waivers(store: Path) -> dict[date, list[PublishedWaiver]]:
    """The waivers of the published weeks that have any; empty where there is no store, or one of an older release."""
    if not store.is_file():
        return {}
    with open_store(store) as connection:
        return waivers_in(connection)


def waivers_in(connection: duckdb.DuckDBPyConnection) -> dict[date, list[PublishedWaiver]]:
    """The waivers of the published weeks that have any; empty of a store of an earlier release."""
    try:
        rows = connection.execute(
            "select week_start, rule_id, scope, reason, approved_by, valid_until from marts.fct_gate_waiver_week "
            "semi join (from marts.publication where is_current) using (week_start) order by all"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    found: dict[date, list[PublishedWaiver]] = {}
    for week, *waiver in rows:
        found.setdefault(week, []).append(PublishedWaiver(*waiver))
    return found


def withholding_results(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The results of the gate that withhold a week or its restatement: week_start, rule_id, scope, observed, lower,
    upper, message. None of a store of an earlier release, which didn't say."""
    try:
        cursor = connection.execute(
            "select week_start, rule_id, scope, observed, lower, upper, message from marts.fct_data_quality_week "
            "where is_withholding order by week_start, rule_id, scope"
        )
    except (duckdb.BinderException, duckdb.CatalogException):
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def withheld_because(store: Path) -> dict[date, str]:
    """What the gate says of each week that it withholds, or whose restatement; up to three messages of each."""
    if not store.is_file():
        return {}
    with open_store(store) as connection:
        return withheld_in(connection)


def withheld_in(connection: duckdb.DuckDBPyConnection) -> dict[date, str]:
    """What the gate says of each week that it withholds, or whose restatement; up to three messages of each."""
    messages: dict[date, list[str]] = {}
    for row in withholding_results(connection):
        messages.setdefault(row["week_start"], []).append(row["message"])
    return {
        week: "; ".join(said[:3]) + (f" (and {len(said) - 3} more)" if len(said) > 3 else "")
        for week, said in messages.items()
    }


def unmeasured_metrics(connection: duckdb.DuckDBPyConnection) -> dict[date, dict[str, str]]:
    """By published week: metric_id -> why it isn't measured, in a line. Empty of a store of an earlier release."""
    try:
        rows = connection.execute("from marts.fct_unmeasured_metric_week order by all").fetchall()
    except duckdb.CatalogException:
        return {}
    found: dict[date, dict[str, str]] = {}
    for week, metric, columns in rows:
        found.setdefault(week, {})[metric] = not_measured_line(metric, map(parted, columns.split(",")))
    return found


def evidence_relation(connection: duckdb.DuckDBPyConnection, store: Path, week: date) -> str:
    """SQL: `fct_metric_evidence_week` of a week, in the build that is current in the store this connection has open.

    Sorted by metric_id, seller_id and unit_id, so that a query of one metric and seller reads little. The next
    publication of the week removes it; one who has had the store open for long opens it again then.

    Raises MetricStoreError for a week that isn't published, and EvidenceMissingError.
    """
    builds = current_builds(connection)
    if week not in builds:
        raise not_published(week, builds)
    files = evidence_files(evidence_beside(store), week, builds[week])
    if not files:
        raise EvidenceMissingError(
            f"The evidence of {week} is missing in {evidence_beside(store)}: it was removed, or the week was published "
            f"by a release that kept none.\n"
            f"Make it again: metric-store run --home {shlex.quote(str(store.parent.parent))} --weeks {week}"
        )
    # The evidence of an earlier release lacks the column.
    return f"(from {sql_parquet(files)} union all by name select cast(null as varchar) as incident_id where false)"


def require_week(connection: duckdb.DuckDBPyConnection, week: date) -> None:
    """Raises MetricStoreError for a week that isn't published, with what the gate withheld it by."""
    published = current_builds(connection)
    if week not in published:
        raise not_published(week, published, withheld_in(connection).get(week))


def not_published(week: date, published: Iterable[date], withheld: str | None = None) -> MetricStoreError:
    """The error for a week that the store doesn't have; `withheld`: what the gate says of it."""
    if withheld:
        return MetricStoreError(
            f"{week} isn't published: the gate withheld it, by {withheld}.\n"
            "Correct the cause and run again; metric-store status shows all weeks."
        )
    return MetricStoreError(f"{week} isn't published. Published: {in_words(published) or 'no week'}.")
