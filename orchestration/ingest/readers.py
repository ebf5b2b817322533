"""Reads one file into the relation `raw`: its listed columns as they came, ROW counting from 1. No checking here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from metric_store.sql import sql_name, sql_pattern, sql_text
from orchestration.ingest.archives import too_large_unpacked
from orchestration.ingest.columns import Columns, match_columns, require_few
from orchestration.ingest.contracts import Source
from orchestration.ingest.model import Kind
from orchestration.ingest.parquet_files import has_page_checksums, read_footer, require_sound_pages
from orchestration.ingest.text_files import (
    line_of_record,
    may_end_in_empty_values,
    read_header,
    require_text,
    row_with_another_end,
    row_with_more_values,
)
from orchestration.ingest.unreadable import UnreadableFileError, unreadable
from orchestration.limits import InputLimits, raise_limit

#: The column of `raw` that counts records; a name that no source has.
ROW = '"record #"'
_TOO_LONG = "Maximum line size"
#: What is smaller takes more time to plan than to do.
SMALL_BYTES = 100_000


@dataclass(frozen=True)
class RawRelation:
    """The relation `raw` of a file.

    types: column of the contract -> engine type, for those that the file has. JSON: the value's JSON text.
    columns: which of the file's columns these are, and the others' names.
    original: SQL for a record as JSON text, with every value of the listed columns as it came.
    has_landed_form: Parquet of the contract's columns and no others, in the types that they land in.
    clean: text columns that are known to have no value that has to be trimmed.
    is_small: typing takes less time than planning how; every value is trimmed.
    """

    types: dict[str, str]
    columns: Columns
    original: str
    has_landed_form: bool = False
    clean: frozenset[str] = frozenset()
    is_small: bool = False

    @property
    def texts(self) -> list[str]:
        return [name for name, kind in self.types.items() if kind == "VARCHAR"]


def read_raw(
    connection: duckdb.DuckDBPyConnection, source: Source, location: Path, file_format: str, limits: InputLimits
) -> RawRelation:
    """Make `raw` of a file. A text file is parsed once, into a table; Parquet is read where it lies, column by column.

    Raises UnreadableFileError for a broken file, for one that lacks a required column, and for one that holds too much.
    """
    reader = {"parquet": _read_parquet, "csv": _read_csv, "jsonl": _read_jsonl}[file_format]
    try:
        return reader(connection, source, location, limits)
    except duckdb.Error as error:
        raise unreadable(error, location) from error


def _is_small(location: Path) -> bool:
    return location.stat().st_size < SMALL_BYTES


def _described(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe {query}").fetchall()]


def _read_parquet(
    connection: duckdb.DuckDBPyConnection, source: Source, location: Path, limits: InputLimits
) -> RawRelation:
    footer = read_footer(location)
    require_few(footer.names, limits)
    # A value takes a byte at least, or what its pages say.
    if max(footer.rows * len(footer.names), footer.unpacked_bytes) > limits.unpacked_bytes(location.stat().st_size):
        raise UnreadableFileError(too_large_unpacked(location.stat().st_size, limits))
    file = f"read_parquet({sql_pattern(location)}, hive_partitioning = false)"
    found = _described(connection, f"select * from {file}")
    columns = match_columns(source, footer.names)
    if footer.first_page is not None and has_page_checksums(location, footer.first_page):
        require_sound_pages(location, [footer.names[place] for place in columns.taken.values()])
    taken = {name: found[place] for name, place in columns.taken.items()}
    # A file may have a column of the name that the engine's own counter has.
    has_such_name = any(name.lower() == "file_row_number" for name, _ in found)
    row = "row_number() over ()" if has_such_name else "file_row_number + 1"
    listed = "".join(f", {sql_name(theirs)} as {sql_name(name)}" for name, (theirs, _) in taken.items())
    connection.execute(f"create temp view raw as select {row} as {ROW}{listed} from {file}")
    types = {name: kind for name, (_, kind) in taken.items()}
    has_our_form = set(footer.names) == set(types) and types == {
        column.name: column.sql_type for column in source.columns
    }
    is_small = max(footer.rows * len(footer.names), footer.unpacked_bytes) < SMALL_BYTES
    return RawRelation(types, columns, _original(types), has_our_form and footer.is_plain, is_small=is_small)


def _original(types: dict[str, str]) -> str:
    """SQL: the listed columns of `raw` as one JSON object, as text."""
    values = []
    for name, kind in types.items():
        column = sql_name(name)
        if kind == "BLOB":
            column = f"coalesce(try(decode({column})), cast({column} as varchar))"
        elif kind in ("FLOAT", "DOUBLE"):  # JSON has no infinity
            column = f"case when isfinite({column}) then to_json({column}) else to_json(cast({column} as varchar)) end"
        values.append(f"{sql_name(name)} := {column}")
    return f"cast(to_json(struct_pack({', '.join(values)})) as varchar)"


def _read_csv(
    connection: duckdb.DuckDBPyConnection, source: Source, location: Path, limits: InputLimits
) -> RawRelation:
    """The columns are declared by place, so nothing has to be guessed."""
    header = read_header(location, frozenset(column.name for column in source.columns), limits)
    if header.other_separator:
        raise UnreadableFileError(f"its values are parted by {header.other_separator} instead of commas")
    columns = match_columns(source, header.names)
    width = len(header.names)

    def reader(columns_declared: int, options: str = "") -> str:
        declared = ", ".join(f"c{place}: 'VARCHAR'" for place in range(columns_declared))
        return (
            f"read_csv({sql_pattern(location)}, auto_detect = false, columns = {{{declared}}}, header = true, "
            f"skip = {header.lines_before}, delim = ',', quote = '\"', escape = '\"', comment = '', nullstr = '', "
            f"null_padding = false, strict_mode = true, max_line_size = {limits.max_record_mb * 10**6}{options})"
        )

    listed = "".join(f", c{place} as {sql_name(name)}" for name, place in columns.taken.items())
    try:
        connection.execute(
            f"create temp table raw as select row_number() over () as {ROW}{listed} from {reader(width)}"
        )
        if may_end_in_empty_values(location):
            wider = f"select count(*) > 0 from {reader(width + 1, ', ignore_errors = true')}"
            if connection.execute(wider).fetchall() == [(True,)]:
                raise UnreadableFileError(row_with_more_values(location, width) or "a row has too many values")
    except duckdb.InvalidInputException as error:
        raise UnreadableFileError(
            _csv_fault(str(error), location, limits) or str(unreadable(error, location))
        ) from error
    types = dict.fromkeys(columns.taken, "VARCHAR")
    return RawRelation(types, columns, _original(types), is_small=_is_small(location))


def _csv_fault(error: str, location: Path, limits: InputLimits) -> str | None:
    """What the engine says about a row, in words of an analyst; the line that it names counts rows."""
    if "state machine" in error:
        return row_with_another_end(location) or "its rows end in different ways (CRLF, LF, CR)"
    if (found := re.search(r"CSV Error on Line: (\d+)", error)) is None:
        return None
    row = f"row {found[1]}"
    if width := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", error):
        return f"{row} has {width[2]} values, the header {width[1]}"
    if "not utf-8" in error:
        return f"{row} is not UTF-8"
    if "unterminated quote" in error:
        quote = f"{row} has a quote that isn't closed, or something behind a closing quote"
        return row_with_another_end(location) or quote
    return (
        raise_limit("max_record_mb", f"{row} is longer than {limits.max_record_mb:,} MB")
        if _TOO_LONG in error
        else None
    )


def _read_jsonl(
    connection: duckdb.DuckDBPyConnection, source: Source, location: Path, limits: InputLimits
) -> RawRelation:
    """A record's values are read from its JSON text, so that the line itself can be kept as it came."""
    require_text(location)
    try:
        connection.execute(
            f"create temp table lines as select row_number() over () as {ROW}, json from read_ndjson_objects("
            f"{sql_pattern(location)}, compression = 'none', maximum_object_size = {limits.max_record_mb * 10**6})"
        )
    except duckdb.InvalidInputException as error:
        raise UnreadableFileError(
            _json_fault(str(error), location, limits) or str(unreadable(error, location))
        ) from error
    # The engine looks at the length only where a record doesn't fit its buffer.
    longest = connection.execute(f"select max(strlen(json)), arg_max({ROW}, strlen(json)) from lines").fetchall()[0]
    if longest[0] and longest[0] > limits.max_record_mb * 10**6:
        raise UnreadableFileError(
            raise_limit("max_record_mb", f"record {longest[1]:,} is longer than {limits.max_record_mb:,} MB")
        )
    # Records of one export have the same few lists of keys.
    key_lists = connection.execute(
        f"select any_value(keys), min({ROW}) from (select json_keys(json) as keys, {ROW} from lines) "
        "where keys is not null group by cast(keys as varchar) order by 2"
    ).fetchall()
    names = list(dict.fromkeys(key for keys, _ in key_lists for key in keys))
    require_few(names, limits)
    if names or connection.execute("select count(*) > 0 from lines").fetchall() == [(True,)]:
        columns = match_columns(source, names)
        keys = {name: names[place] for name, place in columns.taken.items()}
    else:  # An export with nothing to say is a file without lines; it has no columns to miss.
        columns, keys = Columns(), {column.name: column.name for column in source.columns}
    twice = {name for name, key in keys.items() if any(keys_of.count(key) > 1 for keys_of, _ in key_lists)}
    paths = {name: sql_text(f'$."{key}"') for name, key in keys.items()}
    values = "".join(f", found[{place}] as {sql_name(name)}" for place, name in enumerate(keys, start=1))
    connection.execute(
        f"create temp table raw as select {ROW}, original{values} from ("
        f"select {ROW}, cast(json as varchar) as original, "
        f"json_extract_string(json, [{', '.join(paths.values())}]::varchar[]) as found from lines)"
    )
    connection.execute("drop table lines")
    as_json = twice.union(_columns_with_others_than_text(connection, source, list(keys)))
    if as_json:
        replaced = ", ".join(
            f"{_json_value(paths[name], keys[name] if name in twice else None)} as {sql_name(name)}" for name in as_json
        )
        connection.execute(f"create temp table typed as select * replace ({replaced}) from raw")
        connection.execute("drop table raw")
        connection.execute("alter table typed rename to raw")
    types = {name: "JSON" if name in as_json else "VARCHAR" for name in keys}
    return RawRelation(types, columns, "original", is_small=_is_small(location))


def _columns_with_others_than_text(
    connection: duckdb.DuckDBPyConnection, source: Source, names: Sequence[str]
) -> list[str]:
    """Columns in which something else than a JSON string may lie, where that matters: seen by how its text begins."""

    def test(name: str) -> str:
        text = sql_name(name)
        if source.column(name).kind not in (Kind.TEXT, Kind.WEEKDAYS):
            return f"{text} between 'N' and 'O' or {text} between 'n' and 'o'"  # NaN
        return (
            f"{text} between '-' and ':' or {text} between '[' and '\\' or {text} between '{{' and '|' "
            f"or (strlen({text}) < 9 and lower({text}) in ('true', 'false', 'nan', 'inf', 'infinity'))"
        )

    tests = ", ".join(f"coalesce(bool_or({test(name)}), false)" for name in names)
    found = connection.execute(f"select {tests} from raw").fetchall()[0]
    return [name for name, has_others in zip(names, found, strict=True) if has_others]


def _json_value(path: str, key_held_twice: str | None) -> str:
    """SQL over `raw`: the JSON text of a value; of a key that a record holds twice a list, which no column takes."""
    value = f"json_extract(original, {path})"
    if key_held_twice is None:
        return value
    times = f"len(list_filter(json_keys(original), lambda key: key = {sql_text(key_held_twice)}))"
    return f"case when {times} > 1 then cast('[' || original || ']' as json) else {value} end"


def _json_fault(error: str, location: Path, limits: InputLimits) -> str | None:
    """What the engine says about a line; it counts the records from 2 on."""
    if "maximum_object_size" in error:
        return raise_limit("max_record_mb", f"a record is longer than {limits.max_record_mb:,} MB")
    found = re.search(r"in line (\d+): ([^.]*)", error)
    line = line_of_record(location, int(found[1]) - 1) if found else None
    return f"line {line} is no JSON record: {found[2]}" if found and line else None
