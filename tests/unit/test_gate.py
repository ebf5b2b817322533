"""The gate: bounds, rules that didn't run, severities, weeks apart from each other, and the process that judges."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.rules import Rule
from orchestration.gate.judge import judge as judge_profile
from orchestration.gate.verdict import GateReport, ProfileRow, RequiredRow, RuleResult, Waiver
from orchestration.gate.waivers import with_waivers
from orchestration.home.layout import Home

WEEK, NEXT_WEEK, THIRD_WEEK = date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16)
SET_ON = date(2026, 11, 21)

CLIENT = Rule("null_request_id_rate_client", "error", 0, 60, SET_ON, "One client may be worse than all.")
WEIGHTS = Rule("weights", "error", 100, 100, SET_ON, "Sum of the weights.")
KEYS = Rule("keys_unique", "error", 0, 0, SET_ON, "Number of repeated keys.")
AT_MOST = Rule("shift", "error", None, 5, SET_ON, "Points.")
AT_LEAST = Rule("days", "error", 7, None, SET_ON, "Days.")
UNBOUNDED = Rule("ran_at_all", "error", None, None, SET_ON, "It only has to run.")
VOLUME = Rule("volume_shift", "warning", 0.5, 2, SET_ON, "Times the mean.")
RULES = [CLIENT, WEIGHTS, KEYS, AT_MOST, AT_LEAST, UNBOUNDED, VOLUME]


@pytest.fixture(scope="session")
def gate_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("gate"))


def row(
    rule: Rule, observed: float | None, scope: str = "all", week: date = WEEK, note: str | None = None
) -> ProfileRow:
    return ProfileRow(week, rule.rule_id, scope, observed, note)


def judge(gate_home: Home, *rows: ProfileRow, required: Sequence[RequiredRow] = ()) -> GateReport:
    weeks = {row.week_start for row in rows} | {row.week_start for row in required}
    return judge_profile(gate_home, sorted(weeks), rows, RULES, required)


def by_scope(report: GateReport) -> dict[str, RuleResult]:
    return {result.scope: result for result in report.results}


def test_bounds_are_permitted_and_what_is_beyond_them_is_not(gate_home: Home) -> None:
    cases: list[tuple[Rule, dict[float, bool]]] = [
        (CLIENT, {0: True, 60: True, 31.4: True, -0.0001: False, 60.0001: False}),
        (WEIGHTS, {100: True, 99.99: False, 100.01: False}),
        (KEYS, {0: True, 1: False}),
        (AT_MOST, {5: True, 5.01: False, -1000: True}),
        (AT_LEAST, {7: True, 6: False, 1000: True}),
        (UNBOUNDED, {-1e12: True, 1e12: True}),
    ]
    expected = {(rule.rule_id, str(value)): passed for rule, values in cases for value, passed in values.items()}
    report = judge(gate_home, *(row(rule, value, str(value)) for rule, values in cases for value in values))
    assert {(result.rule_id, result.scope): result.passed for result in report.results} == expected
    assert report.blocking(WEEK)


def test_a_result_says_what_was_observed_and_permitted(gate_home: Home) -> None:
    report = judge(
        gate_home, row(CLIENT, 71.2, "easyecom"), row(CLIENT, 29.125, "uniware"), row(CLIENT, 60.004, "vinculum")
    )
    results = by_scope(report)
    assert results["easyecom"] == RuleResult(
        week_start=WEEK,
        rule_id="null_request_id_rate_client",
        scope="easyecom",
        severity="error",
        passed=False,
        observed=71.2,
        lower=0.0,
        upper=60.0,
        message="null_request_id_rate_client of easyecom is 71.20, outside 0 to 60"
        " (set 2026-11-21: One client may be worse than all)",
        is_withholding=True,
    )
    assert results["uniware"].message == "29.12, permitted 0 to 60"
    assert "is 60.0040, outside 0 to 60" in results["vinculum"].message
    assert report.blocking(WEEK) == [results["easyecom"], results["vinculum"]]


#: Rule, what it observed, and what is said of that.
MESSAGES = [
    (KEYS, 3, "keys_unique is 3, should be 0 (set 2026-11-21: Number of repeated keys); order_id"),
    (AT_MOST, 7.5, "shift is 7.50, should be at most 5 (set 2026-11-21: Points); order_id"),
    (AT_LEAST, 6, "days is 6, should be at least 7 (set 2026-11-21: Days); order_id"),
    (KEYS, 0, "0, permitted 0; order_id"),
    (UNBOUNDED, 1.5, "1.50, permitted any number; order_id"),
]


@pytest.fixture(scope="module")
def messages(gate_home: Home) -> list[str | None]:
    """What is said in as many weeks, judged together: each judgement starts Great Expectations anew."""
    weeks = [WEEK + timedelta(weeks=number) for number in range(len(MESSAGES))]
    rows = [row(rule, seen, week=week, note="order_id") for week, (rule, seen, _) in zip(weeks, MESSAGES, strict=True)]
    said = {result.week_start: result.message for result in judge(gate_home, *rows).results}
    return [said[week] for week in weeks]


@pytest.mark.parametrize("number", range(len(MESSAGES)))
def test_messages_suit_the_bounds(messages: list[str | None], number: int) -> None:
    assert messages[number] == MESSAGES[number][-1]


def test_nothing_to_judge_passes_with_its_note(gate_home: Home) -> None:
    rows = [row(CLIENT, None, note="no earlier week to compare with"), row(WEIGHTS, None)]
    report = judge(gate_home, *rows, required=[RequiredRow(WEEK, rule.rule_id) for rule in (CLIENT, WEIGHTS)])
    assert [(r.passed, r.observed, r.message) for r in report.results] == [
        (True, None, "no earlier week to compare with"),
        (True, None, "nothing to judge"),
    ]
    assert report.publishable_weeks == [WEEK]


def test_a_required_rule_that_did_not_run_fails(gate_home: Home) -> None:
    required = [
        RequiredRow(WEEK, "keys_unique"),
        RequiredRow(WEEK, "null_request_id_rate_client", "easyecom"),
        RequiredRow(WEEK, "null_request_id_rate_client", "uniware"),
        RequiredRow(WEEK, "null_request_id_rate_client"),
        RequiredRow(WEEK, "volume_shift"),
    ]
    report = judge(gate_home, row(CLIENT, 3, "uniware"), required=required)
    assert [(r.rule_id, r.scope, r.passed, r.observed) for r in report.results] == [
        ("null_request_id_rate_client", "easyecom", False, None),
        ("null_request_id_rate_client", "uniware", True, 3.0),
        ("keys_unique", "all", False, None),
        ("volume_shift", "all", False, None),
    ]
    assert [r.message for r in report.blocking(WEEK)] == [
        "did not run: null_request_id_rate_client of easyecom wasn't measured for this week",
        "did not run: keys_unique wasn't measured for this week",
    ]


def test_a_value_that_is_no_number_did_not_run(gate_home: Home) -> None:
    report = judge(gate_home, row(UNBOUNDED, float("nan"), "a"), row(UNBOUNDED, float("inf"), "b"))
    assert [result.message for result in report.blocking(WEEK)] == [
        "did not run: ran_at_all of a gave nan instead of a number",
        "did not run: ran_at_all of b gave inf instead of a number",
    ]
    assert [result.observed for result in report.results] == [None, None]


def test_a_rule_measured_twice_fails_once(gate_home: Home) -> None:
    report = judge(gate_home, row(KEYS, 0), row(KEYS, 0), row(KEYS, 0, "orders"))
    assert [(r.scope, r.passed) for r in report.results] == [("all", False), ("orders", True)]
    assert report.results[0].message == "keys_unique was measured 2 times for this week, so none of them counts"


def test_a_warning_fails_but_does_not_withhold(gate_home: Home) -> None:
    report = judge(gate_home, row(VOLUME, 2.5), row(KEYS, 0))
    assert [(r.rule_id, r.severity, r.passed) for r in report.results] == [
        ("keys_unique", "error", True),
        ("volume_shift", "warning", False),
    ]
    assert report.publishable_weeks == [WEEK]
    assert not report.blocking(WEEK)


def test_a_bad_week_does_not_touch_the_good_ones(gate_home: Home) -> None:
    weeks = [THIRD_WEEK, WEEK, NEXT_WEEK]
    rows = [row(KEYS, int(week == NEXT_WEEK), week=week) for week in weeks]
    report = judge_profile(gate_home, weeks, rows, RULES, [RequiredRow(week, "keys_unique") for week in weeks])
    assert list(report.weeks) == [WEEK, NEXT_WEEK, THIRD_WEEK]
    assert report.publishable_weeks == [WEEK, THIRD_WEEK]
    assert report.withheld_weeks == [NEXT_WEEK]


def test_scopes_are_data(gate_home: Home) -> None:
    scopes = ["O'Brien \" ; drop", "$PARAMETER", "{curly}", "`tick`", "@x", "a\\b\nc", "Điện tử 🚚", "<b>", "nan", " "]
    bad = scopes[::2]
    report = judge(gate_home, *(row(CLIENT, 61 if scope in bad else 1, scope) for scope in scopes))
    assert {result.scope for result in report.results} == set(scopes)
    assert {result.scope for result in report.results if not result.passed} == set(bad)


def test_decimals_are_numbers(gate_home: Home) -> None:
    rule = Rule("shift", "error", Decimal("0.00"), Decimal("5.00"), SET_ON, "Points.")  # type: ignore[arg-type]
    rows = [ProfileRow(WEEK, "shift", scope, Decimal(scope)) for scope in ("5.00", "5.01")]  # type: ignore[arg-type]
    results = judge_profile(gate_home, [WEEK], rows, [rule], []).results
    assert [(r.passed, r.observed, r.upper) for r in results] == [(True, 5.0, 5.0), (False, 5.01, 5.0)]
    assert "outside 0 to 5 (" in results[1].message


@pytest.mark.parametrize(
    ("rows", "required", "complaint"),
    [
        ([ProfileRow(WEEK, "unheard_of", "all", 0)], [], "'unheard_of' of week 2026-11-02 isn't among the gate rules"),
        ([], [RequiredRow(WEEK, "unheard_of")], "'unheard_of' of week 2026-11-02 isn't among the gate rules"),
        ([row(KEYS, 0, week=NEXT_WEEK)], [], "isn't a week to judge"),
        ([row(KEYS, 0, scope="")], [], "without a scope"),
        ([], [], "nothing would be judged"),
    ],
)
def test_input_that_cannot_be_meant_is_an_error(
    gate_home: Home, rows: list[ProfileRow], required: list[RequiredRow], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        judge_profile(gate_home, [WEEK], rows, RULES, required)


def test_a_rule_given_twice_is_an_error(gate_home: Home) -> None:
    with pytest.raises(ValueError, match="more than once"):
        judge_profile(gate_home, [WEEK], [row(KEYS, 0)], [KEYS, KEYS], [])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rule_id": "a' or 'b"}, "lower-case"),
        ({"severity": "fatal"}, "neither error nor warning"),
        ({"lower": 3, "upper": 2}, "greater than"),
        ({"upper": float("nan")}, "not a number"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error(change: dict[str, object], complaint: str) -> None:
    fields: dict[str, object] = {
        "rule_id": "r",
        "severity": "error",
        "lower": 0,
        "upper": 1,
        "set_on": SET_ON,
        "reason": "",
    }
    with pytest.raises(ValueError, match=complaint):
        Rule(**{**fields, **change})  # type: ignore[arg-type]


def test_a_week_that_was_not_judged_is_never_publishable() -> None:
    report = GateReport(weeks=[WEEK], results=[])
    with pytest.raises(ValueError, match="wasn't judged"):
        report.blocking(NEXT_WEEK)


def test_validations_are_kept_by_the_weeks_of_a_run_and_shown(tmp_path: Path) -> None:
    last = date(2026, 11, 30)  # "2026-11-02..2026-11-30" reads as an instant 30 hours west
    home = Home(tmp_path / "home with $money and 'quotes'")
    priced = Rule("keys_unique", "error", 0, 0, SET_ON, "Costs $5, ${not_a_name} & <b>more</b>.")
    rows = [row(KEYS, 1, "O'Brien <script>alert(1)</script>"), row(KEYS, 0, week=last)]
    judge_profile(home, [WEEK, last], rows, [priced], [])
    judge_profile(home, [WEEK], rows[:1], [priced], [])
    kept = sorted(home.gate_context.glob("validations/gate/*/*/*.json"))
    _leave_half_a_file(home.gate_context / "great_expectations.yml")
    _leave_half_a_file(home.gate_context / "checkpoints" / "gate.json")
    _leave_half_a_file(kept[0])
    assert judge_profile(home, [WEEK], rows[:1], [priced], []).blocking(WEEK)
    assert [file.parts[-3] for file in kept] == ["2026-11-02", "2026-11-02_2026-11-30"]
    results = json.loads(kept[1].read_text())["results"]
    [wrong] = [result["result"]["unexpected_index_list"] for result in results if not result["success"]]
    assert [row["week_start"] for row in wrong] == ["2026-11-02"]
    page = home.data_docs_index.read_text()
    assert "2026-11-02_2026-11-30" in page
    pages = [file.read_text() for file in home.data_docs.glob("validations/gate/2026-11-02*/*/*.html")]
    assert len(pages) == 3
    assert all(
        "O'Brien &lt;script&gt;".replace("'", "&#x27;") in page and "<script>alert" not in page for page in pages
    )
    suite_page = (home.data_docs / "expectations" / "gate.html").read_text()
    assert "keys_unique (error): 0. Set 2026-11-21: Costs $5, ${not_a_name} &amp; &lt;b&gt;more" in suite_page


def test_a_validation_of_any_number_of_gaps_has_a_short_name(tmp_path: Path) -> None:
    weeks = [WEEK + timedelta(weeks=2 * number) for number in range(30)]
    judge_profile(Home(tmp_path), weeks, [row(KEYS, 0, week=week) for week in weeks], [KEYS], [])
    [folder] = Home(tmp_path).gate_context.glob("validations/gate/*")
    assert folder.name == "2026-11-02_2027-12-13"


def _leave_half_a_file(file: Path) -> None:
    """As a process leaves it that was killed while it wrote."""
    file.write_bytes(file.read_bytes()[:40])


def failed(rule: Rule, scope: str = "all", week: date = WEEK) -> RuleResult:
    return RuleResult(
        week, rule.rule_id, scope, rule.severity, False, 9, rule.lower, rule.upper, "is 9", rule.severity == "error"
    )


def waiver(rule: Rule, scope: str = "all", week: date = WEEK) -> Waiver:
    return Waiver(rule.rule_id, scope, week, "a load test.", "jo@example.com", date(2026, 11, 30))


def test_a_waiver_counts_for_its_rule_scope_and_week_until_its_last_day() -> None:
    report = GateReport([WEEK, NEXT_WEEK], [failed(CLIENT, "uniware"), failed(KEYS, week=NEXT_WEEK)])
    given = [waiver(CLIENT, "uniware")]
    for waivers, today, let_through in (
        (given, date(2026, 11, 30), [WEEK]),
        (given, date(2026, 12, 1), []),
        ([waiver(CLIENT, "selluseller")], SET_ON, []),
        ([waiver(CLIENT, "uniware", NEXT_WEEK)], SET_ON, []),
        ([waiver(KEYS, "uniware"), waiver(KEYS)], SET_ON, []),
        ([*given, waiver(KEYS, week=NEXT_WEEK)], SET_ON, [WEEK, NEXT_WEEK]),
    ):
        assert with_waivers(report, waivers, today).publishable_weeks == let_through, (waivers, today)


def test_a_waiver_that_does_not_count_is_told() -> None:
    report = GateReport([WEEK], [failed(CLIENT, "uniware"), failed(CLIENT, "selluseller")])
    ended = waiver(CLIENT, "uniware")
    for waivers, today, said in (
        ([ended], date(2026, 12, 1), "; its waiver counted until 2026-11-30"),
        ([waiver(CLIENT)], SET_ON, f"; config/gate_waivers.csv has a waiver of {CLIENT.rule_id} for all, which isn't"),
        ([waiver(CLIENT, "uniware", NEXT_WEEK), waiver(KEYS, "uniware")], SET_ON, None),
    ):
        first, _ = with_waivers(report, waivers, today).results
        assert first.is_withholding
        assert first.message.startswith("is 9" + (said or "")), first.message
        assert bool(said) is (first.message != "is 9")


def test_a_waived_failure_has_not_passed_and_says_who_answers_for_it() -> None:
    report = GateReport([WEEK], [failed(CLIENT, "uniware"), failed(VOLUME)])
    waived = with_waivers(report, [waiver(CLIENT, "uniware"), waiver(VOLUME), waiver(KEYS)], SET_ON)
    first, warning = waived.results
    assert (first.passed, first.message) == (False, "is 9; waived until 2026-11-30 by jo@example.com: a load test")
    assert not first.is_withholding
    assert (warning.message, warning.is_withholding) == ("is 9", False), "a warning withholds nothing"
    assert [counted.rule_id for counted in waived.waivers] == [CLIENT.rule_id]
    assert [found.rule_id for found in waived.waivers] == [CLIENT.rule_id]
