"""The gate: hands the profile to Great Expectations, keeps the verdict, and shows each rule as an asset check.

The checks show; they don't decide. Publication looks up each week's verdict itself, because a check over a range of
weeks can only pass or fail as a whole.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
)

from orchestration.assets.landing import OWNERS
from orchestration.configuration import Configuration
from orchestration.configuration.ids import GATE_RULES
from orchestration.gate import GateReport, ProfileRow, RequiredRow, Rule, RuleResult, Waiver, data_docs_index
from orchestration.resources import MetricStoreResource
from orchestration.warehouse import read_rows, run_weeks, write_verdicts
from orchestration.weeks import in_words

GATE = AssetKey("gate")


@asset(
    key=GATE,
    deps=[AssetKey(["quality", "gate_profile"]), AssetKey(["quality", "gate_required_scopes"])],
    group_name="gate",
    owners=OWNERS,
    kinds={"greatexpectations"},
    pool="metric_store_writer",
    check_specs=[
        AssetCheckSpec(name=rule, asset=GATE, description=f"Rule {rule} of the gate, over all weeks of the run.")
        for rule in GATE_RULES
    ],
    description=(
        "The verdict on every week of the run: Great Expectations judges the profile that dbt made. A week is "
        "published only if every rule of severity error ran and passed for it."
    ),
)
def gate(context: AssetExecutionContext, store: MetricStoreResource) -> MaterializeResult:
    weeks = [row[0] for row in run_weeks(store.place)]
    report = judge(store, weeks).with_waivers(waivers(store.configuration), store.clock.date())
    write_verdicts(
        store.place,
        (
            (r.week_start, r.rule_id, r.scope, r.severity, r.passed, r.observed, r.lower, r.upper, r.message)
            for r in report.results
        ),
        ((w.week_start, w.rule_id, w.scope, w.reason, w.approved_by, w.valid_until) for w in report.waivers),
        {week: not report.withheld(week) for week in weeks},
    )
    for waiver in report.waivers:
        context.log.warning(f"{waiver.week_start}: {waiver.rule_id} of {waiver.scope} is waived: {waiver.reason}")
    for week in report.withheld_weeks:
        for result in report.blocking(week):
            context.log.warning(f"{week} is withheld: {result.message}")
    return MaterializeResult(
        metadata={
            "publishable": in_words(report.publishable_weeks) or "none",
            "withheld": in_words(report.withheld_weeks) or "none",
            "waived": in_words({waiver.week_start for waiver in report.waivers}) or "none",
            "data_docs": MetadataValue.path(str(data_docs_index(store.place))),
        },
        check_results=list(_check_results(report)),
    )


def judge(store: MetricStoreResource, weeks: list[date]) -> GateReport:
    """The gate's report on the profile of the run in progress."""
    configured = "semi join config.gate_rules using (rule_id)"  # some rules may be left out
    measured = f"select week_start, rule_id, scope, observed, note from quality.gate_profile {configured}"
    required = f"select week_start, rule_id, scope from quality.gate_required_scopes {configured}"
    return store.gate.judge(
        weeks,
        [ProfileRow(**row) for row in read_rows(store.place, measured)],
        rules(store.configuration),
        [RequiredRow(**row) for row in read_rows(store.place, required)],
    )


def rules(configuration: Configuration) -> list[Rule]:
    """The rules of gate_rules.csv."""
    records: list[dict[str, Any]] = configuration.records("gate_rules")
    return [Rule(**record) for record in records]


def waivers(configuration: Configuration) -> list[Waiver]:
    """The waivers of gate_waivers.csv, those that have ended too."""
    records: list[dict[str, Any]] = configuration.records("gate_waivers")
    return [Waiver(**record) for record in records]


def _check_results(report: GateReport) -> Iterator[AssetCheckResult]:
    for rule in GATE_RULES:
        results = [result for result in report.results if result.rule_id == rule]
        broken = [result for result in results if not result.passed]
        withholding = [result for result in broken if result.severity == "error" and not report.is_waived(result)]
        error = any(result.severity == "error" for result in results) and (bool(withholding) or not broken)
        yield AssetCheckResult(
            check_name=rule,
            passed=not broken,
            severity=AssetCheckSeverity.ERROR if error else AssetCheckSeverity.WARN,
            description="; ".join(result.message for result in broken[:3]) or None,
            metadata=_check_metadata(results, broken),
        )


def _check_metadata(results: list[RuleResult], broken: list[RuleResult]) -> dict[str, Any]:
    columns = ("week_start", "scope", "observed", "lower", "upper", "message")
    shown = (broken or results)[:100]
    return {
        "judged": len(results),
        "broken": len(broken),
        "weeks": in_words({result.week_start for result in broken}) or "none",
        "results": MetadataValue.table(
            records=[TableRecord({name: str(getattr(result, name)) for name in columns}) for result in shown],
            schema=TableSchema([TableColumn(name, "string") for name in columns]),
        ),
    }
