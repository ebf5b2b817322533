"""Which weeks a run computes, from made-up ledgers: new, done, due, withheld; and what makes a week due."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import orchestration.project as project
import orchestration.weeks.planning as planning
from metric_store.errors import MetricStoreError
from metric_store.reading import PublishedWeek
from metric_store.words import WEEK
from orchestration.configuration import Configuration, load_configuration
from orchestration.ingest.ledger import FileRecord, Ledger, Touch
from orchestration.weeks.planning import State, Week, plan_weeks, plans_of, state_of

W1 = date(2024, 8, 5)
W2, W3, W4 = W1 + WEEK, W1 + 2 * WEEK, W1 + 3 * WEEK
LATER = datetime(2024, 12, 1)


def file(path: str, weeks: Sequence[date], source: str = "oms_logs", status: str = "landed", **changes) -> FileRecord:
    """A file with a record in each of the weeks, which those weeks read."""
    record = FileRecord(source, path, size=100, mtime_ns=1, status=status, ingested_at=LATER, run_id="run")
    record.landed = record.rows_read = len(weeks)
    record.event_weeks = dict.fromkeys(weeks, 1)
    record.touches = [Touch(week, week, 1) for week in weeks]
    for name, value in changes.items():
        setattr(record, name, value)
    return record


class Known:
    """A home's ledger and what is published of it, without a home."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.published: dict[date, PublishedWeek] = {}
        self.configuration: Configuration = load_configuration(None)

    def land(self, *files: FileRecord) -> None:
        for record in files:
            record.file_id = self.ledger.next_file_id()
            self.ledger.record(record)

    @property
    def state(self) -> State:
        return state_of(self.ledger, self.published)

    def plan(self, *requested: date, now: datetime = LATER) -> list[Week]:
        return plan_weeks(self.state, self.configuration, now, requested or None)

    def weeks(self, *requested: date, now: datetime = LATER) -> list[date]:
        return [plan.week_start for plan in self.plan(*requested, now=now)]

    def end(self, plans: Sequence[Week], withheld: dict[date, str] | None = None) -> None:
        """What a run over these weeks leaves behind."""
        withheld = withheld or {}
        self.ledger.record_attempts((p.week_start, p.mark, "run", LATER, withheld.get(p.week_start, "")) for p in plans)
        for p in plans:
            if p.week_start not in withheld:
                self.published[p.week_start] = PublishedWeek(
                    p.week_start,
                    "build",
                    LATER,
                    p.calculated_at,
                    p.config_hash,
                    p.code_version,
                    p.raw_fingerprint,
                    True,
                )


@pytest.fixture
def known(tmp_path: Path) -> Known:
    return Known(tmp_path)


def test_nothing_landed_is_nothing_to_do(known: Known) -> None:
    assert known.plan() == []


def test_landed_weeks_are_new_and_done_once_published(known: Known) -> None:
    known.land(file("a", [W2]), file("b", [W1], source="seller_orders"))
    plans = known.plan()
    assert [(p.week_start, p.is_published) for p in plans] == [(W1, False), (W2, False)]
    known.end(plans)
    assert known.plan() == []


def test_a_week_between_landed_weeks_is_not_made_up(known: Known) -> None:
    known.land(file("a", [W1, W4]))
    assert known.weeks() == [W1, W4]


def test_only_orders_and_logs_make_a_week_landed(known: Known) -> None:
    known.land(file("a", [W1], source="claims"), file("b", [W2], source="tickets"))
    assert known.weeks() == []


def test_a_record_of_long_ago_makes_no_week(known: Known) -> None:
    """One that is dated 1970 by mistake must not hold up the others: there is no such partition."""
    known.land(file("a", [date(1969, 12, 29), date(2014, 12, 29), date(2015, 1, 5), W1]))
    assert known.weeks() == [date(2015, 1, 5), W1]


def test_a_week_is_new_from_its_calculation_on(known: Known) -> None:
    known.land(file("a", [W1]))
    at = datetime(2024, 8, 12, 3)
    assert known.weeks(now=at - timedelta(microseconds=1)) == []
    assert known.weeks(now=at) == [W1]


def test_a_late_record_makes_the_weeks_due_that_read_it_and_no_other(known: Known) -> None:
    known.land(file("a", [W1, W2, W3, W4]))
    known.end(known.plan())
    known.land(file("late", [W2], touches=[Touch(W2, W3, 1)]))
    assert known.state.due == [W2, W3]
    assert [(p.week_start, p.is_published) for p in known.plan()] == [(W2, True), (W3, True)]
    known.end(known.plan())
    assert (known.state.due, known.plan()) == ([], [])


def test_a_touch_may_be_open_at_both_ends(known: Known) -> None:
    known.land(file("a", [W1, W2, W3]))
    known.end(known.plan())
    known.land(file("sellers", [], source="sellers", touches=[Touch(date.min, W1, 1)]))
    assert known.state.due == [W1]
    known.land(file("more", [], source="sellers", touches=[Touch(W3, date.max, 1)]))
    assert known.state.due == [W1, W3]


def test_a_file_that_changes_nothing_makes_no_week_due(known: Known) -> None:
    known.land(file("a", [W1]))
    known.end(known.plan())
    known.land(file("a", [], mtime_ns=2, duplicates=5), file("broken", [], status="failed", error="cut off"))
    assert (known.state.due, known.plan()) == ([], [])


def test_a_late_record_of_a_week_that_is_not_landed_makes_it_new(known: Known) -> None:
    known.land(file("a", [W2]))
    known.end(known.plan())
    known.land(file("late", [W1]))
    assert [(p.week_start, p.is_published) for p in known.plan()] == [(W1, False)]


def test_a_withheld_week_is_not_tried_again_as_it_is(known: Known) -> None:
    known.land(file("a", [W1, W2]))
    known.end(known.plan(), withheld={W1: "days_present"})
    assert known.weeks() == []


def test_a_withheld_week_is_tried_again_when_its_records_change(known: Known) -> None:
    known.land(file("a", [W1, W2]))
    known.end(known.plan(), withheld={W1: "days_present"})
    known.land(file("missing day", [W1]))
    assert known.weeks() == [W1]


def test_a_withheld_week_is_tried_again_when_its_configuration_changes(known: Known, tmp_path: Path) -> None:
    known.land(file("a", [W1, W2]))
    known.end(known.plan(), withheld={W1: "weights"})
    known.configuration = other_bound(tmp_path)
    assert known.weeks() == [W1], "the published week isn't computed anew unasked"


def test_a_withheld_week_is_tried_again_by_other_code(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    known.land(file("a", [W1]))
    known.end(known.plan(), withheld={W1: "keys_unique"})
    monkeypatch.setattr(planning, "code_version", lambda: "other")
    assert known.weeks() == [W1]


def test_a_week_withheld_by_an_unreadable_file_is_tried_again_when_that_is_mended_or_gone(known: Known) -> None:
    broken = file("broken", [], status="failed", error="cut off")
    known.land(file("a", [W1]), broken)
    known.end(known.plan(), withheld={W1: "files_readable"})
    assert known.weeks() == []
    known.ledger.forget_failed("oms_logs", [])
    assert known.weeks() == [W1]


def test_a_withheld_restatement_is_not_tried_again_as_it_is(known: Known) -> None:
    known.land(file("a", [W1]))
    known.end(known.plan())
    known.land(file("late", [W1]))
    known.end(known.plan(), withheld={W1: "null_request_id_rate"})
    assert (known.state.due, known.plan()) == ([W1], [])
    known.land(file("more", [W1]))
    assert known.weeks() == [W1]


def test_requested_weeks_that_are_done_are_left_out(known: Known) -> None:
    known.land(file("a", [W1, W2, W3]))
    known.end(known.plan(W1, W2))
    assert known.weeks(W1, W2, W3) == [W3]
    assert known.weeks(W1) == []


def test_requested_weeks_are_tried_although_they_were_withheld(known: Known) -> None:
    known.land(file("a", [W1]))
    known.end(known.plan(), withheld={W1: "days_present"})
    assert known.weeks() == []
    assert known.weeks(W1) == [W1]


def test_requested_weeks_come_oldest_first_and_a_gap_among_them_is_computed(known: Known) -> None:
    known.land(file("a", [W1, W3]))
    assert known.weeks(W3, W2, W1) == [W1, W2, W3]


def test_a_week_that_is_asked_for_twice_is_computed_once(known: Known) -> None:
    known.land(file("a", [W1, W3]))
    assert known.weeks(W1, W3, W3, W1) == [W1, W3]


def test_a_published_week_with_another_code_version_is_computed_only_when_asked_for(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.land(file("a", [W1, W2]))
    known.end(known.plan())
    monkeypatch.setattr(planning, "code_version", lambda: "other")
    assert known.weeks() == []
    assert [(p.week_start, p.is_published) for p in known.plan(W1)] == [(W1, True)]


def test_a_published_week_whose_evidence_is_missing_is_computed_only_when_asked_for(known: Known) -> None:
    known.land(file("a", [W1, W2]))
    known.end(known.plan())
    known.published[W1] = replace(known.published[W1], has_evidence=False)
    assert known.weeks() == []
    assert known.weeks(W1, W2) == [W1]


def test_configuration_that_changes_for_one_week_concerns_that_week(known: Known, tmp_path: Path) -> None:
    known.land(file("a", [W1, W2, W3]))
    known.end(known.plan())
    # from the date of A of W2 to the day before that of W3: valid for W2 alone
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "grade_cancellation_reasons.csv").write_text(
        "cancellation_reason,valid_from,valid_to\n"
        + "".join(f"{reason},2015-01-01,\n" for reason in default_cancellation_reasons())
        + "ADDED,2024-08-19,2024-08-26\n"
    )
    known.configuration = load_configuration(tmp_path / "config")
    assert known.weeks() == []
    assert known.weeks(W1, W2, W3) == [W2]


def test_a_week_that_is_not_over_is_refused_by_name_and_time(known: Known) -> None:
    known.land(file("a", [W1, W2]))
    with pytest.raises(MetricStoreError, match=r"Not over yet: 2024-08-12\. .* 2024-08-19 03:00 UTC") as raised:
        known.plan(W1, W2, now=datetime(2024, 8, 19, 2, 59))
    assert len(str(raised.value).splitlines()) <= 2


def test_weeks_without_a_record_are_refused_and_the_landed_ones_named(known: Known) -> None:
    with pytest.raises(MetricStoreError, match=r"No order and no log landed in 2024-08-12\.\nNothing has landed yet"):
        known.plan(W2)
    known.land(file("a", [W1, W3]))
    with pytest.raises(MetricStoreError, match=r"landed in 2024-08-12\.\nLanded weeks: 2024-08-05, 2024-08-19"):
        known.plan(W2)


def test_fingerprints_do_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    files = [
        file("a", [W1, W2]),
        file("b", [W2], source="seller_orders"),
        file("c", [], source="claims", touches=[Touch(W1, W3, 2)]),
        file("d", [W3], touches=[Touch(W3, W3, 1), Touch(W3, W4, 1)]),
    ]
    found = []
    for number, order in enumerate([files, files[::-1], random.Random(7).sample(files, len(files))]):
        (tmp_path / str(number)).mkdir()
        known = Known(tmp_path / str(number))
        known.land(*order)
        found.append(known.state.fingerprints)
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {W1, W2, W3}
    assert len(set(found[0].values())) == 3


@pytest.mark.parametrize(
    "change", [{"size": 101}, {"landed": 3}, {"path": "b"}, {"source": "seller_orders"}], ids=lambda c: next(iter(c))
)
def test_fingerprints_follow_the_landed_files(change: dict[str, object], tmp_path: Path) -> None:
    found = []
    for number, changes in enumerate(({}, change)):
        (tmp_path / str(number)).mkdir()
        known = Known(tmp_path / str(number))
        known.land(file(**{"path": "a", "weeks": [W1], **changes}))
        found.append(known.state.fingerprints[W1])
    assert found[0] != found[1]


def test_the_mark_changes_with_everything_that_a_verdict_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mark(known: Known, broken: bool = False, published: bool = False) -> str:
        week = PublishedWeek(W1, "build", LATER, LATER, "", "", "", True)
        state = replace(known.state, failed_files="broken" if broken else "", published={W1: week} if published else {})
        return plans_of(state, known.configuration, [W1])[0].mark

    known, others = Known(tmp_path / "known"), Known(tmp_path / "others")
    known.land(file("a", [W1]))
    others.land(file("b", [W1]))
    marks = {mark(known), mark(known, broken=True), mark(others)}
    assert len(marks) == 3
    unbroken, broken = mark(known, published=True), mark(known, broken=True, published=True)
    assert unbroken == broken, "unreadable files don't hold back a restatement"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.csv").write_text("key,value\nsmall_sample,31\n")
    known.configuration = load_configuration(tmp_path / "config")
    marks.add(mark(known))
    monkeypatch.setattr(planning, "code_version", lambda: "other")
    marks.add(mark(known))
    assert len(marks) == 5


def test_the_code_version_follows_the_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "macros").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1")
    (tmp_path / "dbt_project.yml").write_text("name: a")
    monkeypatch.setattr(project, "DBT_PROJECT_DIR", tmp_path)
    versions = [project.code_version.__wrapped__()]
    (tmp_path / "models" / "a.yml").write_text("version: 2")
    versions.append(project.code_version.__wrapped__())
    (tmp_path / "models" / "a.sql").write_text("select 2")
    versions.append(project.code_version.__wrapped__())
    (tmp_path / "models" / "a.sql").rename(tmp_path / "models" / "b.sql")
    versions.append(project.code_version.__wrapped__())
    (tmp_path / "dbt_project.yml").write_text("name: b")
    versions.append(project.code_version.__wrapped__())
    assert versions[0] == versions[1], "texts that make no figure don't count"
    assert len(set(versions)) == 4
    assert versions[0].startswith("0.1.0+")


def default_cancellation_reasons() -> list[str]:
    return [row.cancellation_reason for row in load_configuration(None).rows["grade_cancellation_reasons"]]


def other_bound(folder: Path) -> Configuration:
    """The default configuration with another bound of one rule of the gate."""
    rules = load_configuration(None).paths["gate_rules"].read_text()
    (folder / "config").mkdir()
    (folder / "config" / "gate_rules.csv").write_text(
        rules.replace("null_request_id_rate,error,0,35", "null_request_id_rate,error,0,36")
    )
    changed = load_configuration(folder / "config")
    assert changed.config_hash(W1) != load_configuration(None).config_hash(W1)
    return changed
