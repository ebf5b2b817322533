"""The gate: hands the profile to Great Expectations, keeps the verdict, and shows each rule as an asset check.

The checks show; they don't decide. Publication looks up each week's verdict itself, because a check over a range of
weeks can only pass or fail as a whole.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from dagster import (
    AssetCheckEvaluation,
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

from expectations.rules import Rule
from metric_store.words import in_words
from orchestration.assets.owners import OWNERS
from orchestration.configuration import Configuration
from orchestration.configuration.ids import GATE_RULES
from orchestration.gate.verdict import GateReport, ProfileRow, RequiredRow, RuleResult, Waiver
from orchestration.gate.waivers import with_waivers
from orchestration.resources import MetricStoreResource
from orchestration.transform import steps
from orchestration.transform.warehouse import read_rows, write_verdicts
from orchestration.weeks.partitions import weeks_of

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
    prepared = steps.begin(store.place, store.configuration, weeks_of(context.run), "gate")
    weeks = [week.week_start for week in prepared]
    report = with_waivers(judged(store, weeks), waivers(store.configuration), store.clock.date())
    write_verdicts(store.place, report)
    for waiver in report.waivers:
        context.log.warning(f"{waiver.week_start}: {waiver.rule_id} of {waiver.scope} is waived: {waiver.reason}")
    for week in weeks:
        for result in report.blocking(week):
            context.log.warning(f"{week} is withheld: {result.message}")
    of_weeks = [_of_week(check, week) for week in weeks for check in _check_results(report, [week])]
    # Dagster's list of checks shows the state of the last event: of a rule that failed in any week, that one.
    for check in sorted(of_weeks, key=lambda check: not check.passed):
        context.log_event(check)
    steps.done(store.place, "gate")
    return MaterializeResult(
        metadata={
            "publishable": in_words(report.publishable_weeks) or "none",
            "withheld": in_words(report.withheld_weeks) or "none",
            "waived": in_words({waiver.week_start for waiver in report.waivers}) or "none",
            "data_docs": MetadataValue.path(str(store.place.data_docs_index)),
        },
        check_results=list(_check_results(report, weeks)),
    )


def judged(store: MetricStoreResource, weeks: list[date]) -> GateReport:
    """The gate's report on the profile of the run in progress."""
    measured = "select week_start, rule_id, scope, observed, note from quality.gate_profile"
    required = "select week_start, rule_id, scope from quality.gate_required_scopes"
    from orchestration.gate.judge import judge  # Great Expectations: seconds, which loading the definitions can spare

    return judge(
        store.place,
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


def _check_results(report: GateReport, weeks: list[date]) -> Iterator[AssetCheckResult]:
    """One result for each rule, over these weeks."""
    for rule in GATE_RULES:
        results = [result for result in report.results if result.rule_id == rule and result.week_start in weeks]
        broken = [result for result in results if not result.passed]
        is_error = any(result.is_withholding for result in broken)
        yield AssetCheckResult(
            check_name=rule,
            asset_key=GATE,
            passed=not broken,
            severity=AssetCheckSeverity.ERROR if is_error or not broken else AssetCheckSeverity.WARN,
            description="; ".join(result.message for result in broken[:3]) or None,
            metadata=_check_metadata(results, broken),
        )


def _of_week(check: AssetCheckResult, week: date) -> AssetCheckEvaluation:
    """The same as the event of one week: a step itself can yield one result for a check."""
    assert check.asset_key is not None
    assert check.check_name is not None
    return AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.check_name,
        passed=check.passed,
        metadata=check.metadata,
        severity=check.severity,
        description=check.description,
        partition=week.isoformat(),
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
