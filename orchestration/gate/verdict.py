"""What goes into the gate and what comes out, as plain picklable values. Not here: judging, the words of messages."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from orchestration.errors import MetricStoreError
from orchestration.gate import messages

Severity = Literal["error", "warning"]

# Rule ids are put into Great Expectations' row conditions, so nothing that could need quoting is let in.
_RULE_ID = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class GateError(MetricStoreError, RuntimeError):
    """The gate couldn't give a verdict, so nothing may be published."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of gate_rules.csv. A bound belongs to the permitted range; None is no bound."""

    rule_id: str
    severity: Severity
    lower: float | None
    upper: float | None
    set_on: date
    reason: str

    def __post_init__(self) -> None:
        if not _RULE_ID.fullmatch(self.rule_id):
            raise ValueError(f"rule id {self.rule_id!r}: use lower-case letters, digits and underscores")
        if self.severity not in get_args(Severity):
            raise ValueError(f"rule {self.rule_id}: severity {self.severity!r} is neither error nor warning")
        for side in ("lower", "upper"):
            bound = getattr(self, side)
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"rule {self.rule_id}: {side} is {bound}, not a number; leave it out for no bound")
            object.__setattr__(self, side, None if bound is None else float(bound))  # decimals of the configuration
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"rule {self.rule_id}: lower {self.lower} is greater than upper {self.upper}")


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
    """The verdict on one rule and scope of one week: a row of fct_data_quality_week."""

    week_start: date
    rule_id: str
    scope: str
    severity: Severity
    passed: bool
    observed: float | None
    lower: float | None
    upper: float | None
    message: str

    @property
    def withholds(self) -> bool:
        return not self.passed and self.severity == "error"


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

    waivers: those that count, of results that would withhold their week.
    """

    weeks: Sequence[date]
    results: Sequence[RuleResult]
    waivers: Sequence[Waiver] = ()

    def with_waivers(self, waivers: Iterable[Waiver], today: date) -> GateReport:
        """This report with those waivers that count today; a waived result still hasn't passed, and says so."""
        valid = {_waived(waiver): waiver for waiver in waivers if today <= waiver.valid_until}
        counting = {_waived(result): valid[_waived(result)] for result in self._failing if _waived(result) in valid}
        results = [
            replace(result, message=messages.waived(result.message, counting[_waived(result)]))
            if _waived(result) in counting
            else result
            for result in self.results
        ]
        return replace(self, results=results, waivers=tuple(counting.values()))

    @property
    def _failing(self) -> list[RuleResult]:
        return [result for result in self.results if result.withholds]

    def is_waived(self, result: RuleResult) -> bool:
        """Whether a result that would withhold its week doesn't."""
        return _waived(result) in {_waived(waiver) for waiver in self.waivers}

    def blocking(self, week: date) -> list[RuleResult]:
        """The results for which a week is withheld; asking for a week that wasn't judged is an error, never a pass."""
        if week not in self.weeks:
            raise ValueError(f"week {week} wasn't judged")
        return [result for result in self._failing if result.week_start == week and not self.is_waived(result)]

    def withheld(self, week: date) -> bool:
        return bool(self.blocking(week))

    @property
    def publishable_weeks(self) -> list[date]:
        return [week for week in self.weeks if not self.withheld(week)]

    @property
    def withheld_weeks(self) -> list[date]:
        return [week for week in self.weeks if self.withheld(week)]


def _waived(what: RuleResult | Waiver) -> tuple[date, str, str]:
    """What a waiver is for, and what it is looked up by."""
    return what.week_start, what.rule_id, what.scope
