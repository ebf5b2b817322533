"""The process that runs one adapter's SQL. Its standard input says what to do, its status whose fault an error is."""

from __future__ import annotations

import glob
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from metric_store.sql import sql_names, sql_text
from orchestration.ingest.columns import match_columns
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.unreadable import UnreadableFileError, unreadable

#: Its status where the SQL is to blame: for what its standard output says, or for the memory that it takes.
FAILED, OUT_OF_MEMORY = 3, 4
#: What the process takes beside its engine.
_BESIDE_MB = 2_000


@dataclass(frozen=True)
class AdapterTask:
    """What to run. sql: one select. files: what it may read, by names under the folder `copies`.

    target: the Parquet file to write. config: of the engine. seconds, megabytes: what it may take.
    most_rows: so many are enough.
    """

    source: str
    sql: str
    files: list[str]
    copies: str
    target: str
    config: dict[str, Any]
    seconds: int
    megabytes: int
    most_rows: int | None = None


@contextmanager
def locked_engine(task: AdapterTask) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine in the folder of the copies. SQL reaches these and the result, nothing else, and can't change that."""
    os.chdir(task.copies)  # `filename` is a path under the inbox, and the same whenever it is asked for
    config = task.config | {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    with duckdb.connect(config=config) as engine:
        # The engine compares paths as they are written, then what it finds with them.
        names = {*task.files, *map(glob.escape, task.files), task.target}
        engine.execute("set TimeZone = 'UTC'")
        engine.execute(f"set allowed_paths = [{', '.join(map(sql_text, sorted(names)))}]")
        engine.execute("set enable_external_access = false")
        engine.execute("set lock_configuration = true")
        yield engine


def run(task: AdapterTask) -> None:
    """Write the result. Raises duckdb.Error."""
    with locked_engine(task) as engine:
        found = engine.execute(f"describe ({task.sql}\n)").fetchall()
        sql = _with_distinct_names(task, [row[0] for row in found])
        if task.most_rows is not None:
            sql = f"select * from ({sql}\n) limit {task.most_rows}"
        engine.execute(f"copy ({sql}\n) to {sql_text(task.target)} (format parquet)")


def _with_distinct_names(task: AdapterTask, names: list[str]) -> str:
    """The adapter's SQL; where names differ by case only, the engine would rename those that aren't the first."""
    if len({name.lower() for name in names}) == len(names):
        return task.sql
    taken = {place: name for name, place in match_columns(SOURCES_BY_NAME[task.source], names).taken.items()}
    distinct = sql_names([taken.get(place, f"{name} (column {place + 1})") for place, name in enumerate(names)])
    return f"select * from ({task.sql}\n) as adapted({distinct})"


def main() -> int:
    """Run what is asked for; the status of the process."""
    task = AdapterTask(**json.load(sys.stdin))
    # The process that waits for this one ends it in time; one that was killed doesn't.
    cpu_seconds = task.seconds * task.config["threads"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    # Some functions don't ask for the engine's memory limit: the process has one of its own.
    memory, most = (task.megabytes + _BESIDE_MB) * 10**6, resource.getrlimit(resource.RLIMIT_DATA)[1]
    if most == resource.RLIM_INFINITY or memory < most:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, most))
    try:
        run(task)
    except (duckdb.OutOfMemoryException, MemoryError):
        return OUT_OF_MEMORY
    except duckdb.InternalException as error:
        print(f"its SQL meets a fault of the engine: {str(error).splitlines()[0]}")
        return FAILED
    except duckdb.Error as error:
        print(f"its SQL failed: {unreadable(error, Path(task.target))}")
        return FAILED
    except UnreadableFileError as error:
        print(error)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
