"""Reads the published store. Readers open it read-only and never meet a lock; a store that isn't there is empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.errors import MetricStoreError


@dataclass(frozen=True)
class PublishedWeek:
    """The current build of a week, as the table `publication` has it. Times are UTC."""

    week_start: date
    build_id: str
    published_at: datetime
    config_hash: str
    code_version: str
    raw_fingerprint: str


@contextmanager
def open_store(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store, read-only. The file one has open stays as it is when another takes its place.

    Raises MetricStoreError where it can't be opened.
    """
    try:
        connection = duckdb.connect(str(store), read_only=True)
    except duckdb.Error as error:
        raise MetricStoreError(
            f"{store} can't be read: {str(error).splitlines()[0]}\n"
            "Close a program that writes it; if it is broken, move it away: the next run publishes every week anew."
        ) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def published_weeks(store: Path) -> dict[date, PublishedWeek]:
    """Every published week and its current build; empty where there is no store yet."""
    if not store.is_file():
        return {}
    with open_store(store) as connection:
        rows = connection.execute(
            "select week_start, build_id, published_at, config_hash, code_version, raw_fingerprint "
            "from marts.publication where is_current order by week_start"
        ).fetchall()
    return {row[0]: PublishedWeek(*row) for row in rows}
