"""The warehouse's inputs: views over landed files, the run's weeks, the record of files, configuration and verdicts.

The only writer of the schemas `landing`, `inputs` and `config`; dbt owns the rest. docs/architecture.md lists them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import duckdb

from dbt_project.registry import registry
from metric_store.errors import MetricStoreError
from metric_store.sql import sql_name, sql_parquet, sql_text
from orchestration.configuration import Configuration
from orchestration.configuration.files import FILES
from orchestration.gate.verdict import GateReport
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.measured import absent_columns
from orchestration.project import code_version
from orchestration.publication.tables import mart_tables
from orchestration.transform.engine import Engine
from orchestration.transform.project import manifest_path
from orchestration.transform.quarantine import put_quarantined
from orchestration.weeks.calendar import calendar_query
from orchestration.weeks.planning import Week

T = TypeVar("T")

#: A is at most seven days after the end of a week, and the weeks of the landing are those of UTC, hours apart.
_WEEKS_UNTIL_A = 2

_TABLES = {
    "inputs.run_weeks": {
        "week_start": "date",
        "starts_at": "timestamp",
        "ends_at": "timestamp",
        "calculated_at": "timestamp",
        "calculated_on": "date",
        "is_published": "boolean",
        "raw_fingerprint": "varchar",
        "config_hash": "varchar",
        "code_version": "varchar",
        "mark": "varchar",
    },
    "inputs.asked_weeks": {"week_start": "date"},
    "inputs.steps": {"step": "varchar"},
    "inputs.sources": {"source": "varchar", "is_present": "boolean"},
    "inputs.files": {
        "file_id": "bigint",
        "read_order": "bigint",
        "source": "varchar",
        "path": "varchar",
        "status": "varchar",
        "rows_read": "bigint",
        "landed": "bigint",
        "quarantined": "bigint",
        "duplicates": "bigint",
        "error": "varchar",
        "column_hints": "varchar",
        "ingested_at": "timestamp",
    },
    "inputs.weeks_of_files": {"file_id": "bigint", "week_start": "date"},
    "inputs.missing_columns": {"file_id": "bigint", "column_name": "varchar"},
    "inputs.absent_columns": {"source": "varchar", "column_name": "varchar"},
    "inputs.gate_results": {
        "week_start": "date",
        "rule_id": "varchar",
        "scope": "varchar",
        "severity": "varchar",
        "passed": "boolean",
        "observed": "double",
        "lower": "double",
        "upper": "double",
        "message": "varchar",
        "is_withholding": "boolean",
    },
    "inputs.gate_waivers": {
        "week_start": "date",
        "rule_id": "varchar",
        "scope": "varchar",
        "reason": "varchar",
        "approved_by": "varchar",
        "valid_until": "date",
    },
    "inputs.gate_verdicts": {"week_start": "date", "is_publishable": "boolean", "withheld_by": "varchar"},
}
#: Published tables that the models read, by the input that holds their rows.
_PUBLISHED = {
    "inputs.published_metrics": "fct_metric_week",
    "inputs.published_maturity": "fct_o2d_maturity_week",
    "inputs.published_grades": "fct_seller_grade_week",
}
#: Those with a row for each seller, of which only the run's weeks and those next to them are read.
_LARGE = {"inputs.published_grades"}


#: Seconds between looks at a warehouse that another process has; profiles.yml has dbt wait as long.
_PAUSES = (1, 2, 4, 8)


class LandedRelation(NamedTuple):
    """A relation of the schema `landing`. `columns`: name -> type of DuckDB; `paths`: the Parquet files that it is."""

    source: str
    columns: dict[str, str]
    paths: list[Path]

    @property
    def name(self) -> str:
        return f"landing.{self.source}"


@contextmanager
def open_warehouse(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of a home; one process at a time. Waits a little for another one, then raises MetricStoreError."""
    connection = when_free(home, lambda: duckdb.connect(str(home.warehouse), read_only=read_only))
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def when_free(home: Home, connect: Callable[[], T]) -> T:
    """What `connect` returns, which opens the warehouse; it is tried again while another process has that.

    Raises MetricStoreError where it isn't free after the last pause: whoever has dbt at work by hand keeps a run out.
    """
    for pause in _PAUSES:
        try:
            return connect()
        except duckdb.IOException as error:
            if "lock" not in str(error):
                raise
        time.sleep(pause)
    try:
        return connect()
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        holder = re.search(r"held in (.*? \(PID \d+\))", str(error))
        raise MetricStoreError(
            f"{home.warehouse} is open in another program{f': {holder[1]}' if holder else ''}.\n"
            "Close it (dbt that was started by hand, or a shell of DuckDB), and run again."
        ) from error


def prepare(
    home: Home,
    ledger: Ledger,
    configuration: Configuration,
    weeks: Sequence[Week],
    engine: Engine,
    into: Home | None = None,
    asked: Sequence[date] = (),
) -> None:
    """Put everything the models read before them. A warehouse of other code or engine, or a broken one, starts anew.

    `into` has the warehouse that is written, if that isn't the home's own. `asked`: the weeks that the run was launched
    for, of which `weeks` are left; none where it took all that were new or due.
    """
    # Where the engine is another one, the warehouse holds tables in place of views.
    writer = f"{code_version()} {engine.name}"
    _discard_foreign(into or home, writer)
    with open_warehouse(into or home) as db:
        for schema in ("landing", "inputs"):
            db.execute(f"create schema if not exists {schema}")
        db.execute("create or replace table inputs.code as select ? as version", [writer])
        for table, columns in _TABLES.items():
            _create_table(db, table, columns)
        _insert_records(db, "inputs.run_weeks", _TABLES["inputs.run_weeks"], [asdict(week) for week in weeks])
        _insert(db, "inputs.asked_weeks", [(week,) for week in asked])
        db.execute(f"create or replace table inputs.weeks as {calendar_query(*configuration.calendar_settings)}")
        _insert(db, "inputs.sources", [(source.name, bool(ledger.known(source.name))) for source in SOURCES])
        _insert(db, "inputs.files", [tuple(row[name] for name in _TABLES["inputs.files"]) for row in ledger.files()])
        _insert(db, "inputs.weeks_of_files", ledger.weeks_of_files([week.week_start for week in weeks]))
        _put_columns(db, ledger)
        landed = landed_relations(home, ledger, [week.week_start for week in weeks])
        for relation in landed:
            _create_view(db, relation)
        put_quarantined(db, home, ledger, weeks, {relation.source: relation.paths for relation in landed})
        create_config_tables(db, configuration)
        _copy_published(db, home, [week.week_start for week in weeks])


def create_config_tables(db: duckdb.DuckDBPyConnection, configuration: Configuration) -> None:
    """The schema `config`: each configuration file as a table, typed and in the declared order."""
    db.execute("create schema if not exists config")
    for file in FILES:
        name = f"config.{sql_name(file.stem)}"
        _create_table(db, name, file.sql_types)
        _insert_records(db, name, file.sql_types, configuration.records(file.stem))


def run_weeks(home: Home) -> list[Week]:
    """The weeks of the run in progress."""
    return [Week(**row) for row in read_rows(home, "select * from inputs.run_weeks order by week_start")]


def read_rows(home: Home, query: str) -> list[dict[str, Any]]:
    """The rows of a query over the warehouse, for the few rows of profiles and verdicts."""
    with open_warehouse(home, read_only=True) as db:
        cursor = db.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def write_verdicts(home: Home, report: GateReport) -> None:
    """Keep what the gate said, for the models that show it and for publication."""
    verdicts = [
        {
            "week_start": week,
            "is_publishable": not report.blocking(week),
            "withheld_by": ",".join(report.withheld_by(week)),
        }
        for week in report.weeks
    ]
    with open_warehouse(home) as db:
        for table, rows in (
            ("inputs.gate_results", list(map(asdict, report.results))),
            ("inputs.gate_waivers", list(map(asdict, report.waivers))),
            ("inputs.gate_verdicts", verdicts),
        ):
            db.execute(f"delete from {table}")
            _insert_records(db, table, _TABLES[table], rows)


def _create_table(db: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> None:
    db.execute(f"create or replace table {table} ({', '.join(f'{sql_name(c)} {kind}' for c, kind in columns.items())})")


def _insert(db: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = _TABLES[table]
    _insert_records(db, table, columns, [dict(zip(columns, row, strict=True)) for row in rows])


def _insert_records(
    db: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], records: Sequence[Mapping[str, Any]]
) -> None:
    """Add rows to a table of these columns: name -> type of DuckDB. Raises duckdb.Error for a value of another type."""
    # As one text: DuckDB takes rows of Python one by one, which a thousand landed files would feel, and an Arrow table
    # costs half a second of imports.
    typed = f"from_json_strict(?, {sql_text(json.dumps([columns]))})"
    db.execute(f"insert into {table} select unnest({typed}, max_depth := 2)", [json.dumps(records, default=str)])


def _put_columns(db: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Which columns a landed file lacks, and which no landed file of a source has."""
    missing = [
        (file["file_id"], column)
        for file in ledger.files(status="landed")
        for column in filter(None, file["missing_columns"].split(", "))
    ]
    _insert(db, "inputs.missing_columns", missing)
    absent = [(source, column) for source, columns in absent_columns(ledger).items() for column in sorted(columns)]
    _insert(db, "inputs.absent_columns", absent)


def _discard_foreign(home: Home, writer: str) -> None:
    files = [home.warehouse, home.warehouse.with_name(home.warehouse.name + ".wal")]
    if not home.warehouse.is_file():
        keep = False
    else:
        try:
            with open_warehouse(home) as db:
                keep = db.execute("select version from inputs.code").fetchall() == [(writer,)]
        except duckdb.Error:
            keep = False
    if not keep:
        for file in files:
            file.unlink(missing_ok=True)


def landed_relations(home: Home, ledger: Ledger, weeks: Sequence[date]) -> list[LandedRelation]:
    """What a run of these weeks reads of the landing, source by source."""
    relations = []
    for source in SOURCES:
        columns = {column.name: column.sql_type for column in source.columns}
        paths = [
            home.landing / source.name / row["path"]
            for row in ledger.partitions(source.name)
            if _reaches(source, row["week"], weeks)
        ]
        relations.append(LandedRelation(source.name, columns, paths))
    return relations


def _reaches(source: Source, week: str, weeks: Sequence[date]) -> bool:
    """Whether a run of these weeks can reach a week of the landing, by the days that its figures look back.

    A source with versions is put whole before the models, because what is old may still be open.
    """
    days = registry().looks_back(source.name)
    if source.is_versioned or days is None or not weeks:
        return True
    first = min(weeks) - timedelta(days=days, weeks=1)
    return first <= date.fromisoformat(week) <= max(weeks) + timedelta(weeks=_WEEKS_UNTIL_A)


def _create_view(db: duckdb.DuckDBPyConnection, relation: LandedRelation) -> None:
    """A view over Parquet files, or an empty one of the same columns: models must not care whether there is a file."""
    if relation.paths:
        select = ", ".join(map(sql_name, relation.columns))
        query = f"select {select} from {sql_parquet(relation.paths)}"
    else:
        query = (
            "select "
            + ", ".join(f"cast(null as {kind}) as {sql_name(column)}" for column, kind in relation.columns.items())
            + " where false"
        )
    db.execute(f"create or replace view {relation.name} as {query}")


def _copy_published(db: duckdb.DuckDBPyConnection, home: Home, weeks: Sequence[date]) -> None:
    """The published rows that the models compare with, or that tables over the whole store are made from."""
    tables = {table.name: table for table in mart_tables(manifest_path(home))}
    for name, published in _PUBLISHED.items():
        _create_table(db, name, {column: kind for column, (kind, _) in tables[published].columns.items()})
    if not home.published_store.is_file():
        return
    near = ", ".join(f"date '{week + timedelta(days=days)}'" for week in weeks for days in (-7, 0, 7)) or "null"
    db.execute(f"attach {sql_text(str(home.published_store))} as published (read_only)")
    try:
        # A store of an earlier release may lack a table.
        there = db.execute("select table_name from duckdb_tables() where database_name = 'published'").fetchall()
        for name, published in _PUBLISHED.items():
            if (published,) in there:
                where = f" where week_start in ({near})" if name in _LARGE else ""
                db.execute(f"insert into {name} by name select * from published.marts.{published}{where}")
    finally:
        db.execute("detach published")
