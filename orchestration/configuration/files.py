"""The configuration files: a model of the rows of each, with the rules for one row, and what holds for all its rows.

The default figures are the default files themselves (`ConfigFile.default_path`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from orchestration.configuration import values as cell
from orchestration.configuration.ids import (
    FAMILIES,
    GATE_RULES,
    GRADE_METRICS,
    METRICS,
    PERIOD_KPIS,
    READINESS_METRICS,
    SOURCES,
)
from orchestration.configuration.problems import shown
from orchestration.configuration.values import Value, canonical_text, one_of
from orchestration.limits import InputLimits
from orchestration.weeks.calendar import CalendarWeek

_PROJECT = Path(__file__).resolve().parents[2]
_VALIDITY = ("valid_from", "valid_to")
_STORED = {int: "BIGINT", Decimal: "DECIMAL(18,6)", bool: "BOOLEAN", date: "DATE", datetime: "TIMESTAMP"}


def _stored_as(annotation: Any) -> str:
    """DuckDB's type of a column, which may be empty and have bounds."""
    parts = get_args(annotation)
    return _stored_as(parts[0]) if parts else _STORED.get(annotation, "VARCHAR")


class Row(BaseModel):
    """A row of a configuration file. `line` is its line in the file, where the header is line 1."""

    model_config = ConfigDict(frozen=True)

    line: int = Field(exclude=True)

    @property
    def values(self) -> dict[str, Value | None]:
        """The typed value of each column."""
        return self.model_dump()

    def wrong(self) -> Iterator[tuple[str, str]]:
        """What is wrong with its values taken together: column, and what to do."""
        return iter(())

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        """What of the row decides a figure, a rule or a text of the week; None where the row doesn't concern it."""
        return self.values


class DatedRow(Row):
    """A row that holds from valid_from (inclusive) to valid_to (exclusive, empty = open)."""

    valid_from: cell.Day
    valid_to: cell.Day | None = None

    @property
    def ends(self) -> date:
        """The first day on which the row no longer holds; the last day there is, where it is open."""
        return self.valid_to or date.max

    def holds_on(self, day: date) -> bool:
        """Whether the row is valid on the day."""
        return self.valid_from <= day < self.ends

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        """Not the validity: ending a version leaves the weeks before as they were."""
        if not self.holds_on(week.calculated_on):
            return None
        return {name: value for name, value in self.values.items() if name not in _VALIDITY}

    def wrong(self) -> Iterator[tuple[str, str]]:
        if self.valid_from >= self.ends:
            yield (
                "valid_to",
                f"{self.ends} is not after valid_from {self.valid_from}, so the row never holds; give a later date,"
                " or leave it empty for no end",
            )


class Settings(BaseModel):
    """The values of settings.csv by key, but for the limits of what comes in, which need not be there."""

    model_config = ConfigDict(frozen=True)

    reporting_timezone: cell.Zone
    calculation_offset_hours: Annotated[cell.Whole, Field(ge=0, le=168)]
    small_sample: cell.Count
    grade_window_days: cell.Days
    availability_slo: Annotated[cell.Number, Field(gt=0, lt=1)]
    latency_slo_seconds: Annotated[cell.Number, Field(gt=0, le=86_400)]
    peak_multiplier: cell.Factor
    publish_within_hours: cell.Hours
    keep_runs_days: cell.Days


SETTINGS = tuple(Settings.model_fields)
_LIMITS: dict[str, Any] = {limit.name: (cell.Limit, limit.default) for limit in fields(InputLimits)}
AllSettings = create_model("AllSettings", __base__=Settings, **_LIMITS)
# No figure and no verdict of a week follows from these.
_OPERATING = ("publish_within_hours", "keep_runs_days", *_LIMITS)


class Setting(Row):
    key: Annotated[str, one_of(*SETTINGS, *_LIMITS)]
    value: cell.Text

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        return None if self.key in _OPERATING else self.values


class FailureReason(Row):
    flow: Annotated[str, one_of("acceptance", "manifestation")]
    failure_reason: cell.Text
    l2_category: cell.Text
    is_oms_fault: cell.Flag


_REASON_CLASS: dict[str, Any] = {
    "kind": Annotated[str, one_of("cancellation", "failed_delivery")],
    "reason": cell.Text,
    "class": Annotated[str, one_of("sla_breach", "seller_fault", "out_of_stock", "rejected_by_customer")],
}
# Not a `class` like the others, because its column is called `class`.
ReasonClass = create_model("ReasonClass", __base__=Row, **_REASON_CLASS)


class KpiPeriod(Row):
    kpi_id: Annotated[str, one_of(*PERIOD_KPIS)]
    period_days: cell.Days


class GradeWeight(DatedRow):
    metric_id: Annotated[str, one_of(*GRADE_METRICS)]
    weight: cell.Number

    def wrong(self) -> Iterator[tuple[str, str]]:
        yield from super().wrong()
        yield from _outside_percentage(self.metric_id, weight=self.weight)


class GradeBand(DatedRow):
    metric_id: Annotated[str, one_of(*GRADE_METRICS)]
    min: cell.Number
    max: cell.Number
    # A grade lies between its scores, and must fit its published column.
    score: Annotated[cell.Number, Field(ge=-1_000_000, le=1_000_000)]

    def __str__(self) -> str:
        return f"{canonical_text(self.min)}-{canonical_text(self.max)}"

    def wrong(self) -> Iterator[tuple[str, str]]:
        yield from super().wrong()
        yield from _outside_percentage(self.metric_id, min=self.min, max=self.max)
        if self.min > self.max:
            yield (
                "min",
                f"the band {self} of {self.metric_id} is inverted: {canonical_text(self.min)} is greater than"
                f" {canonical_text(self.max)}; swap min and max",
            )


class GradeCancellationReason(DatedRow):
    cancellation_reason: cell.Text


class GradeTier(DatedRow):
    tier: cell.Text
    min_grade: cell.Number
    visibility_adjustment: cell.Number
    fee_adjustment: cell.Number


class OvlPolicy(DatedRow):
    time_zone: cell.Zone
    holiday_calendar: cell.Text
    workdays: cell.Weekdays
    workday_start: cell.TimeOfDay
    workday_end: cell.TimeOfDay
    confirm_working_hours: cell.Hours
    handover_working_days: cell.Days
    max_cancellation_rate: cell.Percent
    min_on_time_rate: cell.Percent
    more_than_orders: cell.Count
    more_than_days: Annotated[cell.Whole, Field(ge=0, le=3650)]
    lookback_weeks: cell.Weeks
    factor: cell.Factor
    recovery_weeks: cell.Weeks
    release_after_weeks: cell.Weeks

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        """A limit follows from all weeks since the first order, each under the policy of its time, up to A."""
        if self.valid_from > week.calculated_on:
            return None
        return self.values | {"valid_to": self.valid_to if self.ends <= week.calculated_on else None}

    def wrong(self) -> Iterator[tuple[str, str]]:
        yield from super().wrong()
        # hh:mm has two digits each, so the order of the texts is that of the times.
        if self.workday_start >= self.workday_end:
            yield (
                "workday_start",
                f"{self.workday_start} is not before workday_end {self.workday_end}; a workday must start before it"
                " ends, on the same day",
            )


class Holiday(Row):
    calendar: cell.Text
    date: cell.Day
    name: cell.Text | None = None


class OmsCapacity(Row):
    oms_client: cell.Text
    tested_hourly_calls: cell.Limit


class Metric(Row):
    metric_id: Annotated[str, one_of(*METRICS)]
    family: Annotated[str, one_of(*FAMILIES)]
    setup_name: cell.Text
    seller_name: cell.Text
    export_name: cell.Text
    unit: cell.Text
    minimum: cell.Number | None = None
    maximum: cell.Number | None = None
    direction: Annotated[str, one_of("high", "low", "neutral")]
    formula: cell.Text
    description: cell.Text

    def wrong(self) -> Iterator[tuple[str, str]]:
        return _out_of_order("minimum", self.minimum, "maximum", self.maximum)


class GateRule(Row):
    rule_id: Annotated[str, one_of(*GATE_RULES)]
    severity: Annotated[str, one_of("error", "warning")]
    lower: cell.Number | None = None
    upper: cell.Number | None = None
    set_on: cell.Day
    reason: cell.Text

    def wrong(self) -> Iterator[tuple[str, str]]:
        if self.lower is None and self.upper is None:
            yield "lower", f"{self.rule_id} has no bound, so nothing fails it; give lower or upper"
        yield from _out_of_order("lower", self.lower, "upper", self.upper)


class GateWaiver(Row):
    rule_id: Annotated[str, one_of(*GATE_RULES)]
    scope: cell.Text
    week_start: cell.Day
    reason: cell.Text
    approved_by: cell.Text
    valid_until: cell.Day

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        return self.values if self.week_start == week.week_start else None

    def wrong(self) -> Iterator[tuple[str, str]]:
        week = self.week_start
        if week.weekday() != 0:
            monday = week - timedelta(days=week.weekday())
            yield "week_start", f"{week} is a {week:%A}; a week is named by its Monday, like {monday}"


class Incident(Row):
    incident_id: cell.Text
    oms_client: cell.Text
    starts_at: cell.Instant
    ends_at: cell.Instant
    title: cell.Text
    decided_by: cell.Text
    decided_on: cell.Day

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        return self.values if self.starts_at < week.calculated_at else None

    def wrong(self) -> Iterator[tuple[str, str]]:
        if self.starts_at >= self.ends_at:
            yield (
                "ends_at",
                f"{self.ends_at} is not after starts_at {self.starts_at} (both in UTC); give the instant at which it"
                " was over",
            )
        if "," in self.incident_id:
            yield "incident_id", f"{shown(self.incident_id)} holds a comma, which parts ids; leave it out"
        if self.oms_client != "all" and self.oms_client.lower() == "all":
            yield "oms_client", f"{self.oms_client} is no client; write all, in small letters, for every client"


class Owner(Row):
    source_or_rule: Annotated[str, one_of(*SOURCES, *GATE_RULES)]
    owner: cell.Text

    def held_in(self, week: CalendarWeek) -> dict[str, Value | None] | None:
        return None


def _outside_percentage(metric: str, **values: Decimal) -> Iterator[tuple[str, str]]:
    for column, value in values.items():
        if not 0 <= value <= 100:
            yield column, f"{canonical_text(value)} of {metric} is outside 0 to 100; give a percentage"


def _out_of_order(lower: str, least: Decimal | None, upper: str, most: Decimal | None) -> Iterator[tuple[str, str]]:
    if least is not None and most is not None and least > most:
        yield (
            lower,
            f"{canonical_text(least)} is greater than the {upper} {canonical_text(most)}; swap them, or correct the one"
            " that is wrong",
        )


@dataclass(frozen=True)
class ConfigFile:
    """One configuration file.

    unique: sets of columns of which no two rows may hold the same values; where rows have a validity, on the same
        day. The empty set: one row at a time.
    named_by: a column of which a home's file replaces only the rows that it names; else it replaces the default as a
        whole.
    complete: values of the column of its first key of which each must be there.
    """

    stem: str
    model: type[Row]
    unique: tuple[tuple[str, ...], ...] = ()
    named_by: str = ""
    complete: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.stem}.csv"

    @property
    def default_path(self) -> Path:
        """The file that holds unless the home has one of the same name."""
        folder = "expectations" if self.stem.startswith("gate_") else "dbt_project/seeds"
        return _PROJECT / folder / self.name

    @cached_property
    def columns(self) -> dict[str, FieldInfo]:
        """The columns by name, those of the validity last."""
        columns = {name: field for name, field in self.model.model_fields.items() if name != "line"}
        return dict(sorted(columns.items(), key=lambda column: column[0] in _VALIDITY))

    @property
    def sql_types(self) -> dict[str, str]:
        """The columns of its table in the warehouse, in their order, and DuckDB's type of each."""
        return {name: _stored_as(field.annotation) for name, field in self.columns.items()}


# A catalogue may leave out the figures of readiness.
_DESCRIBED = tuple(metric for metric in METRICS if metric not in READINESS_METRICS)
FILES = (
    ConfigFile("settings", Setting, unique=(("key",),), named_by="key"),
    ConfigFile("failure_reasons", FailureReason, unique=(("flow", "failure_reason"),)),
    ConfigFile("reason_classes", ReasonClass, unique=(("kind", "reason", "class"),)),
    ConfigFile("kpi_periods", KpiPeriod, unique=(("kpi_id",),)),
    ConfigFile("grade_weights", GradeWeight, unique=(("metric_id",),)),
    ConfigFile("grade_bands", GradeBand),
    ConfigFile("grade_cancellation_reasons", GradeCancellationReason, unique=(("cancellation_reason",),)),
    ConfigFile("grade_tiers", GradeTier, unique=(("tier",), ("min_grade",))),
    ConfigFile("ovl_policy", OvlPolicy, unique=((),)),
    ConfigFile("holidays", Holiday, unique=(("calendar", "date"),)),
    ConfigFile("oms_capacity", OmsCapacity, unique=(("oms_client",),)),
    ConfigFile("metric_catalog", Metric, unique=(("metric_id",),), complete=_DESCRIBED),
    ConfigFile("gate_rules", GateRule, unique=(("rule_id",),), named_by="rule_id"),
    ConfigFile("gate_waivers", GateWaiver, unique=(("rule_id", "scope", "week_start"),)),
    ConfigFile("incidents", Incident, unique=(("incident_id",),)),
    ConfigFile("owners", Owner, unique=(("source_or_rule",),)),
)
FILES_BY_STEM = {file.stem: file for file in FILES}
