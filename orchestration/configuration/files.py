"""What each configuration file holds: its columns, types, closed sets, bounds and keys, declared once.

No reading and no checking here; the default figures are the default files themselves (`ConfigFile.default_path`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from pathlib import Path

from orchestration.configuration.ids import (
    FAMILIES,
    GATE_RULES,
    GRADE_METRICS,
    METRICS,
    PERIOD_KPIS,
    READINESS_METRICS,
)
from orchestration.limits import InputLimits

_PROJECT = Path(__file__).resolve().parents[2]


TEXT_TYPE = "VARCHAR"
_STORED_TYPES = ("BIGINT", "DECIMAL(18,6)", "BOOLEAN", "DATE", "TIMESTAMP")


class Kind(Enum):
    """How a cell is read; `value` is the type it has in the warehouse, if that isn't text."""

    TEXT = TEXT_TYPE
    WHOLE = "BIGINT"
    DECIMAL = "DECIMAL(18,6)"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    INSTANT = "TIMESTAMP"
    TIME = "hh:mm"
    ZONE = "IANA time zone"
    WORKDAYS = "comma list of weekdays"


@dataclass(frozen=True)
class Bounds:
    """The range of a number; None is no bound."""

    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None

    def hold(self, number: Decimal | int) -> bool:
        """Whether the number lies within."""
        return not (
            (self.at_least is not None and number < self.at_least)
            or (self.above is not None and number <= self.above)
            or (self.at_most is not None and number > self.at_most)
            or (self.below is not None and number >= self.below)
        )

    def __str__(self) -> str:
        named = (("at least", self.at_least), ("above", self.above), ("at most", self.at_most), ("below", self.below))
        return " and ".join(f"{name} {bound:f}" for name, bound in named if bound is not None)


# Upper bounds keep an extra digit from becoming a date beyond the calendar, far from the file that holds it.
PERCENT = Bounds(at_least=Decimal(0), at_most=Decimal(100))
SHARE = Bounds(above=Decimal(0), below=Decimal(1))
FACTOR = Bounds(above=Decimal(0), at_most=Decimal(1000))
COUNT = Bounds(at_least=Decimal(0), at_most=Decimal(10**9))
LIMIT = Bounds(at_least=Decimal(1), at_most=Decimal(10**9))
CAPACITY = Bounds(at_least=Decimal(1), at_most=Decimal(10**9))
SECONDS = Bounds(above=Decimal(0), at_most=Decimal(86_400))
OFFSET_HOURS = Bounds(at_least=Decimal(0), at_most=Decimal(168))
HOURS = Bounds(at_least=Decimal(1), at_most=Decimal(1000))
DAYS = Bounds(at_least=Decimal(1), at_most=Decimal(3650))
DAYS_OR_NONE = Bounds(at_least=Decimal(0), at_most=Decimal(3650))
WEEKS = Bounds(at_least=Decimal(1), at_most=Decimal(520))
# A grade lies between its scores, and must fit its published column.
SCORE = Bounds(at_least=Decimal(-1_000_000), at_most=Decimal(1_000_000))


@dataclass(frozen=True)
class Column:
    """One column of a file. `one_of` is a closed set."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = True
    one_of: tuple[str, ...] = ()
    bounds: Bounds | None = None


@dataclass(frozen=True)
class ConfigFile:
    """One configuration file.

    unique: sets of columns of which no two rows may hold the same values; where rows have a validity, on the same
        day. The empty set: one row at a time.
    named_by: a column of which a home's file replaces only the rows that it names; else it replaces the default as a
        whole.
    complete: a column of which every value of its closed set must be there, but those of `optional`.
    is_history: a week also follows the rows that held before it was calculated, and from when to when they did.
    is_of_weeks: each row is about the week of its `week_start`, and concerns no other.
    counts_after: a column of instants; a row concerns the weeks that are calculated after it.
    """

    stem: str
    columns: tuple[Column, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    named_by: str = ""
    complete: str | None = None
    optional: tuple[str, ...] = ()
    is_history: bool = False
    is_of_weeks: bool = False
    counts_after: str = ""

    @property
    def name(self) -> str:
        return f"{self.stem}.csv"

    @property
    def default_path(self) -> Path:
        """The file that holds unless the home has one of the same name."""
        folder = "expectations" if self.stem.startswith("gate_") else "dbt_project/seeds"
        return _PROJECT / folder / self.name

    @property
    def is_dated(self) -> bool:
        """Whether rows hold from valid_from (inclusive) to valid_to (exclusive, empty = open)."""
        return any(column.name == "valid_from" for column in self.columns)

    @property
    def sql_types(self) -> dict[str, str]:
        """The columns of its table in the warehouse, in their order, and DuckDB's type of each."""
        return {
            column.name: column.kind.value if column.kind.value in _STORED_TYPES else TEXT_TYPE
            for column in self.columns
        }

    def column(self, name: str) -> Column:
        """The declared column of that name."""
        return next(column for column in self.columns if column.name == name)


# The keys of settings.csv and how the value of each is read.
SETTINGS = {
    "reporting_timezone": Column("value", Kind.ZONE),
    "calculation_offset_hours": Column("value", Kind.WHOLE, bounds=OFFSET_HOURS),
    "small_sample": Column("value", Kind.WHOLE, bounds=COUNT),
    "grade_window_days": Column("value", Kind.WHOLE, bounds=DAYS),
    "availability_slo": Column("value", Kind.DECIMAL, bounds=SHARE),
    "latency_slo_seconds": Column("value", Kind.DECIMAL, bounds=SECONDS),
    "peak_multiplier": Column("value", Kind.DECIMAL, bounds=FACTOR),
    "publish_within_hours": Column("value", Kind.WHOLE, bounds=HOURS),
    "keep_runs_days": Column("value", Kind.WHOLE, bounds=DAYS),
}
# Those that may be named there, too; their defaults are those of InputLimits.
LIMIT_SETTINGS = {limit.name: Column("value", Kind.WHOLE, bounds=LIMIT) for limit in fields(InputLimits)}
# No figure and no verdict of a week follows from these.
OPERATING_SETTINGS = ("publish_within_hours", "keep_runs_days", *LIMIT_SETTINGS)

_VALIDITY = (Column("valid_from", Kind.DATE), Column("valid_to", Kind.DATE, required=False))

FILES = (
    ConfigFile(
        "settings",
        (Column("key", one_of=(*SETTINGS, *LIMIT_SETTINGS)), Column("value")),
        unique=(("key",),),
        named_by="key",
    ),
    ConfigFile(
        "failure_reasons",
        (
            Column("flow", one_of=("acceptance", "manifestation")),
            Column("failure_reason"),
            Column("l2_category"),
            Column("is_oms_fault", Kind.BOOLEAN),
        ),
        unique=(("flow", "failure_reason"),),
    ),
    ConfigFile(
        "reason_classes",
        (
            Column("kind", one_of=("cancellation", "failed_delivery")),
            Column("reason"),
            Column("class", one_of=("sla_breach", "seller_fault", "out_of_stock", "rejected_by_customer")),
        ),
        unique=(("kind", "reason", "class"),),
    ),
    ConfigFile(
        "kpi_periods",
        (Column("kpi_id", one_of=PERIOD_KPIS), Column("period_days", Kind.WHOLE, bounds=DAYS)),
        unique=(("kpi_id",),),
    ),
    # The ranges of weights, min and max are checked with the grade, so that a message can name the metric.
    ConfigFile(
        "grade_weights",
        (Column("metric_id", one_of=GRADE_METRICS), Column("weight", Kind.DECIMAL), *_VALIDITY),
        unique=(("metric_id",),),
    ),
    ConfigFile(
        "grade_bands",
        (
            Column("metric_id", one_of=GRADE_METRICS),
            Column("min", Kind.DECIMAL),
            Column("max", Kind.DECIMAL),
            Column("score", Kind.DECIMAL, bounds=SCORE),
            *_VALIDITY,
        ),
    ),
    ConfigFile(
        "grade_cancellation_reasons",
        (Column("cancellation_reason"), *_VALIDITY),
        unique=(("cancellation_reason",),),
    ),
    ConfigFile(
        "grade_tiers",
        (
            Column("tier"),
            Column("min_grade", Kind.DECIMAL),
            Column("visibility_adjustment", Kind.DECIMAL),
            Column("fee_adjustment", Kind.DECIMAL),
            *_VALIDITY,
        ),
        unique=(("tier",), ("min_grade",)),
    ),
    ConfigFile(
        "ovl_policy",
        (
            *_VALIDITY,
            Column("time_zone", Kind.ZONE),
            Column("holiday_calendar"),
            Column("workdays", Kind.WORKDAYS),
            Column("workday_start", Kind.TIME),
            Column("workday_end", Kind.TIME),
            Column("confirm_working_hours", Kind.WHOLE, bounds=HOURS),
            Column("handover_working_days", Kind.WHOLE, bounds=DAYS),
            Column("max_cancellation_rate", Kind.DECIMAL, bounds=PERCENT),
            Column("min_on_time_rate", Kind.DECIMAL, bounds=PERCENT),
            Column("more_than_orders", Kind.WHOLE, bounds=COUNT),
            Column("more_than_days", Kind.WHOLE, bounds=DAYS_OR_NONE),
            Column("lookback_weeks", Kind.WHOLE, bounds=WEEKS),
            Column("factor", Kind.DECIMAL, bounds=FACTOR),
            Column("recovery_weeks", Kind.WHOLE, bounds=WEEKS),
            Column("release_after_weeks", Kind.WHOLE, bounds=WEEKS),
        ),
        unique=((),),
        is_history=True,
    ),
    ConfigFile(
        "holidays",
        (Column("calendar"), Column("date", Kind.DATE), Column("name", required=False)),
        unique=(("calendar", "date"),),
    ),
    ConfigFile(
        "oms_capacity",
        (Column("oms_client"), Column("tested_hourly_calls", Kind.WHOLE, bounds=CAPACITY)),
        unique=(("oms_client",),),
    ),
    ConfigFile(
        "metric_catalog",
        (
            Column("metric_id", one_of=METRICS),
            Column("family", one_of=FAMILIES),
            Column("setup_name"),
            Column("seller_name"),
            Column("export_name"),
            Column("unit"),
            Column("minimum", Kind.DECIMAL, required=False),
            Column("maximum", Kind.DECIMAL, required=False),
            Column("direction", one_of=("high", "low", "neutral")),
            Column("formula"),
            Column("description"),
        ),
        unique=(("metric_id",),),
        complete="metric_id",
        optional=READINESS_METRICS,
    ),
    ConfigFile(
        "gate_rules",
        (
            Column("rule_id", one_of=GATE_RULES),
            Column("severity", one_of=("error", "warning")),
            Column("lower", Kind.DECIMAL, required=False),
            Column("upper", Kind.DECIMAL, required=False),
            Column("set_on", Kind.DATE),
            Column("reason"),
        ),
        unique=(("rule_id",),),
        named_by="rule_id",
    ),
    ConfigFile(
        "gate_waivers",
        (
            Column("rule_id", one_of=GATE_RULES),
            Column("scope"),
            Column("week_start", Kind.DATE),
            Column("reason"),
            Column("approved_by"),
            Column("valid_until", Kind.DATE),
        ),
        unique=(("rule_id", "scope", "week_start"),),
        is_of_weeks=True,
    ),
    ConfigFile(
        "incidents",
        (
            Column("incident_id"),
            Column("oms_client"),
            Column("starts_at", Kind.INSTANT),
            Column("ends_at", Kind.INSTANT),
            Column("title"),
            Column("decided_by"),
            Column("decided_on", Kind.DATE),
        ),
        unique=(("incident_id",),),
        counts_after="starts_at",
    ),
)
FILES_BY_STEM = {file.stem: file for file in FILES}
