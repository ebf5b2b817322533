"""No crash and no reader comes between two builds of the store; runs that are killed stand in `test_run_faults`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metric_store.errors import EvidenceMissingError
from metric_store.reading import evidence_relation, open_store, published_weeks
from metric_store.sellers import evidence
from orchestration.publication import evidence as evidence_files
from orchestration.publication import store as publication
from tests.conftest import evidence_of, query
from tests.publication.publication_kit import (
    W1,
    W2,
    W3,
    bytes_of,
    change,
    currents,
    details,
    folders,
    leftovers,
    publish_as,
    store_of,
)


class Crash(RuntimeError):
    """The process would be gone."""


_STEPS = (
    "_next_store",
    "_create",
    "_write_mart",
    "_write_publication",
    "_write_restatements",
    "_changes_query",
    "write_evidence",
    "sync",
)


@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("at", [1, 3], ids=["first", "third"])
def test_a_crash_at_any_step_leaves_the_previous_store(
    step: str, at: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, evidence = bytes_of(home), evidence_of(home)
    change(home, 777, W2)
    real, calls = getattr(publication, step), []

    def crashes(*arguments: Any) -> Any:
        calls.append(step)
        if len(calls) == at:
            raise Crash(step)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(publication, step, crashes)
        if at == 1 or step in ("_create", "_write_mart", "_changes_query"):  # the other steps are taken once or twice
            with pytest.raises(Crash):
                publish_as(home, "crashing", [W1, W2])
            assert bytes_of(home) == before
            assert "crashing" not in currents(home).values()
            assert evidence_of(home) == evidence
    assert publish_as(home, "repaired", [W1, W2]) > 0
    assert set(currents(home).values()) > {"repaired"}
    assert details(home, W2) == {"777"}
    assert folders(home) == {week: [build] for week, build in currents(home).items()}
    assert leftovers(home) == set()


@pytest.mark.parametrize("at", range(1, 9))
def test_a_crash_while_evidence_is_written_leaves_the_previous_one(
    at: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two weeks take eight syncs: file and two folders of each, then the folders that hold all of it."""
    before, evidence = bytes_of(home), evidence_of(home)
    change(home, 777, W2)
    real, calls = evidence_files.sync, []

    def crashes(path: Path) -> None:
        calls.append(path)
        if len(calls) == at:
            raise Crash
        real(path)

    with monkeypatch.context() as patched:
        patched.setattr(evidence_files, "sync", crashes)
        with pytest.raises(Crash):
            publish_as(home, "crashing", [W1, W2])
    assert bytes_of(home) == before
    assert evidence_of(home) == evidence
    publish_as(home, "repaired", [W1, W2])
    assert details(home, W2) == {"777"}
    assert folders(home) == {week: [build] for week, build in currents(home).items()}


def test_a_crash_before_old_evidence_is_removed_leaves_the_new_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first removal is that of what a killed run left, the second that of what the publication replaced."""
    change(home, 777, W2)
    old = currents(home)[W2]
    real, calls = publication.remove_evidence_of_other_builds, []

    def crashes(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise Crash
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(publication, "remove_evidence_of_other_builds", crashes)
        with pytest.raises(Crash):
            publish_as(home, "there", [W2])
    assert currents(home)[W2] == "there"
    assert folders(home)[W2] == sorted([old, "there"])
    assert details(home, W2) == {"777"}
    publish_as(home, "next", [W1])
    assert folders(home) == {W1: ["next"], W2: ["there"], W3: [old]}


def test_only_the_current_build_of_a_week_keeps_its_evidence(home: Path) -> None:
    before = evidence_of(home)
    first = currents(home)[W1]
    publish_as(home, "second", [W2])
    publish_as(home, "third", [W2, W3], judged=[W1, W2, W3])
    assert folders(home) == {W1: [first], W2: ["third"], W3: ["third"]}, "a withheld week keeps what it had"
    assert evidence_of(home) == before


def test_a_week_with_nothing_to_show_has_an_empty_file(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute("delete from intermediate.int_metric_evidence_week where week_start = ?", [W2])
    publish_as(home, "empty", [W2])
    assert evidence_of(home)[W2] == []
    assert published_weeks(store_of(home))[W2].has_evidence


def test_one_who_has_the_replaced_store_open_is_told_that_its_evidence_is_gone(home: Path) -> None:
    with open_store(store_of(home)) as held:
        publish_as(home, "next", [W2])
        with pytest.raises(
            EvidenceMissingError, match=r"The evidence of 2026-01-12 is missing in .*/published/evidence"
        ):
            evidence_relation(held, store_of(home), W2)
        assert evidence_relation(held, store_of(home), W1)
        publish_as(home, "after", [W3])  # that this process has an old store open must not mislead the publication
        assert (folders(home)[W2], folders(home)[W3]) == (["next"], ["after"])
    assert all(week.has_evidence for week in published_weeks(store_of(home)).values())


def test_evidence_that_cannot_be_removed_is_left_for_the_next_publication(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = currents(home)[W2]
    real = os.rmdir

    def is_busy(path: Any, **options: Any) -> None:
        if str(path).endswith(f"build_id={old}"):
            raise OSError(39, "Directory not empty", str(path))
        real(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", is_busy)
        publish_as(home, "next", [W2])
    assert folders(home)[W2] == sorted([old, "next"])
    publish_as(home, "after", [W3])
    assert folders(home)[W2] == ["next"]


def test_a_crash_after_the_rename_leaves_the_new_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = publication.sync

    def crashes(path: Path) -> None:
        if path.is_dir():
            raise Crash
        real(path)

    monkeypatch.setattr(publication, "sync", crashes)
    change(home, 777, W2)
    with pytest.raises(Crash):
        publish_as(home, "there", [W1, W2, W3])
    assert set(currents(home).values()) == {"there"}
    assert details(home, W2) == {"777"}


def test_everything_is_safe_before_the_rename_and_old_evidence_goes_after_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = publication.sync, []

    def sync(path: Path) -> None:
        synced.append((path.name, bytes_of(home)))
        assert set(folders(home)[W1]) == {old, "next"}
        real(path)

    before, old = bytes_of(home), currents(home)[W1]
    monkeypatch.setattr(publication, "sync", sync)
    monkeypatch.setattr(evidence_files, "sync", sync)
    publish_as(home, "next", [W1])
    evidence = ["evidence.parquet", "build_id=next", f"week_start={W1}", "evidence", "published"]
    assert synced == [
        *((name, before) for name in evidence),
        (".next-next.duckdb", before),
        ("published", bytes_of(home)),
    ]
    assert bytes_of(home) != before
    assert folders(home)[W1] == ["next"]


def test_a_failed_rename_leaves_the_previous_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = bytes_of(home)

    def fails(self: Path, _: Path) -> Path:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="No space left"):
        publish_as(home, "next", [W1])
    assert bytes_of(home) == before


def test_what_a_killed_run_left_is_removed(home: Path) -> None:
    folder = home / "published"
    for name in (".next-killed.duckdb", ".next-killed.duckdb.wal"):
        (folder / name).write_bytes(b"half")
    (folder / ".next-killed.duckdb.tmp").mkdir()
    (folder / ".next-killed.duckdb.tmp" / "duckdb_temp_storage-0.tmp").write_bytes(b"spilled")
    for week in (W1, "2026-02-02"):
        half = folder / "evidence" / f"week_start={week}" / "build_id=killed"
        half.mkdir(parents=True)
        (half / "evidence.parquet").write_bytes(b"half")
    publish_as(home, "next", [W1])
    assert leftovers(home) == set()
    assert folders(home) == {week: [build] for week, build in currents(home).items()}
    assert len(list((folder / "evidence").iterdir())) == 3


SWAPS = 5


def _publish_on(home: Path, started: Any) -> None:
    """Publish builds 1, 2, 3 ... whose figures say which build they are of; in a process of its own."""
    number = 0
    while True:
        number += 1
        change(home, number, W2)
        started.set()
        publish_as(home, str(number), [W2])


def test_kill_9_at_any_moment_of_a_publication_leaves_a_whole_store(home: Path) -> None:
    fork = multiprocessing.get_context("spawn")
    change(home, 0, W2)
    publish_as(home, "0", [W2])
    for delay in (0.0, 0.1, 0.25, 0.5):
        started = fork.Event()
        process = fork.Process(target=_publish_on, args=(home, started))
        process.start()
        assert started.wait(60)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        [build] = [build for week, build in currents(home).items() if week == W2]
        for table, column in (("fct_metric_week", "numerator"), ("fct_null_request_id_week", "records")):
            assert query(home, f"select distinct {column} from marts.{table} where week_start = ?", [W2]) == [
                (int(build),)
            ]
        assert details(home, W2) == {build}
    publish_as(home, "last", [W2])
    assert currents(home)[W2] == "last"
    assert leftovers(home) == set()
    assert folders(home) == {week: [build] for week, build in currents(home).items()}


_TWO_FIGURES = """
    select build_id, (select list(distinct numerator) from marts.fct_metric_week where week_start = $week)
    from marts.publication where is_current and week_start = $week
"""
_ANOTHER = "select list(distinct records) from marts.fct_null_request_id_week where week_start = $week"


def _read_on(store: Path, stop: Any, found: Any) -> None:
    """Open the store again and again as a reader does, and say what was wrong; in a process of its own."""
    reads, builds = 0, set()
    while not stop.is_set():
        try:
            with duckdb.connect(str(store), read_only=True) as db:
                first = db.execute(_TWO_FIGURES, {"week": W2}).fetchall()
                time.sleep(0.02)  # a swap may come between the queries
                second = db.execute(_ANOTHER, {"week": W2}).fetchall()
                again = db.execute(_TWO_FIGURES, {"week": W2}).fetchall()
        except Exception as error:
            found.put(f"{type(error).__name__}: {error}")
            return
        [(build, numerators)], [(records,)] = first, second
        if again != first or numerators != [int(build)] or records != [int(build)]:
            found.put(f"mixed: {first} {second} {again}")
            return
        reads += 1
        builds.add(build)
    found.put((reads, builds))


def _read_evidence_on(home: Path, metric_and_seller: tuple[str, str], stop: Any, found: Any) -> None:
    """Read the evidence again and again as the command does; in a process of its own."""
    reads, builds = 0, set()
    while not stop.is_set():
        try:
            with evidence(store_of(home), *metric_and_seller, W2) as orders:
                rows = orders.df()["detail"].to_list()
        except Exception as error:
            found.put(f"{type(error).__name__}: {error}")
            return
        if len(set(rows)) != 1:
            found.put(f"mixed or nothing: {rows}")
            return
        reads += 1
        builds.add(rows[0])
        time.sleep(0.02)  # leave the processor to the publications
    found.put((reads, builds))


def test_readers_meet_no_lock_and_see_whole_builds_only(home: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    change(home, 0, W2)
    publish_as(home, "0", [W2])
    stop, found = spawn.Event(), spawn.Queue()
    of_evidence = evidence_of(home)[W2][0][1:3]
    readers = [
        spawn.Process(target=_read_on, args=(store_of(home), stop, found)),
        spawn.Process(target=_read_evidence_on, args=(home, of_evidence, stop, found)),
    ]
    for reader in readers:
        reader.start()
    with open_store(store_of(home)) as held:
        for number in range(1, SWAPS + 1):
            change(home, number, W2)
            publish_as(home, str(number), [W2])
            assert held.execute(_TWO_FIGURES, {"week": W2}).fetchall() == [("0", [0])], "who has it open keeps it"
    stop.set()
    results = [found.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    for result in results:
        assert isinstance(result, tuple), result
        assert result[0] > 0
    assert len(set().union(*(builds for _, builds in results))) > 1, "the readers read while builds were swapped"
