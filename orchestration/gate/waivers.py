"""Waivers: failures of the gate that withhold no week, and who takes responsibility."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from orchestration.gate import messages
from orchestration.gate.verdict import GateReport, RuleResult, Waiver


def with_waivers(report: GateReport, waivers: Iterable[Waiver], today: date) -> GateReport:
    """The report with those waivers that count today; a waived result still hasn't passed, and says so.

    A result that withholds its week says, too, why a waiver of its rule and week doesn't count.
    """
    waivers = sorted(waivers, key=lambda waiver: waiver.valid_until)
    valid = {_waived(waiver): waiver for waiver in waivers if today <= waiver.valid_until}
    others = {(waiver.week_start, waiver.rule_id): waiver for waiver in waivers}
    counting = {
        _waived(result): valid[_waived(result)]
        for result in report.results
        if result.is_withholding and _waived(result) in valid
    }

    def judged(result: RuleResult) -> RuleResult:
        if waiver := counting.get(_waived(result)):
            return replace(result, message=messages.waived(result.message, waiver), is_withholding=False)
        if result.is_withholding and (other := others.get((result.week_start, result.rule_id))):
            return replace(result, message=messages.not_waived(result.message, result.scope, other))
        return result

    results = [judged(result) for result in report.results]
    return replace(report, results=results, waivers=tuple(counting.values()))


def _waived(what: RuleResult | Waiver) -> tuple[date, str, str]:
    """What a waiver is for, and what it is looked up by."""
    return what.week_start, what.rule_id, what.scope
