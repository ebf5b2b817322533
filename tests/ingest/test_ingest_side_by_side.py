"""Sources are read side by side as they would be read one after the other, and end together when they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.ingest import adapters, intake, landing
from orchestration.ingest.contracts import SOURCES_BY_NAME, Source
from orchestration.ingest.intake import Intake
from orchestration.ingest.landing import IngestContext, ingest_sources
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.limits import EngineLimits
from orchestration.project import PROJECT_ROOT
from tests.ingest.ingest_kit import NOW, Place, Row, logs, row

CONTEXT = IngestContext("run-1", NOW, "UTC", 3, limits=EngineLimits("1GB", 3))
TWO = [SOURCES_BY_NAME["oms_logs"], SOURCES_BY_NAME["packages"]]
#: By source, the part of the key that tells the records of these tests apart.
KEYS = {
    "oms_logs": "log_id",
    "seller_orders": "sub_order_id",
    "packages": "package_id",
    "sellers": "seller_id",
    "claims": "claim_id",
    "tickets": "ticket_id",
    "products": "sku_id",
    "inventory_snapshots": "sku_id",
}
SEVERAL = [SOURCES_BY_NAME[name] for name in KEYS]
#: Longer than any test waits, and the end of it where nothing interrupts it.
LONG = "select max(hash(a.range + b.range)) from range(1000000) as a, range(5000) as b"


def say_nothing(_: Source, __: list[FileRecord]) -> None:
    """Nobody waits for it."""


def packages(*ids: str) -> list[Row]:
    return [row("packages", package_id=package) for package in ids]


def put_some(place: Place) -> None:
    """Of each source small files and a large one, repeated keys, records and files that are broken."""
    for source, key in KEYS.items():
        for number in range(3):
            place.put(f"{source}/{number}.csv", [row(source, **{key: f"K{number}"})])
        place.put(f"{source}/3.jsonl", [row(source, **{key: again}) for again in ("K1", "K9", "K9")])
        place.put(f"{source}/4.parquet", [row(source, **{key: f"{source}-{number}"}) for number in range(3000)])
        place.put(f"{source}/5.csv", [row(source, **{key: ""}), row(source, **{key: "K10"})])
        place.put(f"{source}/6.parquet", b"broken")


def what_became_of(files: list[FileRecord]) -> dict[tuple[str, str], Any]:
    """All that is known of files but for their ids, and what is named by them."""
    return {
        (file.source, file.path): (
            *(file.status, file.error, file.rows_read, file.landed, file.duplicates, file.reasons, file.event_weeks),
            *(file.touches, [(part.week, part.rows, part.least_key, part.greatest_key) for part in file.partitions]),
        )
        for file in files
    }


def without_ids(rows: list[Row]) -> list[Row]:
    return sorted(({name: row[name] for name in row if name != "_file_id"} for row in rows), key=repr)


def test_it_is_as_if_they_were_read_one_after_the_other(tmp_path: Path) -> None:
    beside, after = Place(tmp_path / "beside"), Place(tmp_path / "after")
    for place in (beside, after):
        put_some(place)
    told: dict[str, list[FileRecord]] = {}
    files = ingest_sources(beside.home, SEVERAL, CONTEXT, lambda source, done: told.update({source.name: done}))
    one_by_one = [file for source in SEVERAL for file in after.ingest(source.name)]
    assert what_became_of(files) == what_became_of(one_by_one)
    assert [(file.source, file.path) for file in files] == [(file.source, file.path) for file in one_by_one]
    assert told == {source.name: [file for file in files if file.source == source.name] for source in SEVERAL}
    assert len({file.file_id for file in files}) == len(files)
    for source in SEVERAL:
        assert without_ids(beside.landed(source.name)) == without_ids(after.landed(source.name))
        assert without_ids(beside.rejected(source.name)) == without_ids(after.rejected(source.name))
        assert not beside.orphans(source.name)
        orders = [file.read_order for file in told[source.name]]
        assert orders == sorted(orders)
    assert ingest_sources(beside.home, SEVERAL, CONTEXT, say_nothing) == []


def test_two_are_at_work_at_the_same_time(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=60)
    take = Intake.take

    def meet(self: Intake, origin: Any) -> None:
        both.wait()
        take(self, origin)

    monkeypatch.setattr(Intake, "take", meet)
    place.put("oms_logs/a.csv", logs("L1"))
    place.put("packages/a.csv", packages("P1"))
    assert [file.landed for file in ingest_sources(place.home, TWO, CONTEXT, say_nothing)] == [1, 1]


def fails_once(monkeypatch: pytest.MonkeyPatch, path: str, error: BaseException) -> None:
    """Make the first try of a file fail."""
    take, tries = Intake.take, []

    def fail(self: Intake, origin: Any) -> None:
        if self.record.path == path and not tries:
            tries.append(path)
            raise error
        take(self, origin)

    monkeypatch.setattr(Intake, "take", fail)
    monkeypatch.setattr(landing, "land_together", lambda *_: {})


def test_one_that_finds_too_little_memory_is_read_by_itself_afterwards(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        place.put(f"packages/{name}.csv", packages(name))
    place.put("oms_logs/a.csv", logs("L1"))
    fails_once(monkeypatch, "b.csv", duckdb.OutOfMemoryException("the others have it"))
    told: list[tuple[str, list[str]]] = []
    files = ingest_sources(
        place.home, TWO, CONTEXT, lambda source, done: told.append((source.name, [file.path for file in done]))
    )
    assert [(file.path, file.landed) for file in files if file.source == "packages"] == [
        ("a.csv", 1),
        ("b.csv", 1),
        ("c.csv", 1),
    ]
    assert told == [("oms_logs", ["a.csv"]), ("packages", ["a.csv", "b.csv", "c.csv"])]
    assert (sorted(place.ids("packages")), place.failures()) == (["a", "b", "c"], {})


def test_one_with_adapters_is_read_by_itself_afterwards(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take memory of their own, and hold the ledger while they replace what they brought before."""
    threads: list[threading.Thread] = []
    run = adapters.run_adapter

    def watched(*arguments: Any, **options: Any) -> None:
        threads.append(threading.current_thread())
        run(*arguments, **options)

    monkeypatch.setattr(intake, "run_adapter", watched)
    place.put("shop/a.csv", packages("P1"))
    place.adapter("packages/shop.sql", "select * from read_csv('shop/a.csv', all_varchar = true)")
    place.put("packages/a.csv", packages("P2"))
    place.put("oms_logs/a.csv", logs("L1"))
    told: list[str] = []
    ingest_sources(place.home, TWO, CONTEXT, lambda source, _: told.append(source.name))
    assert (threads, told) == ([threading.main_thread()], ["oms_logs", "packages"])
    assert sorted(place.ids("packages")) == ["P1", "P2"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a fault of ours")], ids=["Ctrl-C", "fault"])
def test_all_end_when_one_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """What is at work is interrupted; it isn't the files' fault, and they are read by the next run."""
    at_work, ended = threading.Event(), []
    take = Intake.take

    def work_long(self: Intake, origin: Any) -> None:
        if self.record.source == "packages":
            take(self, origin)
            assert at_work.wait(60)
            return
        at_work.set()
        try:
            self._engine.execute(LONG)
        except duckdb.InterruptException:
            ended.append("interrupted")
            raise

    def end(source: Source, _: list[FileRecord]) -> None:
        assert source.name == "packages"
        raise error

    for number in range(3):
        place.put(f"oms_logs/{number}.csv", logs(f"L{number}"))
    place.put("packages/a.csv", packages("P1"))
    with monkeypatch.context() as patch:
        patch.setattr(Intake, "take", work_long)
        patch.setattr(landing, "land_together", lambda *_: {})
        with pytest.raises(type(error)):
            ingest_sources(place.home, TWO, CONTEXT, end)
    assert ended == ["interrupted"]
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ThreadPool")] == []
    assert (place.ids("packages"), place.ids("oms_logs"), place.failures()) == (["P1"], [], {})
    assert [file.landed for file in ingest_sources(place.home, TWO, CONTEXT, say_nothing)] == [1, 1, 1]


def test_a_fault_in_one_ends_the_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put("oms_logs/a.csv", logs("L1"))
    place.put("packages/a.csv", packages("P1"))
    fails_once(monkeypatch, "a.csv", RuntimeError("a fault of ours"))
    with pytest.raises(RuntimeError, match="a fault of ours"):
        ingest_sources(place.home, TWO, CONTEXT, say_nothing)
    ingest_sources(place.home, TWO, CONTEXT, say_nothing)
    assert (place.ids("oms_logs"), place.ids("packages"), place.failures()) == (["L1"], ["P1"], {})


def read_until_killed(home: Home, files: int, seconds: float) -> int:
    """Read in a process that is killed so long after the ledger has so many files: how many it has then."""
    script = (
        "from datetime import datetime\n"
        "from orchestration.home.layout import Home\n"
        "from orchestration.ingest.contracts import SOURCES\n"
        "from orchestration.ingest.landing import IngestContext, ingest_sources\n"
        "from orchestration.limits import EngineLimits\n"
        "context = IngestContext('r', datetime(2024, 9, 1), 'UTC', 3, limits=EngineLimits('1GB', 3))\n"
        f"ingest_sources(Home.of({str(home.root)!r}), SOURCES, context, lambda *_: None)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)})
    while process.poll() is None and files_of(home) < files:
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return files_of(home)


def files_of(home: Home) -> int:
    with Ledger(home.ledger, read_only=True) as ledger:
        return len(ledger.files())


def test_with_kill_minus_nine(tmp_path: Path) -> None:
    """Killed again and again, wherever it is; the last run ends with what one undisturbed run would have."""
    killed, undisturbed = Place(tmp_path / "killed"), Place(tmp_path / "undisturbed")
    for place in (killed, undisturbed):
        put_some(place)
    read = [0]
    for round_ in range(6):
        read.append(read_until_killed(killed.home, read[-1] + 1, 0.02 * round_))
    ingest_sources(killed.home, SEVERAL, CONTEXT, say_nothing)
    ingest_sources(undisturbed.home, SEVERAL, CONTEXT, say_nothing)
    assert 0 < read[1] < 7 * len(SEVERAL), read
    for source in SEVERAL:
        assert without_ids(killed.landed(source.name)) == without_ids(undisturbed.landed(source.name))
        assert without_ids(killed.rejected(source.name)) == without_ids(undisturbed.rejected(source.name))
        assert not killed.orphans(source.name)
    with Ledger(killed.home.ledger, read_only=True) as ledger:
        ids = [row["file_id"] for row in ledger.files()]
    assert len(ids) == len(set(ids)) == 7 * len(SEVERAL)
