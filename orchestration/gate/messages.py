"""The messages of a verdict, for analysts. Not here: deciding what passed, which Great Expectations does."""

from __future__ import annotations

from datetime import date

from expectations.rules import Rule
from orchestration.gate.verdict import Waiver


def passed(rule: Rule, observed: float | None, note: str | None) -> str:
    if observed is None:
        return note or "nothing to judge"
    text = f"{_number(observed)}, permitted {rule.permitted}"
    return _with_note(text, note)


def failed(rule: Rule, scope: str, observed: float, note: str | None) -> str:
    subject = f"{_subject(rule.rule_id, scope)} is {_number_beyond(rule, observed)}"
    is_range = None not in (rule.lower, rule.upper) and rule.lower != rule.upper
    where = f"outside {rule.permitted}" if is_range else f"should be {rule.permitted}"
    return _with_note(f"{subject}, {where} (set {rule.set_on}: {rule.reason.rstrip('. ')})", note)


def waiver_line(rule_id: str, scope: str, week_start: date) -> str:
    """What would let a failed result through: a line of gate_waivers.csv, to be filled in."""
    return f"to let it through, add to config/gate_waivers.csv: {rule_id},{scope},{week_start},REASON,NAME,VALID_UNTIL"


def did_not_run(rule_id: str, scope: str, observed: float | None) -> str:
    """`observed` is what was measured in place of a number: not a number, or infinite."""
    happened = "wasn't measured for this week" if observed is None else f"gave {observed} instead of a number"
    return f"did not run: {_subject(rule_id, scope)} {happened}"


def repeated(rule_id: str, scope: str, times: int) -> str:
    return f"{_subject(rule_id, scope)} was measured {times} times for this week, so none of them counts"


def waived(failed: str, waiver: Waiver) -> str:
    """A failure, with why and for how long it doesn't withhold the week."""
    reason = waiver.reason.rstrip(". ")
    return f"{failed}; waived until {waiver.valid_until} by {waiver.approved_by}: {reason}"


def not_waived(failed: str, scope: str, waiver: Waiver) -> str:
    """A failure with a waiver of its rule and week that doesn't count: it has ended, or is for another scope."""
    if waiver.scope == scope:
        return f"{failed}; its waiver counted until {waiver.valid_until}"
    return f"{failed}; config/gate_waivers.csv has a waiver of {waiver.rule_id} for {waiver.scope}, which isn't {scope}"


def _subject(rule_id: str, scope: str) -> str:
    return rule_id if scope == "all" else f"{rule_id} of {scope}"


def _with_note(text: str, note: str | None) -> str:
    return f"{text}; {note}" if note else text


def _number(value: float, digits: int = 2) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.{digits}f}"


def _number_beyond(rule: Rule, value: float) -> str:
    """As many digits as it takes to see that the number is out of bounds: 60.004 isn't `60.00, outside 0 to 60`."""
    for digits in (2, 4, 8):
        text = _number(value, digits)
        shown = float(text)
        if (rule.lower is not None and shown < rule.lower) or (rule.upper is not None and shown > rule.upper):
            return text
    return repr(value)
