"""What tests of sample generators share: the bytes they wrote, and their sources as tables."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.ingest.contracts import Source


def contents(home: Path) -> dict[str, bytes]:
    """Path under the inbox -> bytes."""
    inbox = home / "inbox"
    return {str(file.relative_to(inbox)): file.read_bytes() for file in inbox.rglob("*") if file.is_file()}


def load(connection: duckdb.DuckDBPyConnection, home: Path, source: Source) -> None:
    """A table named like the source: its columns in their types (null where unreadable) and `week`, `file`."""
    folder = home / "inbox" / source.name
    texts = {column.name: "VARCHAR" for column in source.columns}
    readers = {
        ".parquet": "read_parquet(FILES, filename = 'file')",
        ".csv": "read_csv(FILES, header = true, all_varchar = true, filename = 'file')",
        ".jsonl": f"read_json(FILES, format = 'newline_delimited', columns = {texts}, filename = 'file')",
    }
    typed = ", ".join(f"try_cast({column.name} as {column.sql_type}) as {column.name}" for column in source.columns)
    parts = []
    for suffix, reader in readers.items():
        files = [str(file) for file in sorted(folder.rglob(f"*{suffix}*"))]
        if files:
            parts.append(f"select {typed}, file from {reader.replace('FILES', str(files))}")
    connection.execute(
        f"create table {source.name} as select *, date_trunc('week', {source.week_column})::date as week "
        f"from ({' union all '.join(parts)})"
    )


def values(store: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return store.execute(sql).fetchall()


def column_of(store: duckdb.DuckDBPyConnection, sql: str) -> list[float]:
    return [float(row[0]) for row in store.execute(sql).fetchall()]
