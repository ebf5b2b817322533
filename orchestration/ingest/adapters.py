"""Adapters: a user's SQL that turns an export of another shape into a source's columns, and the files it names."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.readers import UnreadableFileError, sql_text
from orchestration.settings import Home


@dataclass(frozen=True)
class Adapter:
    """One adapter. `path` names it in the ledger; `patterns` are as the SQL has them, `files` what they find now."""

    source: str
    path: str
    sql: str
    patterns: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of its files together."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def state(self) -> int:
        """Changes when the SQL, the set of files or one of them changes; stands where a file's time of change does."""
        digest = hashlib.sha256(self.sql.encode())
        for file in self.files:
            found = file.stat()
            digest.update(f"{file}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
        return int.from_bytes(digest.digest()[:7], "big")


def find_adapters(home: Home) -> tuple[dict[str, list[Adapter]], list[tuple[str, str, str]]]:
    """Adapters by source, in byte order of their names, and those that can't be used: (source, path, why)."""
    found: dict[str, list[Adapter]] = {}
    broken: list[tuple[str, str, str]] = []
    for location in sorted(home.adapters.glob("*/*.sql")):
        source, path = location.parent.name, f"adapters/{location.parent.name}/{location.name}"
        if source not in SOURCES_BY_NAME:
            broken.append((source, path, f"there is no source {source}; sources: {', '.join(SOURCES_BY_NAME)}"))
            continue
        try:
            sql = location.read_text(encoding="utf-8").strip().rstrip(";")
            patterns = _file_patterns(sql)
            files = tuple(sorted({file for pattern in patterns for file in _expand(pattern, home.inbox)}))
        except (UnicodeDecodeError, UnreadableFileError) as error:
            broken.append((source, path, str(error)))
            continue
        found.setdefault(source, []).append(Adapter(source, path, sql, tuple(patterns), files))
    return found, broken


def _file_patterns(sql: str) -> list[str]:
    """The files that a select names: first arguments of its read_* functions, taken from the engine's own parse."""
    with duckdb.connect() as connection:
        parsed = json.loads(connection.execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if parsed.get("error"):
        raise UnreadableFileError(f"not one SQL select: {parsed.get('error_message', 'it can not be parsed')}")
    if len(parsed["statements"]) != 1:
        raise UnreadableFileError(f"one SQL select is wanted, there are {len(parsed['statements'])}")
    patterns: list[str] = []
    for node in _nodes(parsed["statements"][0]):
        if node.get("type") == "TABLE_FUNCTION" and str(node["function"].get("function_name", "")).startswith("read_"):
            arguments = node["function"].get("arguments", [])
            if arguments:
                patterns += [text for leaf in _nodes(arguments[0]) if (text := _string_constant(leaf)) is not None]
        elif node.get("type") == "BASE_TABLE" and "." in str(node.get("table_name", "")):
            patterns.append(node["table_name"])
    if not patterns:
        raise UnreadableFileError("it names no file: read one with read_csv('...'), read_parquet('...') or read_json('...')")
    return patterns


def _string_constant(node: dict[str, Any]) -> str | None:
    literal = node.get("literal")
    return literal["text"] if isinstance(literal, dict) and literal.get("kind") == "STRING" else None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for child in tree.values():
            yield from _nodes(child)
    elif isinstance(tree, list):
        for child in tree:
            yield from _nodes(child)


def _expand(pattern: str, inbox: Path) -> list[Path]:
    """The files of a pattern; a relative one starts at the inbox. Outside the inbox nothing is read."""
    names = glob.glob(str(inbox / pattern), recursive=True)
    files = [Path(name).resolve() for name in names if Path(name).is_file()]
    outside = [file for file in files if not file.is_relative_to(inbox.resolve())]
    if outside:
        raise UnreadableFileError(f"{pattern} is outside the inbox: an adapter reads files under {inbox} only")
    return files


def run_adapter(adapter: Adapter, home: Home, target: Path, memory_limit: str | None) -> None:
    """Write the adapter's result to `target` as Parquet, in an engine that can reach nothing but the adapter's files.

    Raises UnreadableFileError with the engine's reason.
    """
    config: dict[str, Any] = {"file_search_path": str(home.inbox), "temp_directory": str(home.scratch)}
    if memory_limit:
        config["memory_limit"] = memory_limit
    with duckdb.connect(config=config) as connection:
        # The engine compares paths as they are written: the SQL's own spelling first, then what it finds with it.
        reachable = {*adapter.patterns, *(str(home.inbox / pattern) for pattern in adapter.patterns), *map(str, adapter.files), str(target)}
        try:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"set allowed_paths = [{', '.join(sql_text(path) for path in sorted(reachable))}]")
            connection.execute(f"set allowed_directories = [{sql_text(str(home.scratch))}]")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            connection.execute(f"copy ({adapter.sql}\n) to {sql_text(str(target))} (format parquet)")
        except duckdb.Error as error:
            raise UnreadableFileError(f"its SQL failed: {str(error).splitlines()[0][:300]}") from error
