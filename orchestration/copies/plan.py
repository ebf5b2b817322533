"""What of a store a copy lacks: tables with the columns that the store has, and weeks whose build is another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from metric_store.errors import EvidenceMissingError, MetricStoreError
from metric_store.layout import nothing_published
from metric_store.reading import evidence_relation, open_store
from metric_store.sql import sql_names
from metric_store.words import WEEK
from orchestration.home.layout import Home
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, PublishedTable, mart_tables
from orchestration.transform.project import manifest_path


@dataclass(frozen=True)
class Copied:
    """What a copy took over. name: where it is, without passwords. weeks: those whose rows it replaced or removed."""

    name: str
    weeks: list[date]


@dataclass(frozen=True)
class Original:
    """An open store as it is to be copied. place: which file it is. builds: the current build of each week."""

    home: Home
    place: tuple[int, int]
    db: duckdb.DuckDBPyConnection
    tables: tuple[PublishedTable, ...]
    builds: Mapping[date, str]

    def rows(self, table: PublishedTable, week: date | None = None) -> str:
        """SQL: the rows of a table in the order of its key, of a week or all."""
        relation = self._evidence(table, week) if table.is_beside_store and week else f"marts.{table.name}"
        where = f"where week_start = date '{week}'" if week else ""
        return f"select {sql_names(list(table.columns))} from {relation} {where} order by {sql_names(table.key)}"

    def _evidence(self, table: PublishedTable, week: date) -> str:
        try:
            return evidence_relation(self.db, self.home.published_store, week)
        except EvidenceMissingError:
            if _place_of(self.home) != self.place:
                raise MetricStoreError(
                    "The store was published anew while it was copied; the copy is as it was.\nCopy again."
                ) from None
        # It was removed, or the week was published by a release that kept none.
        nothing = ", ".join(f"cast(null as {kind}) as {name}" for name, (kind, _) in table.columns.items())
        return f"(select {nothing} where false)"


@contextmanager
def original(home: Home) -> Iterator[Original]:
    """The published store to copy. Raises MetricStoreError where there is none."""
    if not home.published_store.is_file():
        raise nothing_published(home.root)
    place = _place_of(home)
    with open_store(home.published_store) as store:
        have: dict[str, set[str]] = {}
        for name, column in store.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
        ).fetchall():
            have.setdefault(name, set()).add(column)
        tables = []
        # A store of an earlier release lacks some.
        for table in (*mart_tables(manifest_path(home)), RESTATEMENT, PUBLICATION):
            known = set(table.columns) if table.is_beside_store else have.get(table.name, set())
            columns = {name: column for name, column in table.columns.items() if name in known}
            if columns:
                tables.append(replace(table, columns=columns))
        builds = store.execute("select week_start, build_id from marts.publication where is_current").fetchall()
        yield Original(home, place, store, tuple(tables), dict(builds))


def is_whole(table: PublishedTable) -> bool:
    """Whether rows of it change also where the build of their week stays: each copy has it anew."""
    return not table.is_weekly or table.is_over_store or table.is_of_gate or table.name == PUBLICATION.name


def changed_weeks(here: Mapping[date, str], there: Mapping[date, str]) -> set[date]:
    """The weeks whose rows differ: those of another build, and those after them, which show the week before."""
    other = {week for week in here.keys() | there.keys() if here.get(week) != there.get(week)}
    return other | {week + WEEK for week in other if week + WEEK in here}


def _place_of(home: Home) -> tuple[int, int]:
    """Another one since a publication took its place: DuckDB itself gives an open file again, by its path."""
    status = home.published_store.stat()
    return status.st_ino, status.st_mtime_ns
