"""Adapters: a user's SQL that turns an export with other columns into a source, and the files it names."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.home.layout import Home
from orchestration.ingest.adapter_engine import FAILED, OUT_OF_MEMORY, AdapterTask
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.inbox import is_hidden_or_incomplete, leads_out, links_out, readable, require_inside
from orchestration.ingest.unreadable import UnreadableFileError, one_line
from orchestration.limits import DEFAULT_INPUT_LIMITS, EngineLimits, InputLimits, engine_config, raise_limit

#: What a program needs to find its libraries.
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LONGEST_SQL = 1024 * 1024
#: Functions that run SQL that isn't seen here, or write. The second line: the engine has nothing that is worth writing.
_REFUSED = re.compile(r"json_execute_serialized_sql|query|enable_\w+|write_log|\w*checkpoint|\w+_external_resource\w*")


@dataclass(frozen=True)
class Adapter:
    """One adapter. `path` names it in the ledger; `sql` names its files one by one, `files` are all of them.

    size: bytes of its files together. state: changes when the SQL, the set of files or one of them changes; it stands
    where a file's time of change does. sql_digest: of the SQL as it is written. inputs: (path under the inbox, size,
    mtime_ns) of its files. error: why it can't be run.
    """

    source: str
    path: str
    sql: str
    files: tuple[Path, ...]
    size: int
    state: int
    error: str | None = None
    sql_digest: str = ""
    inputs: tuple[tuple[str, int, int], ...] = ()


def find_adapters(home: Home) -> tuple[dict[str, list[Adapter]], list[tuple[str, str, str]]]:
    """Adapters by source, in byte order of their names, and those that can't be used: (source, path, why).

    A broken adapter of a known source is in both: it fails like a file that can't be read.
    """
    found: dict[str, list[Adapter]] = {}
    broken: list[tuple[str, str, str]] = []
    locations = [file for file in home.adapters.glob("*/*.sql") if not is_hidden_or_incomplete(file.name)]
    for location in sorted(locations, key=os.fsencode):
        source, path = location.parent.name, readable(Path("adapters", location.parent.name, location.name))
        if source not in SOURCES_BY_NAME:
            unknown = readable(Path(source))
            broken.append((unknown, path, f"there is no source {unknown}; sources: {', '.join(SOURCES_BY_NAME)}"))
            continue
        adapter = _read_adapter(source, path, location, home)
        found.setdefault(source, []).append(adapter)
        if adapter.error:
            broken.append((source, path, adapter.error))
    return found, broken


def _read_adapter(source: str, path: str, location: Path, home: Home) -> Adapter:
    inbox = home.inbox.resolve()
    try:
        require_inside(location, home.adapters.resolve())
        if not location.is_file():  # opening a pipe would block
            raise UnreadableFileError("it is no file, or a link to none")
        if location.stat().st_size > _LONGEST_SQL:
            raise UnreadableFileError(f"it has more than {_LONGEST_SQL:,} bytes")
        content = location.read_bytes()
    except (UnreadableFileError, OSError) as error:
        return Adapter(source, path, "", (), 0, 0, one_line(str(error)))
    digest = hashlib.sha256(content)
    try:
        sql, files = _with_files_named(content.decode("utf-8").strip().rstrip(";"), inbox)
        inputs = []
        for file in files:
            found = file.stat()
            inputs.append((readable(file.relative_to(inbox)), found.st_size, found.st_mtime_ns))
            digest.update(
                b"\0".join((os.fsencode(file.relative_to(inbox)), b"%d %d" % (found.st_size, found.st_mtime_ns)))
            )
    except (UnicodeDecodeError, UnreadableFileError, OSError, RecursionError) as error:
        why = "its expressions are nested too deeply" if isinstance(error, RecursionError) else one_line(str(error))
        return Adapter(source, path, "", (), len(content), _number(digest.digest()), why)
    return Adapter(
        *(source, path, sql, files, sum(size for _, size, _ in inputs), _number(digest.digest())),
        sql_digest=hashlib.sha256(content).hexdigest()[:16],
        inputs=tuple(inputs),
    )


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:7], "big")


def _with_files_named(sql: str, inbox: Path) -> tuple[str, tuple[Path, ...]]:
    """The select with each pattern of its read_* functions put as the files it finds now, and all these files.

    Its own glob would find files that aren't complete yet, too. Raises UnreadableFileError.
    """
    with duckdb.connect() as connection:
        tree = json.loads(connection.execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0])
        if tree.get("error"):
            reason = str(tree.get("error_message", "it can't be parsed")).splitlines()[0]
            raise UnreadableFileError(f"not one SQL select: {reason[:300]}")
        if len(tree["statements"]) != 1:
            raise UnreadableFileError(f"one SQL select is wanted, there are {len(tree['statements'])}")
        for node in _nodes(tree):
            _require_select(node)
        files: set[Path] = set()
        readers = [node["function"] for node in _nodes(tree) if _is_reader(node)]
        for reader in readers:
            files.update(_name_files(reader["arguments"][0], inbox))
        if not readers:
            raise UnreadableFileError(
                "it reads no file: read one with read_csv('...'), read_parquet('...') or read_json('...')"
            )
        named = connection.execute("select json_deserialize_sql(?)", [json.dumps(tree)]).fetchall()[0][0]
    return str(named), tuple(sorted(files))


def _require_select(node: dict[str, Any]) -> None:
    """Raises UnreadableFileError for a part of a select that is none: a CTE may hold COPY, INSERT, UPDATE, DELETE."""
    if str(node.get("type", "")).endswith("_QUERY_NODE"):
        raise UnreadableFileError(f"it holds {node['type'].partition('_')[0]}: an adapter only selects")
    if _REFUSED.fullmatch(name := str(node.get("function_name", "")).lower()):
        raise UnreadableFileError(f"it calls {name}(), which an adapter can't")


def _is_reader(node: dict[str, Any]) -> bool:
    if node.get("type") != "TABLE_FUNCTION":
        return False
    return str(node["function"].get("function_name", "")).startswith("read_") and bool(node["function"]["arguments"])


def _name_files(argument: dict[str, Any], inbox: Path) -> list[Path]:
    """Put the files that a reader's first argument finds in its place."""
    patterns = [text for leaf in _nodes(argument) if (text := _string_constant(leaf)) is not None]
    if not patterns:
        raise UnreadableFileError("name the files of read_...() as string literals")
    files = sorted({file for pattern in patterns for file in _expand(pattern, inbox)}, key=os.fsencode)
    constants = [
        {
            "class": "CONSTANT",
            "type": "VALUE_CONSTANT",
            "alias": "",
            "literal": {"kind": "STRING", "text": glob.escape(str(file.relative_to(inbox)))},
        }
        for file in files
    ]
    argument["expression"] = {
        **{
            "class": "FUNCTION",
            "type": "FUNCTION",
            "alias": "",
            "function_name": "list_value",
            "schema": "",
            "catalog": "",
        },
        **{"filter": None, "order_bys": {"type": "ORDER_MODIFIER", "orders": []}, "distinct": False},
        **{"is_operator": False, "export_state": False, "qualified_name": {"path": ["list_value"]}},
        "arguments": [{"name": "", "expression": constant} for constant in constants],
    }
    return files


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
    """The complete files of a pattern; a relative one starts at the inbox. Outside the inbox nothing is read."""
    whole = Path(os.path.normpath(inbox / pattern))
    if not whole.is_relative_to(inbox):
        raise UnreadableFileError(f"{pattern} is outside the inbox: an adapter reads files under {inbox} only")
    relative = whole.relative_to(inbox)
    # A pattern of any depth would go through all that lies behind a link.
    links = links_out(inbox) if "**" in relative.parts else []
    # Not pathlib's: with ** it goes into no linked folder, not even within the inbox.
    names = glob.glob(str(relative), root_dir=inbox, recursive=True) if not links else []  # noqa: PTH207
    links += [inbox / name for name in names if leads_out(inbox / name, inbox)]
    if links:
        link = readable(links[0].relative_to(inbox))
        raise UnreadableFileError(f"{pattern} finds {link}, which leads out of the inbox: put the file itself there")
    complete = [
        inbox / name
        for name in names
        if (inbox / name).is_file() and not any(map(is_hidden_or_incomplete, Path(name).parts))
    ]
    for file in complete:
        if (name := readable(file.relative_to(inbox))) != str(file.relative_to(inbox)):
            raise UnreadableFileError(f"the name of {name} is no UTF-8: rename it")
    if not complete:
        raise UnreadableFileError(f"there is no file {pattern} in the inbox")
    return complete


def run_adapter(
    adapter: Adapter,
    home: Home,
    target: Path,
    limits: EngineLimits,
    input_limits: InputLimits = DEFAULT_INPUT_LIMITS,
    most_rows: int | None = None,
) -> None:
    """Write the adapter's result to `target` as Parquet: `adapter_engine` does, a process that has copies of its files.

    Whatever the SQL is, it finds nothing else, and what it writes it writes into copies that are thrown away.
    most_rows: so many are enough. Raises UnreadableFileError with the reason.
    """
    if adapter.error:
        raise UnreadableFileError(adapter.error)
    inbox, copies = home.inbox.resolve(), target.with_name("inbox")
    names = [str(file.relative_to(inbox)) for file in adapter.files]
    for name in names:
        copy = copies / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(require_inside(inbox / name, inbox), copy)
    spill = target.with_name("spill")  # that of the home holds what others spilled
    engine_limits = limits.at_most(input_limits.max_adapter_memory_mb)
    task = AdapterTask(
        *(adapter.source, adapter.sql, names, str(copies), str(target)),
        config={**engine_config(home, engine_limits), "temp_directory": str(spill)},
        seconds=input_limits.max_adapter_seconds,
        megabytes=input_limits.max_adapter_memory_mb,
        most_rows=most_rows,
    )
    # Isolated: without the variables of the run, and with no module of the folder that holds the copies.
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-X", "utf8", "-m", AdapterTask.__module__],
            input=json.dumps(asdict(task)),
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            check=False,
            timeout=input_limits.max_adapter_seconds,
        )
    except subprocess.TimeoutExpired as error:
        said = f"its SQL takes more than {input_limits.max_adapter_seconds:,} seconds"
        raise UnreadableFileError(raise_limit("max_adapter_seconds", said)) from error
    if done.returncode == FAILED:
        raise UnreadableFileError(done.stdout)
    if done.returncode == OUT_OF_MEMORY and engine_limits == limits:
        raise UnreadableFileError(
            f"its SQL takes more memory than the engine has ({limits.memory}): see --memory-limit"
        )
    if done.returncode == OUT_OF_MEMORY:
        raise UnreadableFileError(
            raise_limit("max_adapter_memory_mb", f"its SQL takes more than {task.megabytes:,} MB of memory")
        )
    if done.returncode < 0:
        raise UnreadableFileError(f"its SQL ended the engine with signal {-done.returncode}")
    if done.returncode:
        raise duckdb.IOException(f"the engine of {adapter.path} failed: {done.stderr.strip()[-1000:]}")
