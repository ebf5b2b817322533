"""Inputs and outputs of the gate as plain values. Not here: validation, and the texts of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from expectations.rules import Severity
from metric_store.errors import MetricStoreError


class GateError(MetricStoreError, RuntimeError):
    """The gate couldn't give a verdict, so nothing may be published."""


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One judged quantity. `observed` None: nothing to judge, and `note` says why. NaN: it wasn't measured."""

    week_start: date
    rule_id: str
    scope: str
    observed: float | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RequiredRow:
    """A rule that must have run for a week; without a scope, at least once."""

    week_start: date
    rule_id: str
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The verdict on one rule and scope of one week: a row of fct_data_quality_week.

    is_withholding: the week may not be published because of it. Nothing else decides that.
    """

    week_start: date
    rule_id: str
    scope: str
    severity: Severity
    passed: bool
    observed: float | None
    lower: float | None
    upper: float | None
    message: str
    is_withholding: bool


@dataclass(frozen=True, slots=True)
class Waiver:
    """One line of gate_waivers.csv: a week may be published though this rule fails for this scope.

    It counts for what is built up to `valid_until`, that day included; what was published stays published.
    """

    rule_id: str
    scope: str
    week_start: date
    reason: str
    approved_by: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class GateReport:
    """The verdict on all weeks of a run. Results are in the order of week, rule (as configured) and scope.

    waivers: those by which a result doesn't withhold its week.
    """

    weeks: Sequence[date]
    results: Sequence[RuleResult]
    waivers: Sequence[Waiver] = ()

    def blocking(self, week: date) -> list[RuleResult]:
        """The results for which a week is withheld; asking for a week that wasn't judged is an error, never a pass."""
        if week not in self.weeks:
            raise ValueError(f"week {week} wasn't judged")
        return [result for result in self.results if result.week_start == week and result.is_withholding]

    def withheld_by(self, week: date) -> list[str]:
        """The ids of the rules that withhold a week, sorted."""
        return sorted({result.rule_id for result in self.blocking(week)})

    @property
    def publishable_weeks(self) -> list[date]:
        return [week for week in self.weeks if not self.blocking(week)]

    @property
    def withheld_weeks(self) -> list[date]:
        return [week for week in self.weeks if self.blocking(week)]
