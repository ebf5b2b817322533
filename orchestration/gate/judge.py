"""Has Great Expectations judge the profile of a run's weeks. Not here: bounds and comparisons.

Slow to import: a run does it in a thread while files land.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier

from expectations.rules import Rule
from expectations.suites import EVERY_RULE_RAN, INDEX, MEASURED_ONCE, WITHIN_BOUNDS, gate_suite
from orchestration.gate import messages
from orchestration.gate.context import add_checkpoint, build_data_docs, open_context
from orchestration.gate.frames import WeekProfile, frame_of, week_profiles
from orchestration.gate.verdict import GateError, GateReport, ProfileRow, RequiredRow, RuleResult
from orchestration.home.layout import Home

# Rows (week, rule, scope) that an expectation found wrong, by the expectation's `check`.
_Unexpected = dict[str, set[tuple[str, str, str]]]


def judge(
    home: Home,
    weeks: Sequence[date],
    profile: Sequence[ProfileRow],
    rules: Sequence[Rule],
    required: Sequence[RequiredRow],
) -> GateReport:
    """The verdict on each week; the validation, named by the first and the last of them, is added to Data Docs."""
    profiles = week_profiles(weeks, profile, rules, required)
    first, last = profiles[0].week_start, profiles[-1].week_start
    # Data Docs reads this name as an instant where it can, and "2026-11-02..2026-11-30" as one of a zone that isn't.
    named = f"{first}_{last}" if first < last else str(first)
    context = open_context(home)
    outcome = add_checkpoint(context, gate_suite(rules)).run(
        batch_parameters={"dataframe": frame_of(profiles, rules)},
        run_id=RunIdentifier(run_name=named, run_time=datetime.now(UTC)),
    )
    [(validation, found)] = outcome.run_results.items()
    unexpected = _unexpected(named, found)
    build_data_docs(home, context, validation)
    return GateReport(
        weeks=tuple(week.week_start for week in profiles),
        results=tuple(result for week in profiles for result in _verdict(week, rules, unexpected)),
    )


def _unexpected(weeks: str, validation: ExpectationSuiteValidationResult) -> _Unexpected:
    """What Great Expectations found wrong. An expectation that failed without naming a row gives no verdict at all."""
    found: _Unexpected = {WITHIN_BOUNDS: set(), EVERY_RULE_RAN: set(), MEASURED_ONCE: set()}
    for result in validation.results:
        if result.success:
            continue
        config = result.expectation_config
        meta = (config.meta if config else None) or {}
        rows = result.result.get("unexpected_index_list")
        if not rows:
            reason = (result.exception_info or {}).get("exception_message") or "no row is named"
            name = meta.get("rule_id") or meta.get("check")
            raise GateError(f"Great Expectations couldn't judge {name} of {weeks}: {reason}")
        for row in rows:
            week, rule, scope = (row[name] for name in INDEX)
            found[meta["check"]].add((week, rule, scope))
    return found


def _verdict(week: WeekProfile, rules: Sequence[Rule], unexpected: _Unexpected) -> list[RuleResult]:
    by_id = {rule.rule_id: rule for rule in rules}
    position = {rule.rule_id: number for number, rule in enumerate(rules)}
    times = Counter((row.rule_id, row.scope) for row in week.rows)
    measured = {(row.rule_id, row.scope): row for row in week.rows}
    keys = sorted({*measured, *week.missing}, key=lambda key: (position[key[0]], key[1]))
    return [_result(week.week_start, by_id[key[0]], key[1], measured.get(key), times[key], unexpected) for key in keys]


def _result(
    week_start: date, rule: Rule, scope: str, row: ProfileRow | None, times: int, unexpected: _Unexpected
) -> RuleResult:
    key = (str(week_start), rule.rule_id, scope)
    passed = not any(key in rows for rows in unexpected.values())
    observed = None if row is None or row.observed is None else float(row.observed)
    note = row.note if row else None
    if key in unexpected[MEASURED_ONCE]:
        message, observed = messages.repeated(rule.rule_id, scope, times), None
    elif key in unexpected[EVERY_RULE_RAN]:
        message, observed = messages.did_not_run(rule.rule_id, scope, observed), None
    elif key in unexpected[WITHIN_BOUNDS]:
        assert observed is not None  # Great Expectations leaves out rows without a value
        message = messages.failed(rule, scope, observed, note)
        if rule.rule_id == "restatement_size":  # readers have the figures: somebody has to answer for either way
            message += f"; {messages.waiver_line(rule.rule_id, scope, week_start)}"
    else:
        message = messages.passed(rule, observed, note)
    return RuleResult(
        week_start=week_start,
        rule_id=rule.rule_id,
        scope=scope,
        severity=rule.severity,
        passed=passed,
        observed=observed,
        lower=rule.lower,
        upper=rule.upper,
        message=message,
        is_withholding=not passed and rule.severity == "error",
    )
