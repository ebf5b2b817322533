"""Homes computed twice, by two engines: the second one's start, and the comparison of what they publish."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb

from metric_store.layout import evidence_beside, evidence_files
from metric_store.reading import published_weeks
from metric_store.sql import sql_parquet, sql_text

#: These tell when and how something was built.
_OF_BUILDS = ("publication", "fct_restatement")


def copy_landed(home: Path, target: Path) -> None:
    """A home with what has landed in another, and without anything computed."""
    for part in ("inbox", "config", "landing", "quarantine"):
        if (home / part).is_dir():
            shutil.copytree(home / part, target / part)


def differences(one: Path, other: Path) -> list[str]:
    """What is different in two published stores and their evidence: weeks, tables, columns, types, and rows.

    Empty where every cell is equal; a line says how many rows a table has on one side only.
    """
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        for name, store in (("one", one), ("other", other)):
            db.execute(f"attach {sql_text(str(store))} as {name} (read_only)")
        tables = {name: _tables(db, name) for name in ("one", "other")}
        found = [
            f"{table}: {tables['one'].get(table)} in one, {tables['other'].get(table)} in the other"
            for table in sorted(tables["one"].keys() | tables["other"].keys())
            if tables["one"].get(table) != tables["other"].get(table)
        ]
        both = tables["one"].keys() & tables["other"].keys() - set(_OF_BUILDS)
        for table in sorted(table for table in both if tables["one"][table] == tables["other"][table]):
            found += _different_rows(db, table, f"one.marts.{table}", f"other.marts.{table}")
        weeks, weeks_of_other = published_weeks(one), published_weeks(other)
        found += [f"{week}: published in one store only" for week in sorted(weeks.keys() ^ weeks_of_other.keys())]
        for week in sorted(weeks.keys() & weeks_of_other.keys()):
            found += _different_rows(
                db,
                f"evidence of {week}",
                _evidence(one, week, weeks[week].build_id),
                _evidence(other, week, weeks_of_other[week].build_id),
            )
    return found


def _evidence(store: Path, week: date, build_id: str) -> str:
    files = evidence_files(evidence_beside(store), week, build_id)
    if not files:
        raise FileNotFoundError(f"no evidence of {week} beside {store}")
    return sql_parquet(files)


def _different_rows(db: duckdb.DuckDBPyConnection, what: str, one: str, other: str) -> list[str]:
    rows = [_count(db, f"from {a} except all from {b}") for a, b in ((one, other), (other, one))]
    return [f"{what}: {rows[0]} rows only in one, {rows[1]} only in the other"] if any(rows) else []


def _tables(db: duckdb.DuckDBPyConnection, database: str) -> dict[str, str]:
    """Name and columns of every published table."""
    rows = db.execute(
        "select table_name, string_agg(column_name || ' ' || data_type, ', ' order by column_index) "
        "from duckdb_columns() where database_name = ? and schema_name = 'marts' group by all",
        [database],
    ).fetchall()
    return dict(rows)


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.execute(f"select count(*) from ({query})").fetchall()[0][0])
