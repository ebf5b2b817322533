"""dbt by its own Python interface: parse once, build as often as needed, and pass its events on as they come.

dagster-dbt's own resource starts `dbt --version` and then `dbt` anew for each build, which is more than half of a small
run; the events that come out of here are dagster-dbt's all the same.
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from orchestration.background import Background, BackgroundEndedError, Closing, Purpose, emit
from orchestration.engines import Engine, chosen_engine
from orchestration.errors import MetricStoreError
from orchestration.limits import DEFAULT_LIMITS, EngineLimits
from orchestration.settings import DBT_PROJECT_DIR, HOME_VARIABLE, Home

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

#: Where the project's own parse lies; made by `make` and whenever the project is newer than it.
PROJECT_TARGET = DBT_PROJECT_DIR / "target"
MANIFEST_PATH = PROJECT_TARGET / "manifest.json"
_UNFINISHED = PROJECT_TARGET / ".next"

#: How the limits of the engine reach the profile.
MEMORY_VARIABLE, THREADS_VARIABLE = "METRIC_STORE_ENGINE_MEMORY", "METRIC_STORE_ENGINE_THREADS"

_OFFLINE = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_VERSION_CHECK": "false", "DO_NOT_TRACK": "1"}


class DbtError(MetricStoreError):
    """A dbt invocation failed; the text names the nodes and what they said."""


def ensure_manifest() -> Path:
    """The path of the project's manifest; parses the project first if a file of it is newer. Safe to call at once."""
    if not _is_current():
        PROJECT_TARGET.mkdir(exist_ok=True)
        with FileLock(PROJECT_TARGET / ".parse.lock"):
            if not _is_current():
                # In full: a partial parse of a project in the middle of a change has lost dependencies before.
                # Aside: half a manifest, of a parse that was killed, would stop every later command.
                _invoke(["parse", "--no-partial-parse"], _UNFINISHED, Home.of(PROJECT_TARGET))
                for name in ("partial_parse.msgpack", MANIFEST_PATH.name):
                    (_UNFINISHED / name).replace(PROJECT_TARGET / name)
                shutil.rmtree(_UNFINISHED)
    return MANIFEST_PATH


def parse_strictly(target: str) -> list[str]:
    """Parse the project from nothing; returns its errors, or what dbt warns of."""
    warnings: list[str] = []
    try:
        _invoke(["parse", "--no-partial-parse"], Path(target), Home.of(target), warnings=warnings)
    except DbtError as error:
        return [str(error)]
    return warnings


def _is_current() -> bool:
    if not MANIFEST_PATH.is_file():
        return False
    made = MANIFEST_PATH.stat().st_mtime
    parts = (DBT_PROJECT_DIR / "models", DBT_PROJECT_DIR / "macros", DBT_PROJECT_DIR / "tests")
    files = [
        DBT_PROJECT_DIR / "dbt_project.yml",
        DBT_PROJECT_DIR / "profiles.yml",
        *(f for part in parts for f in part.rglob("*")),
    ]
    return all(file.stat().st_mtime <= made for file in files)


class DbtProjectRun(Closing):
    """dbt against the warehouse of one home, in a process of its own, which parses the project while a run lands files.

    Building there also leaves this process free to write Dagster's history meanwhile. Close it, or use it in a `with`
    statement.

    `purpose` says on which engine it builds: that of runs, or DuckDB whatever runs take.
    `limits` are those of DuckDB.
    """

    def __init__(self, home: Home, purpose: Purpose | None = None, limits: EngineLimits = DEFAULT_LIMITS) -> None:
        self._home, self._limits = home, limits
        self._process = Background.obtain(purpose or DBT_PROCESS)

    @property
    def target(self) -> Path:
        return self._home.dbt_target

    def build(self, select: Sequence[str], exclude: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Build the selected nodes; yields dbt's structured events while it works. Raises DbtError if a node failed."""
        # The manifest is in memory, and the results come as events: dbt needn't write either.
        arguments = ["build", "--no-write-json", "--exclude-resource-type", "unit_test", "--select", *select]
        if exclude:
            arguments += ["--exclude", *exclude]
        try:
            yield from self._process.stream(_build, arguments, self.target, self._home, self._limits)
        except BackgroundEndedError as error:
            raise DbtError(
                "dbt's process ended before its work was done, so nothing is published.\n"
                "It was killed, or memory ran out: run again."
            ) from error

    def close(self) -> None:
        """Ends the process, also in the middle of a build: DuckDB undoes what isn't committed."""
        self._process.close()


#: In dbt's process: the engine, and the project as dbt's own object. It names no home, so that one parse serves all.
_engine = Engine()
_manifest: Manifest | None = None


def _get_ready() -> None:
    _get_ready_for(chosen_engine())


def _get_ready_for_duckdb() -> None:
    _get_ready_for(Engine())


def _get_ready_for(engine: Engine) -> None:
    global _engine, _manifest
    ensure_manifest()
    _engine = engine
    _engine.prepare_process()
    target = _engine.parse_target
    with FileLock(PROJECT_TARGET / ".parse.lock"):
        _manifest = _invoke(["parse", "--no-write-json"], target, Home.of(target), engine=_engine)
    importlib.import_module("dbt.task.build")  # which the first build would do, when it is waited for


DBT_PROCESS = Purpose(_get_ready)
DBT_ON_DUCKDB_PROCESS = Purpose(_get_ready_for_duckdb)


def _build(arguments: Sequence[str], target: Path, home: Home, limits: EngineLimits) -> None:
    # dbt leaves some 100 MB in cycles, as much as it has models, whatever their rows; this process goes with the run.
    gc.disable()
    os.environ.update({MEMORY_VARIABLE: limits.memory, THREADS_VARIABLE: str(limits.cores)})

    def run_dbt(arguments: Sequence[str]) -> Any:
        return _invoke(arguments, target, home, _manifest, engine=_engine)

    try:
        _engine.put_inputs(home, run_dbt)
        built = _invoke(arguments, target, home, _manifest, on_node=emit, engine=_engine)
        _engine.fetch_results(home, built, run_dbt)
    except DbtError:
        raise
    except Exception as error:  # its own exceptions don't all survive the way back to the parent
        raise DbtError(f"dbt failed: {type(error).__name__}: {error}") from error


def _invoke(
    arguments: Sequence[str],
    target: Path,
    home: Home,
    manifest: Manifest | None = None,
    on_node: Callable[[dict[str, Any]], None] | None = None,
    warnings: list[str] | None = None,
    engine: Engine | None = None,
) -> Any:
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import msg_to_dict

    os.environ.update(_OFFLINE)
    os.environ[HOME_VARIABLE] = str(home.root)
    errors: list[str] = []

    def on_event(message: Any) -> None:
        if message.info.level == "error" and message.info.msg.strip():
            errors.append(message.info.msg.strip())
        if message.info.level == "warn" and warnings is not None:
            warnings.append(message.info.msg.strip())
        if on_node is not None and message.info.name in ("NodeFinished", "LogModelResult", "LogTestResult"):
            on_node(msg_to_dict(message))

    command = [
        *("--quiet", "--no-use-colors", "--log-level-file", "none", "--log-level", "none"),
        *arguments,
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--target-path", str(target), "--log-path", str(target), "--target", (engine or Engine()).target),
    ]
    try:
        result = dbtRunner(manifest=manifest, callbacks=[on_event]).invoke(command)
    finally:
        _close_connections()
    if not result.success:
        said = errors or [str(result.exception or "no reason given")]
        raise DbtError(f"dbt {arguments[0]} failed: " + " | ".join(dict.fromkeys(said)))
    return result.result


def _close_connections() -> None:
    """The adapter keeps the warehouse open for the life of the process, and with it every other process out."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
