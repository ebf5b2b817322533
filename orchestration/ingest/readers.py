"""How one file becomes the relation `raw`: every column as it came, ROW counting records from 1. No checking here."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from orchestration.ingest.contracts import Source
from orchestration.ingest.zstandard import is_whole
from orchestration.sql import sql_name, sql_pattern, sql_text

#: The column of `raw` that counts records; a name that no export has.
ROW = '"record #"'
_LONGEST_JSON_RECORD = 64 * 1024 * 1024
# Of a row group of Parquet: few cost time, many memory and cores.
_FEW_ROWS, _MANY_ROWS = 10_000, 1_100_000


class UnreadableFileError(Exception):
    """The file as a whole can't be read; the text says why, in one line."""


@dataclass(frozen=True)
class RawRelation:
    """The relation `raw` of a file.

    types: column -> engine type, for the listed columns that the file has.
    ignored: columns of the file that the contract doesn't know.
    original: SQL for a record as JSON text, with every value as it came.
    has_landed_form: Parquet of the contract's columns and no others, in the types that they land in.
    clean: text columns that are known to have no value that has to be trimmed.
    """

    types: dict[str, str]
    ignored: tuple[str, ...]
    original: str
    has_landed_form: bool = False
    clean: frozenset[str] = frozenset()

    @property
    def texts(self) -> list[str]:
        return [name for name, kind in self.types.items() if kind == "VARCHAR"]


def read_raw(
    connection: duckdb.DuckDBPyConnection, source: Source, location: Path, file_format: str, compression: str
) -> RawRelation:
    """Make `raw` of a file. A text file is parsed once, into a table; Parquet is read where it lies, column by column.

    Raises UnreadableFileError for a broken file and for one that lacks a required column.
    """
    if compression == "zstd" and location.is_file() and not is_whole(location):
        raise UnreadableFileError("Unexpected end of ZSTD stream: the file")
    reader = {"parquet": _read_parquet, "csv": _read_csv, "jsonl": _read_jsonl}[file_format]
    try:
        raw = reader(connection, source, sql_pattern(location), compression)
    except duckdb.Error as error:
        raise unreadable(error, location) from error
    missing = [column.name for column in source.columns if column.required and column.name not in raw.types]
    if missing:
        found = "" if raw.types else f"; the file has: {', '.join(raw.ignored)[:200] or 'nothing'}"
        raise UnreadableFileError(one_line(f"required column missing: {', '.join(missing)}{found}"))
    return raw


#: What is wrong with the machine, not with the file: the run has to stop, and the file is not to blame.
_NOT_THE_FILE = (duckdb.OutOfMemoryException, duckdb.InterruptException, duckdb.InternalException)
_NOT_THE_FILE_TEXTS = ("No space left", "Too many open files", "Disk quota exceeded", "Input/output error")


def unreadable(error: duckdb.Error, location: Path) -> UnreadableFileError:
    """The engine's error in one line, without its advice and our name of the file; one not about it is raised."""
    text = str(error)
    if isinstance(error, _NOT_THE_FILE) or any(sign in text for sign in _NOT_THE_FILE_TEXTS):
        raise error
    named = text.split("\nLINE ")[0].replace(glob.escape(str(location)), "the file").replace(str(location), "the file")
    named = re.sub(r"^[A-Z][A-Za-z ]*Error: ", "", re.split(r"\bTry |\bPossible |\bThe search space", named)[0])
    return UnreadableFileError(one_line(named))


def one_line(text: str) -> str:
    """A text that came from outside as one line without control characters, cut to 400 letters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:400]


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
    # Older writers leave it open whether bytes are text.
    file = f"read_parquet({location}, hive_partitioning = false, binary_as_string = true)"
    columns = _described(connection, f"select * from {file}")
    connection.execute(f"create temp view raw as select file_row_number + 1 as {ROW}, * from {file}")
    raw = _relation(source, columns)
    has_our_types = not raw.ignored and raw.types == {column.name: column.sql_type for column in source.columns}
    return replace(raw, has_landed_form=has_our_types and _is_plain(connection, location))


def _is_plain(connection: duckdb.DuckDBPyConnection, location: str) -> bool:
    """Whether other engines read the same from a Parquet file, and in pieces that are neither huge nor tiny."""
    odd_columns: int
    rows: int
    groups: int
    odd_columns, rows, groups = connection.execute(
        "select (select count(*) from parquet_schema($file) where type = 'INT96' "
        "or (type = 'BYTE_ARRAY' and converted_type is distinct from 'UTF8') "
        "or (converted_type like 'TIMESTAMP%' and logical_type is null)), num_rows, num_row_groups "
        "from parquet_file_metadata($file)".replace("$file", location)
    ).fetchall()[0]
    return odd_columns == 0 and (groups <= 1 or rows / groups >= _FEW_ROWS) and rows <= max(groups, 1) * _MANY_ROWS


def _read_csv(connection: duckdb.DuckDBPyConnection, source: Source, location: str, compression: str) -> RawRelation:
    connection.execute(
        f"create temp table raw as select row_number() over () as {ROW}, * from read_csv("
        f"{location}, compression = {sql_text(compression)}, header = true, all_varchar = true, skip = 0, delim = ',', "
        "quote = '\"', escape = '\"', comment = '', null_padding = false, strict_mode = true, nullstr = '')"
    )
    columns = [(name, kind) for name, kind in _described(connection, "select * from raw") if sql_name(name) != ROW]
    for name, _ in columns:
        if name.strip() != name and name.strip():
            connection.execute(f"alter table raw rename column {sql_name(name)} to {sql_name(name.strip())}")
    return _relation(source, [(name.strip() or name, kind) for name, kind in columns])


def _read_jsonl(connection: duckdb.DuckDBPyConnection, source: Source, location: str, compression: str) -> RawRelation:
    """A record's values are read from its JSON text, so that the line itself can be kept as it came."""
    connection.execute(
        f"create temp table lines as select row_number() over () as {ROW}, json from read_ndjson_objects("
        f"{location}, compression = {sql_text(compression)}, maximum_object_size = {_LONGEST_JSON_RECORD})"
    )
    found = connection.execute(
        f"select key from (select unnest(json_keys(json)) as key, {ROW} from lines) "
        f"group by key order by min({ROW}), key"
    ).fetchall()
    keys = [row[0] for row in found]
    is_empty = not keys and connection.execute("select count(*) from lines").fetchall() == [(0,)]
    # An export with nothing to say is a file without lines; it has no columns to miss.
    listed = [column.name for column in source.columns if column.name in keys or is_empty]
    paths = ", ".join(sql_text(f'$."{name}"') for name in listed)
    values = "".join(f", found[{place}] as {sql_name(name)}" for place, name in enumerate(listed, start=1))
    connection.execute(
        f"create temp table raw as select {ROW}, original{values} from ("
        f"select {ROW}, cast(json as varchar) as original, "
        f"json_extract_string(json, [{paths}]::varchar[]) as found from lines)"
    )
    connection.execute("drop table lines")
    return RawRelation(
        types=dict.fromkeys(listed, "VARCHAR"),
        ignored=tuple(key for key in keys if key not in listed),
        original="original",
    )
