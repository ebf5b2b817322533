"""Steps launched apart, in any order, after changes of records, configuration and code: never a wrong figure or mark.

dbt is replaced by one query that counts orders; planning, landing, the marks of the steps and publication are real.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from metric_store.reading import open_store, published_weeks
from metric_store.words import unbroken
from orchestration.configuration import Configuration, load_configuration
from orchestration.gate.verdict import GateReport, RuleResult
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.landing import IngestContext, ingest_source
from orchestration.ingest.ledger import Ledger
from orchestration.publication.step import publish_prepared
from orchestration.publication.tables import PublishedTable
from orchestration.transform import steps
from orchestration.transform.engine import Engine
from orchestration.transform.steps import OtherWorkError
from orchestration.transform.warehouse import open_warehouse, prepare, write_verdicts
from orchestration.weeks import planning
from orchestration.weeks.change import follow_calendar
from orchestration.weeks.planning import plan_weeks, state_of
from tests.soak.campaign import REPORT, SEED

WEEKS = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(3)]
NOW = datetime(2026, 3, 1)
TABLE = PublishedTable(
    "fct_orders_week",
    "Orders of a week, and what else its figure is made of.",
    {
        "week_start": ("date", "-"),
        "orders": ("bigint", "-"),
        "shipped": ("bigint", "-"),
        "setting": ("varchar", "-"),
        "code": ("varchar", "-"),
    },
    ("week_start",),
)
#: What dbt would do: the newest version of each order that is in the week.
BUILD = """
    create or replace table marts.fct_orders_week as
    select
        run_weeks.week_start,
        count(*) as orders,
        count(shipped_at) filter (where shipped_at < run_weeks.calculated_at) as shipped,
        any_value((select value from config.settings where key = 'small_sample')) as setting,
        any_value('{code}') as code
    from inputs.run_weeks
    inner join (
        from landing.seller_orders qualify row_number() over (partition by sub_order_id order by updated_at desc) = 1
    ) on ordered_at >= starts_at and ordered_at < ends_at
    group by run_weeks.week_start
"""
CHANGES = st.sampled_from(["new order", "order shipped", "configuration", "code"])
STEPS = ["inbox", "run_inputs", *steps.STEPS]
#: Most often some steps in their order, sometimes in any.
CHOSEN = st.one_of(
    st.sets(st.sampled_from(STEPS), min_size=2).map(lambda chosen: sorted(chosen, key=STEPS.index)),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=8),
)
KILLED = st.sampled_from(["", "", "", "build", "gate", "after_gate"])
WITHHELD = st.sampled_from([None, None, *WEEKS])
ASKED = st.sampled_from([[], *([week] for week in WEEKS), WEEKS[:2], WEEKS])


class AnySteps(RuleBasedStateMachine):
    """A home with three weeks; `figures` has what every set of marks has to come out as."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Home(Path(tempfile.mkdtemp()))
        self.orders: dict[str, tuple[date, bool]] = {}
        self.small_sample, self.code, self.files = 30, 1, 0
        self.figures: dict[tuple[date, str, str, str], tuple] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.home.root)

    @initialize()
    def land_each_week(self) -> None:
        for week in WEEKS:
            self.write_order(week, shipped=False)
        self.whole_run()

    @rule(change=CHANGES, week=st.sampled_from(WEEKS), chosen=CHOSEN, asked=ASKED, killed=KILLED, withheld=WITHHELD)
    def change_and_launch_some_steps(
        self, change: str, week: date, chosen: list[str], asked: list[date], killed: str, withheld: date | None
    ) -> None:
        self.something_changes(change, week)
        for step in chosen:
            match step:
                case "inbox":
                    self.inbox()
                case "run_inputs":
                    self.run_inputs(asked)
                case "build":
                    self.build(asked, killed == "build")
                case "gate":
                    self.gate(asked, killed == "gate", withheld)
                case "after_gate":
                    self.after_gate(asked, killed == "after_gate")
                case "published_store":
                    self.published_store(asked)
            self.every_published_figure_is_that_of_its_marks()
            if step == killed:
                break

    def something_changes(self, change: str, week: date) -> None:
        if change == "configuration":
            self.small_sample += 1
            self.home.config.mkdir(exist_ok=True)
            (self.home.config / "settings.csv").write_text(f"key,value\nsmall_sample,{self.small_sample}\n")
        elif change == "code":
            self.code += 1
        else:
            self.write_order(week, shipped=change == "order shipped")
        self.note_figures()

    def inbox(self) -> None:
        with self.this_release():
            follow_calendar(self.home, self.configuration)
            context = IngestContext(f"run {self.files}", NOW, *self.configuration.calendar_settings)
            ingest_source(self.home, SOURCES_BY_NAME["seller_orders"], context)
            self.landed = dict(self.orders)
        self.note_figures()

    def run_inputs(self, asked: list[date]) -> None:
        with self.this_release(), Ledger(self.home.ledger) as ledger:
            state = state_of(ledger, published_weeks(self.home.published_store))
            weeks = plan_weeks(state, self.configuration, NOW, asked or None)
            prepare(self.home, ledger, self.configuration, weeks, Engine(), asked=asked)

    def build(self, asked: list[date], is_killed: bool) -> None:
        with self.this_release():
            steps.begin(self.home, self.configuration, asked, "build")
            with open_warehouse(self.home) as db:
                db.execute("create schema if not exists marts")
                db.execute(BUILD.format(code=self.code))
            if not is_killed:
                steps.done(self.home, "build")

    def gate(self, asked: list[date], is_killed: bool, withheld: date | None) -> None:
        with self.this_release():
            weeks = [week.week_start for week in steps.begin(self.home, self.configuration, asked, "gate")]
            results = [
                RuleResult(week, "days_present", "all", "error", False, 6, 7, 7, "a day is missing", True)
                for week in weeks
                if week == withheld
            ]
            write_verdicts(self.home, GateReport(weeks, results))
            if not is_killed:
                steps.done(self.home, "gate")

    def after_gate(self, asked: list[date], is_killed: bool) -> None:
        with self.this_release():
            steps.begin(self.home, self.configuration, asked, "after_gate")
            if not is_killed:
                steps.done(self.home, "after_gate")

    def published_store(self, asked: list[date]) -> None:
        before = self.builds()
        with self.this_release():
            publish_prepared(self.home, self.configuration, [TABLE], asked, f"{self.files:08d}", NOW)
        changed = {week for week, build in self.builds().items() if before.get(week) != build}
        assert not asked or changed <= set(asked), "a run publishes the weeks that it was launched for"

    @rule()
    def whole_run(self) -> None:
        """What a run of the command line does; afterwards nothing is left to do."""
        self.inbox()
        with self.this_release():
            plans = self.plans()
        for weeks in unbroken(plan.week_start for plan in plans):
            self.run_inputs(weeks)
            self.build(weeks, False)
            self.gate(weeks, False, None)
            self.after_gate(weeks, False)
            self.published_store(weeks)
        with self.this_release():
            assert self.plans() == []
        found = self.published_rows()
        with Ledger(self.home.ledger, read_only=True) as ledger:
            withheld = {week for week, attempt in ledger.attempts().items() if attempt["withheld_by"]}
        assert found.keys() | withheld == set(WEEKS)
        now = self.marks_now()
        for week, (marks, row) in found.items():
            if marks == now[week]:
                assert row == self.expected(week)

    @invariant()
    def every_published_figure_is_that_of_its_marks(self) -> None:
        for week, (marks, row) in self.published_rows().items():
            assert self.figures[(week, *marks)] == row

    @invariant()
    def what_is_older_than_its_records_is_due(self) -> None:
        if not self.home.ledger.is_file():
            return
        with Ledger(self.home.ledger, read_only=True) as ledger:
            state = state_of(ledger, published_weeks(self.home.published_store))
        old = {week for week, (_, row) in self.published_rows().items() if row[:2] != self.expected(week)[:2]}
        assert old <= set(state.due), "status names every week that isn't up to date"

    # What stands behind the rules.

    def write_order(self, week: date, shipped: bool) -> None:
        self.files += 1
        name = next((name for name, (of, done) in self.orders.items() if shipped and of == week and not done), None)
        order = name or f"order-{self.files}"
        self.orders[order] = (week, shipped)
        at = f"{week}T12:00:00"
        record = {
            "sub_order_id": order,
            "order_id": order,
            "seller_id": "s",
            "sku_id": "k",
            "shipment_type": "drop_shipping",
            "quantity": 1,
            "ordered_at": at,
            "updated_at": f"{week}T{14 if shipped else 13}:00:00",
            **({"shipped_at": f"{week}T13:30:00"} if shipped else {}),
        }
        folder = self.home.inbox / "seller_orders"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.files}.jsonl").write_text(json.dumps(record) + "\n")

    @property
    def configuration(self) -> Configuration:
        return load_configuration(self.home.config)

    @contextmanager
    def this_release(self) -> Iterator[None]:
        """The code as it is now. A step that refuses to go on with other work has changed nothing."""
        with patch.object(planning, "code_version", lambda: f"release {self.code}"):
            before = self.builds()
            try:
                yield
            except OtherWorkError:
                assert self.builds() == before

    def builds(self) -> dict[date, str]:
        return {week: found.build_id for week, found in published_weeks(self.home.published_store).items()}

    def plans(self) -> list[planning.Week]:
        with Ledger(self.home.ledger, read_only=True) as ledger:
            state = state_of(ledger, published_weeks(self.home.published_store))
        return plan_weeks(state, self.configuration, NOW, None)

    def marks_now(self) -> dict[date, tuple[str, str, str]]:
        with Ledger(self.home.ledger, read_only=True) as ledger:
            plans = planning.plans_of(state_of(ledger, {}), self.configuration, WEEKS)
        return {plan.week_start: (plan.raw_fingerprint, plan.config_hash, f"release {self.code}") for plan in plans}

    def expected(self, week: date) -> tuple:
        landed = [done for of, done in self.landed.values() if of == week]
        return len(landed), sum(landed), str(self.small_sample), str(self.code)

    def note_figures(self) -> None:
        """What the weeks come out as from now on: called whenever that changes."""
        for week, marks in self.marks_now().items():
            self.figures[(week, *marks)] = self.expected(week)

    def published_rows(self) -> dict[date, tuple[tuple[str, str, str], tuple]]:
        path = self.home.published_store
        if not path.is_file():
            return {}
        with open_store(path) as store:
            rows = store.execute(
                "select week_start, raw_fingerprint, config_hash, code_version, orders, shipped, setting, code "
                "from marts.fct_orders_week inner join marts.publication using (week_start) where is_current"
            ).fetchall()
        return {row[0]: (tuple(row[1:4]), tuple(row[4:])) for row in rows}


def test_a_run_that_was_killed_after_run_inputs_is_not_finished_by_its_last_steps() -> None:
    """The old marts must not go out under the new fingerprint."""
    home = AnySteps()
    home.land_each_week()
    before = home.builds()
    home.change_and_launch_some_steps(
        "new order", WEEKS[1], ["inbox", "run_inputs", "gate", "after_gate", "published_store"], WEEKS, "", None
    )
    assert home.builds() == before
    home.what_is_older_than_its_records_is_due()
    home.whole_run()
    assert home.builds()[WEEKS[1]] != before[WEEKS[1]], "nothing is stuck"
    home.teardown()


def check(sequences: int, steps_each: int, drawn_from: str) -> None:
    run_state_machine_as_test(
        seed(drawn_from)(AnySteps),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps_each,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_steps_in_any_order_publish_what_their_marks_name() -> None:
    check(sequences=3, steps_each=8, drawn_from="always the same")


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(12))
def test_many_steps_in_any_order(piece: int) -> None:
    check(sequences=25, steps_each=10, drawn_from=f"{SEED}/steps-{piece}")
    REPORT.append(f"steps-{piece}: 25 sequences of steps in any order")
