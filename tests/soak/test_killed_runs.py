"""Runs that are killed at random moments of every stage: readers never see it, and the next run repairs it.

A home with one published week gets the files of a second, and late records of the first. A run on a copy of it is
killed at a random moment; the store must then be the one before or the one after, cell by cell, and the next run must
end as an undisturbed one and leave the same home. Somebody reads the store meanwhile. Some are killed between two
steps, and parts of the job are launched before the next run.
"""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.assets.build import after_gate
from tests.parts import launch
from tests.running import Running
from tests.soak.campaign import (
    KILLS,
    ONLY,
    REPORT,
    SEED,
    STAGES,
    WEEKS,
    Case,
    check_between,
    is_wanted,
    make_case,
    numbers,
    reading,
    recover,
)
from tests.soak.reader import store_of

pytestmark = pytest.mark.soak

#: The part of the kills that must fall into each stage.
SHARES = {"ingest": 0.25, "build": 0.2, "gate": 0.1, "publish": 0.15, "report": 0.1}
#: The part of the kills that come between two steps, and what is launched then instead of the run.
BETWEEN = 0.2
_STEPS = ("inbox", "run_inputs", "build", "gate", "after_gate", "published_store")
_VERDICT = ("gate", *("/".join(key.path) for key in after_gate.keys))
_PARTS = (("published_store",), ("gate", "published_store"), (*_VERDICT, "published_store"), ("run_inputs",), _VERDICT)
#: Moments are measured in the pace of an undisturbed run; one that misses its stage is made up for, so many times.
_TRIES = 4


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("cases")
    return {name: make_case(folder / name, name, []) for name in ("restated", "withheld")}


@dataclass(frozen=True)
class Kill:
    """One kill of a run. moment: the part of the stage that has passed."""

    name: str
    stage: str
    moment: float
    case: str
    options: tuple[str, ...]

    @classmethod
    def of(cls, stage: str, number: int) -> Kill:
        name = f"{stage}-{number}"
        draw = numbers(name)
        return cls(
            name,
            stage,
            moment=draw.random(),
            case=draw.choice(("restated", "restated", "withheld")),
            options=draw.choice(((), ("--weeks", f"{WEEKS[0]}..{WEEKS[1]}"))),
        )


def wait_for(run: Running, home: Path, kill: Kill, case: Case) -> None:
    """Until the moment of the kill, or the run's end."""
    stages = list(STAGES)
    place = stages.index(kill.stage)
    before = STAGES[stages[place - 1]] if place else None
    while run.is_at_work and not (before in run.steps if before else (home / ".writer.json").exists()):
        time.sleep(0.005)
    until = time.monotonic() + kill.moment * case.pace[kill.stage][1]
    while run.is_at_work and time.monotonic() < until:
        time.sleep(0.002)


def do(kill: Kill, case: Case, home: Path) -> tuple[str, str, int]:
    """Kill a run, and let the next one repair it: the stage in which it fell, what was published, times it was read."""
    case.new_home(home)
    with reading(case, home) as reader:
        run = Running(home, *kill.options)
        wait_for(run, home, kill, case)
        was_killed = run.is_at_work
        if was_killed:
            run.kill()
            run.wait()
        time.sleep(0.1)  # what it has said is heard
        fell = case.stage(run.steps) if was_killed else "end"
        published = check_between(case, home)
        recover(case, home, list(kill.options))
        assert run.children_that_stay == []
    assert reader.opened > 0
    return fell, published, reader.opened


@pytest.mark.parametrize("stage", SHARES)
def test_a_killed_run_leaves_a_whole_store_and_the_next_one_repairs_the_home(
    stage: str, cases: dict[str, Case], tmp_path: Path
) -> None:
    share = math.ceil(KILLS * SHARES[stage])
    fell: Counter[str] = Counter()
    published: Counter[str] = Counter()
    failures: list[str] = []
    opened = number = 0
    while fell[stage] < share and number < share * _TRIES:
        number += 1
        kill = Kill.of(stage, number)
        if not is_wanted(kill.name):
            continue
        home = tmp_path / kill.name
        try:
            where, what, reads = do(kill, cases[kill.case], home)
        except Exception as error:
            failures.append(f"{kill}: {type(error).__name__}: {error}")
            REPORT.append(f"FAILED {kill.name}: repeat it with SOAK_SEED={SEED} SOAK_ONLY={kill.name}; home {home}")
            fell[stage] += 1
            continue
        fell[where] += 1
        published[what] += 1
        opened += reads
        shutil.rmtree(home)
    if fell:
        REPORT.append(
            f"kills aimed at {stage}: {sum(fell.values())}, fell in {dict(fell)}; "
            f"published afterwards {dict(published)}; store opened {opened} times meanwhile; failed {len(failures)}"
        )
    assert failures == []
    assert ONLY or fell[stage] >= share, fell


def test_parts_that_are_launched_after_a_kill_between_two_steps_publish_all_or_nothing(
    cases: dict[str, Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    for number in range(math.ceil(KILLS * BETWEEN)):
        name = f"between-{number}"
        if not is_wanted(name):
            continue
        draw = numbers(name)
        case, home = cases[draw.choice(("restated", "restated", "withheld"))], tmp_path / name
        step, parts = draw.choice(_STEPS), draw.choice(_PARTS)
        monkeypatch.setenv("METRIC_STORE_HOME", str(case.new_home(home)))
        monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
        try:
            run = Running(home)
            while run.is_at_work and step not in run.steps:
                time.sleep(0.001)
            run.kill()
            run.wait()
            was = launch([], *parts, keeps_history=True).success
            published = check_between(case, home)
            recover(case, home, [])
        except Exception as error:
            failures.append(f"{name}, {step} then {parts}: {type(error).__name__}: {error}")
            continue
        outcomes[f"after {step}: {'done' if was else 'refused'}, {published}"] += 1
        shutil.rmtree(home)
    REPORT.append(
        f"kills between steps, then parts: {sum(outcomes.values())}, {dict(outcomes)}; {len(failures)} failed"
    )
    assert failures == []


def test_a_reader_that_finds_something_else_is_heard(cases: dict[str, Case], tmp_path: Path) -> None:
    """The campaign's own eyes: rows that no build has are told."""
    import duckdb

    case = cases["restated"]
    home = case.new_home(tmp_path / "home")
    with duckdb.connect(str(store_of(home))) as db:
        db.execute("update marts.fct_metric_week set numerator = numerator + 1 where metric_id = 'o2d_ratio'")
    with pytest.raises(AssertionError, match="neither what was published"):
        check_between(case, home)
    with pytest.raises(AssertionError, match="a state that no build has"), reading(case, home):
        pass
