"""Published stores written by SQL: every table that the project declares, with rows of these weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from metric_store.sql import sql_name, sql_text
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.project import DBT_PROJECT_DIR
from orchestration.publication.store import _create
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, PublishedTable, mart_tables

TABLES = (*mart_tables(DBT_PROJECT_DIR / "target" / "manifest.json"), PUBLICATION, RESTATEMENT)


def store_of_weeks(folder: Path, weeks: Sequence[date], *, build: str = "b1", sellers: int = 3) -> Home:
    """A home whose store has these weeks, with as many rows of a week in a table as there are sellers."""
    home = Home(folder)
    home.published.mkdir(parents=True)
    home.inbox.mkdir(exist_ok=True)
    home.landing.mkdir(exist_ok=True)
    with Ledger(home.ledger):
        pass  # published weeks without it are refused
    with duckdb.connect(str(home.published_store)) as db:
        db.execute("create schema marts")
        for table in TABLES:
            if not table.is_beside_store:
                _create(db, table)
    publish_again(home, weeks, build=build, sellers=sellers)
    return home


def publish_again(home: Home, weeks: Sequence[date], *, build: str, sellers: int = 3) -> None:
    """Replace the rows of these weeks by those of another build, and those of tables without weeks."""
    folder = home.evidence
    with duckdb.connect(str(home.published_store)) as db:
        for table in TABLES:
            if table.is_beside_store:
                for week in weeks:
                    file = folder / f"week_start={week}" / f"build_id={build}" / "evidence.parquet"
                    file.parent.mkdir(parents=True)
                    db.execute(f"copy ({_rows(table, week, build, sellers)}) to {sql_text(str(file))} (format parquet)")
            elif table not in (PUBLICATION, RESTATEMENT):
                for week in weeks if table.is_weekly else weeks[:1]:
                    where = f"where week_start = date '{week}'" if table.is_weekly else ""
                    db.execute(f"delete from marts.{table.name} {where}")
                    db.execute(f"insert into marts.{table.name} {_rows(table, week, build, sellers)}")
        for week in weeks:
            db.execute(f"update marts.publication set is_current = false where week_start = date '{week}'")
            at = datetime.combine(week + timedelta(days=7), datetime.min.time())
            db.execute(
                "insert into marts.publication values (?, ?, ?, ?, 'config', 'code', 'raw', true)",
                [week, build, at + timedelta(hours=4), at + timedelta(hours=3)],
            )


def _rows(table: PublishedTable, week: date, build: str, sellers: int) -> str:
    """SQL: rows that differ by week, build and seller; every second one has a null in each column that may have one."""
    columns = []
    for place, (name, (kind, _)) in enumerate(table.columns.items()):
        number = f"(hash('{name}', i, '{week}', '{build}') % 1000)"
        value = {
            "varchar": f"'{name} ' || i" if name in table.key else f"'{name}, \"{build}\" ' || {number}",
            "date": f"date '{week}'" if name == "week_start" else f"date '{week}' + cast(i as integer)",
            "timestamp": f"timestamp '{week}' + to_microseconds(cast(i * 3600000001 as bigint))",
            "boolean": "false" if name == "is_withholding" else f"{number} > 500",
        }.get(kind, f"cast({number} / 7 as {kind})")
        is_nullable = name not in table.key and name != "week_start"
        columns.append(
            f"case when (i + {place}) % 2 = 0 then {value} end as {sql_name(name)}"
            if is_nullable
            else f"{value} as {sql_name(name)}"
        )
    return f"select {', '.join(columns)} from range({sellers}) as r(i)"
