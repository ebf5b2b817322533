"""The code location. Nothing is opened and nothing is contacted here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import Definitions, LoggerDefinition

from orchestration.assets.build import after_gate, build
from orchestration.assets.copy import COPY, copy
from orchestration.assets.gate import gate
from orchestration.assets.landing import LANDING_SPECS, inbox
from orchestration.assets.notice import notice_after
from orchestration.assets.plan import run_inputs
from orchestration.assets.publish import published_store
from orchestration.assets.report import REPORT, report
from orchestration.copies.copying import copy_target
from orchestration.jobs import SCHEDULES, SENSORS, WEEKLY_RUN, failed_run_notice
from orchestration.notices.telling import targets
from orchestration.resources import MetricStoreResource


def build_definitions(
    overrides: Mapping[str, Any] | None = None, loggers: Mapping[str, LoggerDefinition] | None = None
) -> Definitions:
    """The definitions; `overrides` replaces resources, `loggers` the console, for the command line and for tests."""
    copies = [copy] if copy_target() else []
    notices = [notice_after([REPORT, *([COPY] if copies else [])])] if targets() else []
    return Definitions(
        assets=[inbox, *LANDING_SPECS, run_inputs, build, gate, after_gate, published_store, report, *copies, *notices],
        jobs=[WEEKLY_RUN],
        schedules=SCHEDULES,
        sensors=[*SENSORS, *([failed_run_notice] if notices else [])],
        resources={"store": MetricStoreResource(), **(overrides or {})},
        loggers=dict(loggers or {}),
    )


defs = build_definitions()
