"""The code location. Nothing is opened and nothing is contacted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import Definitions, LoggerDefinition

from orchestration.assets.build import after_gate, build
from orchestration.assets.gate import gate
from orchestration.assets.landing import LANDING_SPECS, inbox
from orchestration.assets.plan import run_inputs
from orchestration.assets.publish import published_store
from orchestration.assets.report import report
from orchestration.jobs import SCHEDULES, SENSORS, WEEKLY_RUN
from orchestration.resources import MetricStoreResource


def build_definitions(
    overrides: Mapping[str, Any] | None = None, loggers: Mapping[str, LoggerDefinition] | None = None
) -> Definitions:
    """The definitions; `overrides` replaces resources, `loggers` the console, for the command line and for tests."""
    return Definitions(
        assets=[inbox, *LANDING_SPECS, run_inputs, build, gate, after_gate, published_store, report],
        jobs=[WEEKLY_RUN],
        schedules=SCHEDULES,
        sensors=SENSORS,
        resources={"store": MetricStoreResource(), **(overrides or {})},
        loggers=dict(loggers or {}),
    )


defs = build_definitions()
