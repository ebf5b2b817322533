"""Waivers: failures of the gate that withhold no week, and who takes responsibility."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from orchestration.gate import messages
from orchestration.gate.verdict import GateReport, RuleResult, Waiver


def with_waivers(report: GateReport, waivers: Iterable[Waiver], today: date) -> GateReport:
    """The report with those waivers that count today; a waived result still hasn't passed, and says so."""
    valid = {_waived(waiver): waiver for waiver in waivers if today <= waiver.valid_until}
    counting = {
        _waived(result): valid[_waived(result)]
        for result in report.results
        if result.is_withholding and _waived(result) in valid
    }
    results = [
        replace(result, message=messages.waived(result.message, waiver), is_withholding=False)
        if (waiver := counting.get(_waived(result)))
        else result
        for result in report.results
    ]
    return replace(report, results=results, waivers=tuple(counting.values()))


def _waived(what: RuleResult | Waiver) -> tuple[date, str, str]:
    """What a waiver is for, and what it is looked up by."""
    return what.week_start, what.rule_id, what.scope
