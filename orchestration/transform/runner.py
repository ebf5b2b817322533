"""Runs dbt on the warehouse of one home in this process, and yields its events while it works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import Any

from orchestration.home.layout import Home
from orchestration.limits import DEFAULT_LIMITS, EngineLimits
from orchestration.stopping import stop_and_wait
from orchestration.transform.engine import Engine
from orchestration.transform.invocation import invoke
from orchestration.transform.project import parsed_manifest


class DbtRunner:
    """dbt for one home and engine. To be closed, before anybody else may have the home."""

    def __init__(self, home: Home, engine: Engine, limits: EngineLimits = DEFAULT_LIMITS) -> None:
        self._home, self._engine, self._limits = home, engine, limits
        self._thread = ThreadPoolExecutor(1, "dbt")
        self._building: Future[None] | None = None

    def build(self, *selection: str) -> Iterator[dict[str, Any]]:
        """Run `dbt build` with this selection; yields dbt's structured events of nodes while it works.

        Raises DbtError if a node failed; what is at work then still ends.
        """
        events: Queue[dict[str, Any] | None] = Queue()
        self._building = self._thread.submit(self._build, selection, events)
        while (event := events.get()) is not None:
            yield event
        self._building.result()

    def close(self) -> None:
        """Stop what is still at work, as after Ctrl-C, and wait for its end.

        No work for the end of `build`: nobody may be reading it any more when a run is ended, and then it is garbage,
        which any thread collects. dbt's own would wait for itself.
        """
        if self._building:
            stop_and_wait([self._building], self._cancel)
        self._thread.shutdown()

    def _build(self, selection: Sequence[str], events: Queue[dict[str, Any] | None]) -> None:
        from dbt_common.events.functions import msg_to_dict

        def hand_on(event: Any) -> None:
            if event.info.name in ("LogModelResult", "LogTestResult"):
                events.put(msg_to_dict(event))

        try:
            self._engine.put_inputs(self._home, self._run)
            # A failed node withholds everything, so nothing more is built. The manifest is in memory, and the results
            # come as events: dbt needn't write either.
            arguments = ["build", "--fail-fast", "--no-write-json", "--exclude-resource-type", "unit_test", *selection]
            built = self._run(arguments, hand_on)
            self._engine.fetch_results(self._home, built, self._run)
        finally:
            events.put(None)

    def _run(self, arguments: Sequence[str], on_event: Any = None) -> Any:
        return invoke(
            arguments,
            self._home,
            self._engine.target,
            self._home.dbt_target,
            limits=self._limits,
            manifest=parsed_manifest(self._home, self._engine),
            on_event=on_event,
        )

    def _cancel(self) -> None:
        """End the statement that is at work, and with it the build: it stops at the first node that fails."""
        from dbt.adapters.factory import get_adapter_by_type

        # dbt has no adapter before it has parsed, and closes connections itself meanwhile: then this is an error.
        get_adapter_by_type(self._engine.adapter).cancel_open_connections()
