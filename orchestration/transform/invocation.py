"""One invocation of dbt, by its documented Python interface, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metric_store.errors import MetricStoreError
from orchestration.home.layout import HOME_VARIABLE, Home
from orchestration.limits import DEFAULT_LIMITS, EngineLimits
from orchestration.project import DBT_PROJECT_DIR

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

#: How the limits of the engine reach the profile.
MEMORY_VARIABLE, THREADS_VARIABLE = "METRIC_STORE_ENGINE_MEMORY", "METRIC_STORE_ENGINE_THREADS"

_OFFLINE = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_VERSION_CHECK": "false", "DO_NOT_TRACK": "1"}


class DbtError(MetricStoreError):
    """A dbt invocation failed; the text names the nodes and what they said."""


def invoke(
    arguments: Sequence[str],
    home: Home,
    target: str,
    target_path: Path,
    *,
    limits: EngineLimits = DEFAULT_LIMITS,
    manifest: Manifest | None = None,
    on_event: Callable[[Any], None] | None = None,
) -> Any:
    """Run dbt with these arguments on a home; returns what dbt returns. Raises DbtError.

    target: the output of profiles.yml. on_event: is given each of dbt's events, in dbt's threads.
    """
    from dbt.cli.main import dbtRunner

    errors: list[str] = []

    def note(event: Any) -> None:
        if event.info.level == "error" and event.info.msg.strip():
            errors.append(event.info.msg.strip())
        if on_event is not None:
            on_event(event)

    command = [
        *("--quiet", "--no-use-colors", "--log-level-file", "none", "--log-level", "none"),
        *arguments,
        *("--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR)),
        *("--target-path", str(target_path), "--log-path", str(target_path), "--target", target),
    ]
    limited = {MEMORY_VARIABLE: limits.memory, THREADS_VARIABLE: str(limits.cores)}
    with _environment({**_OFFLINE, **limited, HOME_VARIABLE: str(home.root)}):
        try:
            result = dbtRunner(manifest=manifest, callbacks=[note]).invoke(command)
        finally:
            _close_connections()
    if not result.success:
        said = errors or [str(result.exception or "no reason given")]
        raise DbtError(f"dbt {arguments[0]} failed: " + " | ".join(dict.fromkeys(said)))
    return result.result


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _close_connections() -> None:
    """The adapter keeps the warehouse open for the life of the process, and with it every other process out."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
