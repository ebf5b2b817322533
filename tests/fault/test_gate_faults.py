"""Each rule of the gate has an input that trips it, and no other; the others are tripped in the warehouse itself.

The weeks of one sample are poisoned by one rule after the other. What no input can trip is changed where it was
built: after the run, before the gate looks again.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance

from metric_store.reading import open_store
from orchestration.assets.gate import judged
from orchestration.configuration import load_configuration
from orchestration.configuration.ids import GATE_RULES
from orchestration.home.layout import Home
from orchestration.resources import MetricStoreResource
from orchestration.sample import DEFAULT_START, write_sample
from orchestration.sample.poisons import POISONS, WITHOUT_POISON, poisoned_weeks
from orchestration.transform.warehouse import open_warehouse
from tests.conftest import SAMPLE_WEEKS, Ended, made_once, metric_store, run

SIZE: dict[str, Any] = {"sellers": 20, "orders_per_week": 300, "seed": 7, "scenario": "poison"}
WEEKS = {rule: str(week) for week, rule in poisoned_weeks(None, DEFAULT_START, len(GATE_RULES)).items()}
OF_ALL_WEEKS = sorted(POISONS.keys() - WEEKS.keys())
SEVERITY = {row.rule_id: row.severity for row in load_configuration(None).rows["gate_rules"]}
WARNINGS = [rule for rule in WEEKS if SEVERITY[rule] == "warning"]


def made(home: Path, *, keeps_history: bool = False, **options: Any) -> None:
    write_sample(home, **SIZE, **options)
    ended = run(home, keeps_history=keeps_history)
    (home / "run.json").write_text(json.dumps([ended.status, ended.out, ended.err]))


def ended(home: Path) -> Ended:
    return Ended(*json.loads((home / "run.json").read_text()))


@pytest.fixture(scope="session")
def poisoned_home(shared_folder: Path) -> Path:
    """A week for each rule that a week can trip by itself, after its run."""
    return made_once(shared_folder, "poisoned", partial(made, weeks=len(WEEKS), keeps_history=True))


def broken(home: Path) -> dict[str, dict[str, list[str]]]:
    """Week -> rule that it fails -> scopes, as published."""
    found: dict[str, dict[str, list[str]]] = {}
    with open_store(home / "published" / "metric_store.duckdb") as store:
        for week, rule, scope in store.execute(
            "select week_start::varchar, rule_id, scope from marts.fct_data_quality_week where not passed order by all"
        ).fetchall():
            found.setdefault(week, {}).setdefault(rule, []).append(scope)
    return found


def test_each_rule_has_a_failing_case() -> None:
    assert set(POISONS) | set(WITHOUT_POISON) == set(GATE_RULES)
    assert not set(POISONS) & set(WITHOUT_POISON)
    assert set(WITHOUT_POISON) == set(TAMPERED)


class TestPoisonedWeeks:
    @pytest.mark.parametrize("rule", WEEKS)
    def test_a_week_fails_its_rule_and_no_other(self, poisoned_home: Path, rule: str) -> None:
        found = broken(poisoned_home)[WEEKS[rule]]
        assert list(found) == [rule]
        assert len(found[rule]) == 1, "one scope is poisoned"

    def test_no_other_week_fails(self, poisoned_home: Path) -> None:
        assert sorted(broken(poisoned_home)) == sorted(WEEKS.values())

    def test_errors_withhold_and_warnings_do_not(self, poisoned_home: Path) -> None:
        said = ended(poisoned_home)
        assert said.status == 3, said.text
        withheld = {rule for rule in WEEKS if f"Withheld {WEEKS[rule]}: {rule}" in said.out}
        assert withheld == {rule for rule in WEEKS if SEVERITY[rule] == "error"}
        assert WARNINGS
        weeks = json.loads(metric_store("status", "--home", poisoned_home, "--json").out)["weeks"]
        assert {week["week_start"]: week["blocked_by"] for week in weeks} == {
            week: [rule] if rule in withheld else [] for rule, week in WEEKS.items()
        }
        assert {week["week_start"] for week in weeks if week["published"]} == {WEEKS[rule] for rule in WARNINGS}

    def test_a_withheld_week_has_no_figures_and_the_next_one_no_previous_value(self, poisoned_home: Path) -> None:
        withheld, published = WEEKS["days_present"], {WEEKS[rule] for rule in WARNINGS}
        following = {week for week in published if str(date.fromisoformat(week) - timedelta(days=7)) not in published}
        assert "days_present of oms_logs is 6" in ended(poisoned_home).out
        with open_store(poisoned_home / "published" / "metric_store.duckdb") as store:
            figures = "select distinct week_start::varchar, previous_value is null from marts.fct_metric_week"
            weeks = set(store.execute(figures).fetchall())
            judged = store.execute(
                "select severity, passed, observed from marts.fct_data_quality_week "
                f"where week_start = '{withheld}' and rule_id = 'days_present' and scope = 'oms_logs'"
            ).fetchall()
        assert {week for week, _ in weeks} == published
        assert following
        assert published - following
        assert {week for week, has_none in weeks if not has_none} == published - following
        assert judged == [("error", False, 6.0)]
        asked = metric_store("metric", "o2d_ratio", "--week", withheld, "--home", poisoned_home)
        assert (asked.status, asked.out) == (1, "")
        assert asked.err.startswith(f"Error: {withheld} isn't published: the gate withheld it, by days_present of ")

    def test_pages_say_which_weeks_are_withheld(self, poisoned_home: Path) -> None:
        reports = poisoned_home / "reports"
        assert f"Report: {reports / 'index.html'}" in ended(poisoned_home).out
        pages = {week: (reports / week / "index.html").read_text() for week in WEEKS.values()}
        published = {WEEKS[rule] for rule in WARNINGS}
        assert {week for week, page in pages.items() if "This week is withheld" not in page} == published
        assert {week for week, page in pages.items() if 'class="badge published"' in page} == published

    def test_a_week_that_is_withheld_as_it_is_is_not_tried_again(self, poisoned_home: Path) -> None:
        again = run(poisoned_home)
        assert (again.status, again.out.split(":")[0]) == (0, "Nothing to do")

    def test_dagster_marks_the_published_weeks_of_the_range_and_checks_tell_each_week(
        self, poisoned_home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One run over the whole range: Dagster itself would mark every week in it."""
        monkeypatch.setenv("DAGSTER_HOME", str(poisoned_home / "dagster"))
        with DagsterInstance.get() as instance:
            marked = instance.get_materialized_partitions(AssetKey("published_store"))
            assert marked == {WEEKS[rule] for rule in WARNINGS}
            for rule in WEEKS:
                history = instance.event_log_storage.get_asset_check_execution_history(
                    AssetCheckKey(AssetKey("gate"), rule), limit=100
                )
                told = [record.event.asset_check_evaluation for record in history if record.event]
                assert {check.partition for check in told if not check.passed} == {None, WEEKS[rule]}
                assert {check.partition for check in told} == {None, *WEEKS.values()}
                assert not told[0].passed, "the newest is what the list of checks shows"


@pytest.mark.soak
@pytest.mark.parametrize("rule", OF_ALL_WEEKS)
def test_what_concerns_all_weeks_fails_its_rule_and_no_other(rule: str, tmp_path: Path) -> None:
    made(tmp_path, weeks=1, poison=rule)
    said = ended(tmp_path)
    assert said.status == 3, said.text
    assert f"Withheld {DEFAULT_START}: {rule} of " in said.out
    assert [len(scopes) for scopes in broken(tmp_path)[str(DEFAULT_START)].values()] == [1]
    [week] = json.loads(metric_store("status", "--home", tmp_path, "--json").out)["weeks"]
    assert (week["published"], week["blocked_by"]) == (False, [rule])


@pytest.mark.soak
def test_a_week_withheld_by_rejected_records_is_published_once_they_have_landed(tmp_path: Path) -> None:
    home, sound = tmp_path / "home", tmp_path / "sound"
    made(home, weeks=1, poison="quarantine_rate")
    said = ended(home)
    assert (said.status, broken(home)) == (3, {str(DEFAULT_START): {"quarantine_rate": ["packages"]}})
    assert re.search(r"; (\d+) rejected, most of them from inbox/packages/\S+: \d+ missing_required", said.out)
    write_sample(sound, **{**SIZE, "scenario": "normal"}, weeks=1)
    for file in (sound / "inbox" / "packages").iterdir():
        shutil.copy(file, home / "inbox" / "packages" / f"mended-{file.name}")
    mended = run(home)
    assert mended.status == 0, mended.text
    assert f"Published 1 week: {DEFAULT_START}" in mended.out
    assert broken(home) == {}


# What no input trips: changes of the warehouse, each in weeks of its own.

_WEEK_1, _WEEK_2, _WEEK_3 = SAMPLE_WEEKS


def _on_the_day_of(week: str) -> str:
    """A validity of the one day on which a week is calculated."""
    day = date.fromisoformat(week) + timedelta(weeks=1)
    return f"date '{day}', date '{day}' + 1"


@dataclass(frozen=True)
class Tampering:
    """A change of one row, and the weeks and the scope that fail for it."""

    sql: str
    scope: str
    weeks: tuple[str, ...]


TAMPERED = {
    "keys_unique": Tampering(
        "insert into marts.fct_o2d_maturity_week "
        f"from marts.fct_o2d_maturity_week where week_start = '{_WEEK_1}' limit 1",
        "fct_o2d_maturity_week",
        (_WEEK_1,),
    ),
    "contributions_sum": Tampering(
        "update marts.fct_failure_contribution_week set contribution = contribution + 1 where rowid = ("
        "select min(rowid) from marts.fct_failure_contribution_week "
        f"where (week_start, flow, oms_client) = ('{_WEEK_2}', 'acceptance', 'all'))",
        "acceptance/all",
        (_WEEK_2,),
    ),
    "weights": Tampering(
        "insert into config.grade_weights (metric_id, weight, valid_from, valid_to) "
        f"values ('seller_cancel_rate', 1, {_on_the_day_of(_WEEK_3)})",
        "all",
        (_WEEK_3,),
    ),
    "score_bands": Tampering(
        "insert into config.grade_bands (metric_id, min, max, score, valid_from, valid_to) "
        f"values ('customer_cancel_rate', 10, 20, 1, {_on_the_day_of(_WEEK_2)})",
        "customer_cancel_rate",
        (_WEEK_2,),
    ),
    "restatement_size": Tampering(
        "insert into inputs.published_metrics by name from (select * replace (value + 5.01 as value) "
        f"from marts.fct_metric_week where (week_start, metric_id, dimension) = ('{_WEEK_1}', 'o2d_ratio', 'overall'))",
        "all",
        (_WEEK_1,),
    ),
    "records_reconciled": Tampering(
        "update inputs.files set landed = landed - 1 "
        "where file_id = (select min(file_id) from inputs.files where source = 'packages')",
        "packages",
        SAMPLE_WEEKS,
    ),
}


@pytest.mark.parametrize(
    "rules",
    [("keys_unique", "contributions_sum", "weights", "restatement_size"), ("score_bands",), ("records_reconciled",)],
    ids="+".join,
)
def test_a_changed_warehouse_fails_the_rule_of_the_change_and_no_other(
    rules: tuple[str, ...], tampered: MetricStoreResource, sample_home: Path
) -> None:
    shutil.copy2(Home(sample_home).warehouse, tampered.place.warehouse)
    with open_warehouse(tampered.place) as db:
        for rule in rules:
            assert db.execute(TAMPERED[rule].sql).fetchall() == [(1,)]
    for _ in tampered.dbt.build("--select", "dq_*", "gate_profile", "gate_required_scopes"):
        pass
    report = judged(tampered, [date.fromisoformat(week) for week in SAMPLE_WEEKS])
    expected = {(week, rule, TAMPERED[rule].scope) for rule in rules for week in TAMPERED[rule].weeks}
    assert {(str(r.week_start), r.rule_id, r.scope) for r in report.results if not r.passed} == expected
    assert [str(week) for week in report.withheld_weeks] == sorted({week for week, _, _ in expected})


@pytest.fixture
def tampered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MetricStoreResource:
    """A home for a warehouse that a run left, with dbt at hand."""
    monkeypatch.setenv("METRIC_STORE_HOME", str(tmp_path))
    return MetricStoreResource()
