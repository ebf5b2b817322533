"""How one file becomes the relation `raw`: every column as it came, `_row` counting records from 1. No checking here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingest.contracts import Source


class UnreadableFileError(Exception):
    """The file as a whole can't be read; the text says why, in one line."""


@dataclass(frozen=True)
class RawRelation:
    """The relation `raw` of a file.

    types: column -> engine type, for the listed columns that the file has.
    ignored: columns of the file that the contract doesn't know.
    original: SQL for a record as JSON text, with every value as it came.
    """

    types: dict[str, str]
    ignored: tuple[str, ...]
    original: str


def sql_text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(value: str) -> str:
    """A quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def read_raw(connection: duckdb.DuckDBPyConnection, source: Source, location: Path, file_format: str, compression: str) -> RawRelation:
    """Make `raw` of a file. Text formats are parsed once, into a table; Parquet is read where it lies, column by column.

    Raises UnreadableFileError for a broken file and for one that lacks a required column.
    """
    reader = {"parquet": _read_parquet, "csv": _read_csv, "jsonl": _read_jsonl}[file_format]
    try:
        raw = reader(connection, source, sql_text(str(location)), compression)
    except duckdb.Error as error:
        raise UnreadableFileError(_reason(error, location)) from error
    missing = [column.name for column in source.columns if column.required and column.name not in raw.types]
    if missing:
        raise UnreadableFileError(f"required column missing: {', '.join(missing)}")
    return raw


def _reason(error: duckdb.Error, location: Path) -> str:
    """The engine's message without its advice and without our working name for the file."""
    text = str(error).split("\nLINE ")[0].replace(str(location), "the file")
    kept = []
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("Possible"):
            break
        if line:
            kept.append(line)
    return " ".join(kept)[:400]


def _relation(source: Source, columns: Sequence[tuple[str, str]]) -> RawRelation:
    listed = {column.name for column in source.columns}
    original = ", ".join(f"{sql_name(name)} := {sql_name(name)}" for name, _ in columns)
    return RawRelation(
        types={name: kind for name, kind in columns if name in listed},
        ignored=tuple(name for name, _ in columns if name not in listed),
        original=f"cast(to_json(struct_pack({original})) as varchar)",
    )


def _described(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe {query}").fetchall()]


def _read_parquet(connection: duckdb.DuckDBPyConnection, source: Source, location: str, _: str) -> RawRelation:
    query = f"select * from read_parquet({location}, hive_partitioning = false)"
    columns = _described(connection, query)
    connection.execute(
        f"create temp view raw as select file_row_number + 1 as _row, * exclude (file_row_number) "
        f"from read_parquet({location}, hive_partitioning = false, file_row_number = true)"
    )
    return _relation(source, columns)


def _read_csv(connection: duckdb.DuckDBPyConnection, source: Source, location: str, compression: str) -> RawRelation:
    connection.execute(
        "create temp table raw as select row_number() over () as _row, * from read_csv("
        f"{location}, compression = {sql_text(compression)}, header = true, all_varchar = true, delim = ',', quote = '\"', "
        "escape = '\"', comment = '', null_padding = false, strict_mode = true, nullstr = '')"
    )
    columns = [(name, kind) for name, kind in _described(connection, "select * from raw") if name != "_row"]
    for name, _ in columns:
        if name.strip() != name and name.strip():
            connection.execute(f"alter table raw rename column {sql_name(name)} to {sql_name(name.strip())}")
    return _relation(source, [(name.strip() or name, kind) for name, kind in columns])


def _read_jsonl(connection: duckdb.DuckDBPyConnection, source: Source, location: str, compression: str) -> RawRelation:
    """A record's values are read from its JSON text, so that the line itself can be kept as it came."""
    connection.execute(
        "create temp table lines as select row_number() over () as _row, json from read_ndjson_objects("
        f"{location}, compression = {sql_text(compression)}, maximum_object_size = 67108864)"
    )
    keys = [
        row[0]
        for row in connection.execute(
            "select key from (select unnest(json_keys(json)) as key, _row from lines) group by key order by min(_row), key"
        ).fetchall()
    ]
    listed = [column.name for column in source.columns if column.name in keys]
    paths = ", ".join(sql_text(f'$."{name}"') for name in listed)
    values = ", ".join(f"found[{place}] as {sql_name(name)}" for place, name in enumerate(listed, start=1))
    connection.execute(
        f"create temp table raw as select _row, original{', ' + values if listed else ''} "
        f"from (select _row, cast(json as varchar) as original, json_extract_string(json, [{paths}]::varchar[]) as found from lines)"
    )
    connection.execute("drop table lines")
    if not keys and connection.execute("select count(*) from raw").fetchall() == [(0,)]:
        # An export with nothing to say is a file without lines; it has no columns to miss.
        listed = [column.name for column in source.columns]
        for name in listed:
            connection.execute(f"alter table raw add column {sql_name(name)} varchar")
    return RawRelation(
        types={name: "VARCHAR" for name in listed},
        ignored=tuple(key for key in keys if key not in listed),
        original="original",
    )
