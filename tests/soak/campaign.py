"""Homes that faults are done to, the plan of what is done, and what must be true of a home afterwards.

Everything random follows from one seed: `SOAK_SEED`, else one drawn anew. A fault has a name, and its own random
numbers from seed and name, so that it can be repeated by itself: `SOAK_ONLY`.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from metric_store.reading import open_store
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.report.writing import write_report
from orchestration.sample import write_sample
from tests.conftest import Ended, evidence_of, run
from tests.running import Running, is_free
from tests.soak.reader import Figures, digest, figures, read_on, store_of

WEEKS = ("2026-01-05", "2026-01-12")
SEED = os.environ.get("SOAK_SEED") or str(random.SystemRandom().randrange(10**6))
ONLY = os.environ.get("SOAK_ONLY", "")
KILLS = int(os.environ.get("SOAK_KILLS") or 100)

#: The stages of a run that can be told apart from outside, and the step that ends each.
STAGES = {
    "ingest": "inbox",
    "build": "build",
    "gate": "after_gate",
    "publish": "published_store",
    "report": "report",
}
#: What the campaign did, for the end of pytest's output.
REPORT: list[str] = []


def numbers(name: str) -> random.Random:
    """The random numbers of one fault."""
    return random.Random(f"{SEED}/{name}")


def is_wanted(name: str) -> bool:
    """Whether a fault is to be done: all are, unless one or a few are named."""
    return not ONLY or name in ONLY.split(",")


def differing(found: Figures, expected: Figures) -> list[str]:
    """The tables in which two stores differ."""
    return sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))


def files_of(home: Path) -> list[str]:
    """Every file of a home; builds are named alike, and landed files: their numbers follow the order of attempts.

    Left out is what keeps a history: Dagster's and the gate's.
    """
    found = []
    for path in home.rglob("*"):
        place = path.relative_to(home)
        if path.is_file() and place.parts[0] not in ("dagster", "data_docs"):
            found.append(re.sub(r"build_id=[^/]+|/\d{8}(?=-)", "", str(place)))
    return sorted(found)


def ledger_of(home: Path) -> set[tuple[Any, ...]]:
    """What became of each file."""
    columns = ("source", "path", "status", "rows_read", "landed", "quarantined", "duplicates")
    with Ledger(home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        files = ledger.files()
    assert len(files) == len({(file["source"], file["path"], file["size"], file["mtime_ns"]) for file in files})
    assert all(file["rows_read"] == file["landed"] + file["quarantined"] + file["duplicates"] for file in files)
    return {tuple(file[column] for column in columns) for file in files}


def withheld_in(home: Path) -> dict[date, str]:
    """The weeks whose last finished attempt withheld them, and the rules that did."""
    with Ledger(home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        return {week: row["withheld_by"] for week, row in ledger.attempts().items() if row["withheld_by"]}


def runs_at_work(home: Path) -> int:
    """Runs that Dagster's history has at work: with none there, anything but 0 is a run that was forgotten."""
    database = sqlite3.connect(f"file:{home}/dagster/history/runs.db?mode=ro", uri=True)
    try:
        return int(
            database.execute(
                "select count(*) from runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')"
            ).fetchone()[0]
        )
    finally:
        database.close()


@dataclass(frozen=True)
class State:
    """What a reader finds in a home."""

    figures: Figures
    evidence: dict[date, list[tuple]]

    @classmethod
    def of(cls, home: Path) -> State:
        """The state of a home's store; every published week must be whole: one current build, and its evidence."""
        store = store_of(home)
        if not store.is_file():
            return cls({}, {})
        with open_store(store) as db:
            weeks = db.execute(
                "select week_start, count(*) filter (where is_current), count(*) from marts.publication group by 1"
            ).fetchall()
            figures_of = {
                row[0] for row in db.execute("select distinct week_start from marts.fct_metric_week").fetchall()
            }
        assert all(current == 1 for _, current, _ in weeks), weeks
        assert figures_of == {week for week, *_ in weeks}
        evidence = evidence_of(home)
        assert evidence.keys() == figures_of
        return cls(figures(store), evidence)


@dataclass(frozen=True)
class Case:
    """A home that has something to do, and the same after a run that nothing disturbed.

    pace: by stage, when it began after the run's start, and how long it took, in seconds.
    """

    name: str
    ready: Path
    done: Path
    status: int
    before: State
    after: State
    pace: dict[str, tuple[float, float]]

    def new_home(self, place: Path) -> Path:
        """A copy of the home that has something to do."""
        shutil.copytree(self.ready, place)
        return place

    def stage(self, steps: dict[str, float]) -> str:
        """The stage that a run was in which had done these steps."""
        return next((stage for stage, last in STAGES.items() if last not in steps), "end")


def make_case(folder: Path, name: str, options: list[str]) -> Case:
    """One published week; then the files of a second, with late records of the first, which it restates.

    Of `withheld` the second lacks a day of logs, and is withheld.
    """
    ready, done = folder / "ready", folder / "done"
    write_sample(ready, weeks=2, sellers=20, orders_per_week=300, seed=numbers("sample").randrange(10**6))
    second = [path for path in (ready / "inbox").rglob("*") if path.is_file() and path.name >= WEEKS[1]]
    if name == "withheld":
        [missing] = [path for path in second if path.name == "2026-01-14.parquet"]
        missing.unlink()
        second.remove(missing)
    away = folder / "second"
    for path in second:
        target = away / path.relative_to(ready)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    ended = run(ready, WEEKS[0])
    assert ended.status == 0, ended.text
    shutil.copytree(away, ready, dirs_exist_ok=True)
    before = State.of(ready)

    shutil.copytree(ready, done)
    started = time.monotonic()
    at_work = Running(done, *options)
    while at_work.is_at_work and not (done / ".writer.json").exists():
        time.sleep(0.01)
    began = time.monotonic()
    last = at_work.end()
    assert last.status == (3 if name == "withheld" else 0), last.text
    after = State.of(done)
    assert list(after.evidence) == [date.fromisoformat(week) for week in WEEKS[: 1 if name == "withheld" else 2]]
    assert differing(before.figures, after.figures)
    assert before.figures["fct_restatement"] == []
    assert after.figures["fct_restatement"], "late records restate the first week"
    pace = {}
    for stage, step in STAGES.items():
        pace[stage] = (began - started, at_work.steps[step] - began)
        began = at_work.steps[step]
    return Case(name, ready, done, last.status, before, after, pace)


def check_between(case: Case, home: Path) -> str:
    """After a fault: readers have what they had, or all that the run was to publish. Returns which."""
    state = State.of(home)
    if state == case.before:
        return "before"
    assert not differing(state.figures, case.after.figures), "neither what was published nor what was to be"
    assert state == case.after
    return "after"


def recover(case: Case, home: Path, options: list[str]) -> Ended:
    """The next run, which must end as the undisturbed one and leave the home as that did."""
    is_told = withheld_in(home) == withheld_in(case.done)
    ended = run(home, options[1] if options else None, keeps_history=True)  # it ends the killed run there, too
    # A week that is withheld as it is isn't tried again, unless it is named.
    assert ended.status == (0 if is_told and not options else case.status), ended.text
    check_home(case, home)
    return ended


def check_home(case: Case, home: Path) -> None:
    """The home is as the undisturbed one: figures, evidence, files, the record of files; nothing is left at work."""
    state = State.of(home)
    assert differing(state.figures, case.after.figures) == []
    assert state.evidence == case.after.evidence
    assert ledger_of(home) == ledger_of(case.done)
    assert withheld_in(home) == withheld_in(case.done)
    assert files_of(home) == files_of(case.done)
    assert not [name for name in (".scratch", ".spill", ".writer.json") if (home / name).exists()]
    assert runs_at_work(home) == 0
    assert is_free(home)
    assert write_report(Home(home)).weeks == (), "the pages show what is published"


class Reader:
    """What a reader met while something else was going on."""

    reads = 0
    opened = 0


@contextmanager
def reading(case: Case, home: Path) -> Iterator[Reader]:
    """Somebody reads the store of the home all the while, and must find whole builds only, and never a lock."""
    spawn = multiprocessing.get_context("spawn")
    begun, stop, found = spawn.Event(), spawn.Event(), spawn.Queue()
    known = {digest(case.before.figures): "before", digest(case.after.figures): "after"}
    process = spawn.Process(target=read_on, args=(store_of(home), known, begun, stop, found), daemon=True)
    process.start()
    assert begun.wait(120)
    reader = Reader()
    try:
        yield reader
    finally:
        stop.set()
        said = found.get(timeout=120)
        process.join()
    assert isinstance(said, tuple), said
    reader.reads, reader.opened = sum(said[0].values()), said[1]
