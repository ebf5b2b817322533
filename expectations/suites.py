"""The suite that the profile of a run's weeks must meet, made from the rules. Not here: bounds (gate_rules.csv),
measuring (dbt).

What a rule observed stands in the column of the judged frame that is called as the rule is:

    week_start  rule_id    scope     ran  note      weights  files_...  days_...
    2026-01-05  weights    all       yes               99.0        nan       nan   outside 100 to 100: fails
    2026-01-05  files_...  products  yes  no files      nan        nan       nan   nothing to judge: passes
    2026-01-12  days_...   oms_logs  no                 nan        nan       nan   required, not measured: fails
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import great_expectations.expectations as gxe
from great_expectations import ExpectationSuite
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.rules import Rule

SUITE_NAME = "gate"

WEEK, RULE, SCOPE, RAN, NOTE = "week_start", "rule_id", "scope", "ran", "note"
#: What names a row.
INDEX = (WEEK, RULE, SCOPE)
YES, NO = "yes", "no"

WITHIN_BOUNDS, EVERY_RULE_RAN, MEASURED_ONCE = "within_bounds", "every_rule_ran", "measured_once"


def gate_suite(rules: Sequence[Rule]) -> ExpectationSuite:
    """One expectation for each rule with a bound, and two that say the profile is complete."""
    suite = ExpectationSuite(name=SUITE_NAME, meta={"about": "Profile of a run's weeks; each error rule must pass."})
    for rule in rules:
        if rule.lower is not None or rule.upper is not None:
            suite.add_expectation(within_bounds(rule))
    suite.add_expectation(every_rule_ran())
    suite.add_expectation(measured_once())
    return suite


def within_bounds(rule: Rule) -> gxe.ExpectColumnValuesToBeBetween:
    """What a rule observed is within its bounds, the bounds themselves included; no value is nothing to judge."""
    text = f"{rule.rule_id} ({rule.severity}): {rule.permitted}. Set {rule.set_on}: {rule.reason}"
    return gxe.ExpectColumnValuesToBeBetween(
        column=rule.rule_id,
        min_value=rule.lower,
        max_value=rule.upper,
        severity=FailureSeverity.CRITICAL if rule.severity == "error" else FailureSeverity.WARNING,
        description=escape(text, quote=False),  # Data Docs take it for HTML,
        meta={
            "check": WITHIN_BOUNDS,
            "rule_id": rule.rule_id,
            "severity": rule.severity,
            "set_on": str(rule.set_on),
            "reason": rule.reason,
        },
    )


def every_rule_ran() -> gxe.ExpectColumnValuesToBeInSet:
    """Every rule that is required for a week was measured: a rule that didn't run counts as failed."""
    return gxe.ExpectColumnValuesToBeInSet(
        column=RAN,
        value_set=[YES],
        description="Every rule that is required for a week ran.",
        meta={"check": EVERY_RULE_RAN},
    )


def measured_once() -> gxe.ExpectCompoundColumnsToBeUnique:
    """A rule has one figure per week and scope: with two, it would be luck which one is published."""
    return gxe.ExpectCompoundColumnsToBeUnique(
        column_list=list(INDEX),
        description="Every rule was measured once for each week and scope.",
        meta={"check": MEASURED_ONCE},
    )
