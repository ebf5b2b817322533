"""The copy in PostgreSQL: one transaction, so that readers have all of a publication or what was before it."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    MetaData,
    Numeric,
    Table,
    Text,
    create_engine,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateSchema, DropTable, SetColumnComment, SetTableComment
from sqlalchemy.types import TypeEngine

from metric_store.sql import sql_name, sql_names, sql_text
from orchestration.copies.plan import Copied, Original, changed_weeks, is_whole
from orchestration.publication.tables import PUBLICATION, PublishedTable

#: Where the tables are, as in the store.
SCHEMA = "marts"
#: May read them, where the server has such a role.
READER = "metric_store_reader"
_SECONDS_TO_CONNECT = 10
#: How long another copy may take, and how long a reader may hold a table that has to be made anew.
_OTHER_COPY, _READERS = "30min", "1min"
#: Any number that no other program takes for its lock.
_LOCK = 7_305_804_402_565_112_948
_BYTES = 1 << 20
_TYPES: dict[str, type[TypeEngine[Any]]] = {
    "bigint": BigInteger,
    "boolean": Boolean,
    "date": Date,
    "double": Double,
    "timestamp": TIMESTAMP,
    "varchar": Text,
}


def copy_to_postgres(original: Original, url: URL) -> Copied:
    """Bring a PostgreSQL database up to the store; raises what SQLAlchemy and psycopg do."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": _SECONDS_TO_CONNECT},
    )
    with engine.begin() as connection, tempfile.TemporaryDirectory(prefix="metric-store-copy-") as folder:
        connection.execute(text(f"set local lock_timeout = '{_OTHER_COPY}'"))
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(f"set local lock_timeout = '{_READERS}'"))
        tables = {table.name: _declared(table) for table in original.tables}
        new = _prepare(connection, tables)
        weeks = changed_weeks(original.builds, _builds(connection, tables[PUBLICATION.name]))
        for table in original.tables:
            place, file = f"{sql_name(SCHEMA)}.{sql_name(table.name)}", Path(folder, "rows.csv")
            if is_whole(table):
                connection.execute(text(f"delete from {place}"))
                _append(connection, original, table, None, file)
                continue
            if weeks:
                connection.execute(
                    text(f"delete from {place} where week_start = any(:weeks)"), {"weeks": sorted(weeks)}
                )
            for week in sorted(original.builds if table.name in new else weeks & original.builds.keys()):
                _append(connection, original, table, week, file)
        _grant(connection)
    return Copied(place_of(url), sorted(weeks))


def place_of(url: URL) -> str:
    """Server and database, without what may be a secret."""
    return f"postgresql://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def _declared(table: PublishedTable) -> Table:
    columns: list[Column[Any]] = [
        Column(name, _type(kind), primary_key=name in table.key, autoincrement=False, comment=described)
        for name, (kind, described) in table.columns.items()
    ]
    return Table(table.name, MetaData(schema=SCHEMA), *columns, comment=table.description)


def _type(kind: str) -> TypeEngine[Any]:
    """PostgreSQL's type for one of the store's."""
    name, _, size = kind.rstrip(")").partition("(")
    if name == "decimal":
        precision, scale = map(int, size.split(","))
        return Numeric(precision, scale)
    return _TYPES[name]()


def _prepare(connection: Connection, tables: dict[str, Table]) -> set[str]:
    """Make the tables that are missing or have other columns; returns these. Comments follow the store's."""
    inspector = inspect(connection)
    if not inspector.has_schema(SCHEMA):
        connection.execute(CreateSchema(SCHEMA))
    columns = {name: found for (_, name), found in inspector.get_multi_columns(schema=SCHEMA).items()}
    keys = {name: found for (_, name), found in inspector.get_multi_pk_constraint(schema=SCHEMA).items()}
    comments = {name: found["text"] for (_, name), found in inspector.get_multi_table_comment(schema=SCHEMA).items()}
    new = set()
    for name, table in tables.items():
        known = [(column["name"], column["type"].compile(connection.dialect)) for column in columns.get(name, ())]
        wanted = [(column.name, column.type.compile(connection.dialect)) for column in table.columns]
        key = [column.name for column in table.primary_key.columns]
        if known != wanted or keys[name]["constrained_columns"] != key:
            if known:
                connection.execute(DropTable(table))
            table.create(connection)
            new.add(name)
            continue
        if comments.get(name) != table.comment:
            connection.execute(SetTableComment(table))
        for column, found in zip(table.columns, columns[name], strict=True):
            if found["comment"] != column.comment:
                connection.execute(SetColumnComment(column))
    return new


def _builds(connection: Connection, publication: Table) -> dict[date, str]:
    columns = publication.columns
    found = connection.execute(select(columns.week_start, columns.build_id).where(columns.is_current))
    return {row.week_start: row.build_id for row in found}


def _append(connection: Connection, original: Original, table: PublishedTable, week: date | None, file: Path) -> None:
    """Add the rows of a week, or all: as CSV, which both sides read and write by themselves."""
    original.db.execute(
        f"copy (select {_as_text(table)} from ({original.rows(table, week)})) to {sql_text(str(file))} "
        "(format csv, header false, force_quote *)"
    )
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    columns = sql_names(list(table.columns))
    into = f"copy {sql_name(SCHEMA)}.{sql_name(table.name)} ({columns}) from stdin (format csv)"
    with driver.cursor() as cursor, cursor.copy(into.encode()) as target, file.open("rb") as rows:
        while chunk := rows.read(_BYTES):
            target.write(chunk)


def _as_text(table: PublishedTable) -> str:
    """SQL: the columns, with the one sign that PostgreSQL takes in no text replaced."""
    return ", ".join(
        f"replace({sql_name(name)}, chr(0), chr(65533)) as {sql_name(name)}" if kind == "varchar" else sql_name(name)
        for name, (kind, _) in table.columns.items()
    )


def _grant(connection: Connection) -> None:
    if connection.execute(text("select from pg_roles where rolname = :name"), {"name": READER}).first() is not None:
        connection.execute(text(f"grant usage on schema {SCHEMA} to {READER}"))
        connection.execute(text(f"grant select on all tables in schema {SCHEMA} to {READER}"))
