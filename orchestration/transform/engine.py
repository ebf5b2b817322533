"""What a run needs of an engine. Everything else about it is in the dbt project: its profile and its macros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from orchestration.home.layout import Home

#: Runs dbt with these arguments on the home of the run; returns what dbt returns, raises DbtError.
RunDbt = Callable[[Sequence[str]], Any]


class Engine:
    """DuckDB, which works on the warehouse itself and needs nothing put before it."""

    name = "duckdb"
    #: The output of dbt_project/profiles.yml.
    target = "duckdb"
    #: The adapter of dbt.
    adapter = "duckdb"

    def require(self) -> None:
        """Raises MetricStoreError where something that the engine needs isn't there. Starts nothing."""

    def prepare_process(self) -> None:
        """Called once, before dbt."""

    def put_inputs(self, home: Home, run_dbt: RunDbt) -> None:
        """Put what the models read, as `orchestration.transform.warehouse` wrote it, before the engine."""

    def fetch_results(self, home: Home, built: Any, run_dbt: RunDbt) -> None:
        """Show what the gate and publication read of `built`, dbt's result of a build, in the warehouse."""
