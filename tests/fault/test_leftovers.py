"""What a run that was killed, or met a full disk, leaves where later commands look: nothing half, nothing for ever."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from dagster import DagsterInstance, DagsterRunStatus, job, op
from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy.exc import OperationalError as SqlOperationalError

from metric_store.reading import published_weeks
from orchestration import errors
from orchestration.cli.run import run_weeks
from orchestration.errors import DiskFullError
from orchestration.home.files import write_whole
from orchestration.home.instance import prepare_instance
from orchestration.home.layout import HOME_VARIABLE, Home
from orchestration.ingest.ledger import Ledger
from orchestration.leftovers import PROCESS_TAG, clear_killed_run
from orchestration.limits import DEFAULT_LIMITS
from orchestration.report.writing import write_report
from orchestration.transform import project
from tests.conftest import SAMPLE_WEEKS, metric_store, run


@pytest.fixture
def killed_after_publication(home_copy: Path) -> Path:
    """A home as a run leaves it that is killed between the new store and the report: nothing is left to compute."""
    with DagsterInstance.from_ref(_instance_of(home_copy)) as instance:
        [last] = instance.get_run_records(limit=1)
        run_id = last.dagster_run.run_id
    _as_if_at_work(home_copy, run_id)
    (home_copy / ".writer.json").write_text(json.dumps({"run_id": run_id, "pid": 1, "since": "2026-01-01 00:00 UTC"}))
    (home_copy / "reports" / SAMPLE_WEEKS[2] / ".mark").write_text("of the build before\n")
    for folder in (".scratch", ".spill", f"published/evidence/week_start={SAMPLE_WEEKS[0]}/build_id=before"):
        (home_copy / folder).mkdir(parents=True)
        (home_copy / folder / "left").write_bytes(b"left")
    (home_copy / "published" / ".next-killed.duckdb").write_bytes(b"half")
    return home_copy


def _instance_of(home: Path) -> Any:
    from dagster._core.instance.ref import InstanceRef

    prepare_instance(Home(home))
    return InstanceRef.from_dir(str(home / "dagster"))


def _as_if_at_work(home: Path, run_id: str) -> None:
    with sqlite3.connect(home / "dagster" / "history" / "runs.db") as database:
        database.execute("update runs set status = 'STARTED' where run_id = ?", [run_id])
    database.close()


def statuses(home: Path) -> set[str]:
    with DagsterInstance.from_ref(_instance_of(home)) as instance:
        return {record.dagster_run.status.value for record in instance.get_run_records()}


def check_nothing_is_left(home: Path) -> None:
    assert not [name for name in (".scratch", ".spill", ".writer.json") if (home / name).exists()]
    assert {path.name for path in (home / "published").iterdir()} == {"metric_store.duckdb", "evidence"}
    builds = {f"build_id={week.build_id}" for week in published_weeks(Home(home).published_store).values()}
    assert {path.name for path in (home / "published" / "evidence").glob("*/*")} == builds
    assert "STARTED" not in statuses(home)
    assert write_report(Home(home)).weeks == ()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `prepare_instance` sets ends with the test."""
    for name in ("DAGSTER_HOME", HOME_VARIABLE, "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_run_with_nothing_to_do_clears_up_after_a_killed_one(killed_after_publication: Path) -> None:
    """It launches no run that would."""
    assert statuses(killed_after_publication) > {"STARTED"}
    before = (killed_after_publication / "published" / "metric_store.duckdb").stat().st_ino
    ended = run(killed_after_publication, keeps_history=True)
    assert (ended.status, ended.out.split(":")[0]) == (0, "Nothing to do"), ended.text
    assert (killed_after_publication / "published" / "metric_store.duckdb").stat().st_ino == before
    check_nothing_is_left(killed_after_publication)


def test_so_does_the_command_that_writes_the_report(killed_after_publication: Path) -> None:
    ended = metric_store("report", "--home", killed_after_publication)
    assert ended.status == 0, ended.text
    check_nothing_is_left(killed_after_publication)


def test_a_run_with_nothing_to_do_brings_old_pages_up_to_date(home_copy: Path) -> None:
    """The run before failed after it had published, as on a full disk: it left no note."""
    (home_copy / "reports" / SAMPLE_WEEKS[2] / ".mark").write_text("of the build before\n")
    index = (home_copy / "reports" / "index.html").stat()
    assert run(home_copy).status == 0
    assert write_report(Home(home_copy)).weeks != (), "pages that look new aren't looked at again"
    (home_copy / "reports" / SAMPLE_WEEKS[2] / ".mark").write_text("of the build before\n")
    os.utime(home_copy / "reports" / "index.html", ns=(index.st_atime_ns, 0))
    ended = run(home_copy)
    assert (ended.status, ended.out.split(":")[0]) == (0, "Nothing to do"), ended.text
    check_nothing_is_left(home_copy)


@pytest.mark.parametrize("status", [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTED])
def test_a_run_that_could_not_write_its_end_is_ended_by_the_next(status: DagsterRunStatus, tmp_path: Path) -> None:
    """Neither a full disk nor a kill lets a run end; Dagster would have it at work, or about to begin, for ever."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    with DagsterInstance.ephemeral() as instance:
        runs = {name: str(uuid4()) for name in ("gone", "alive", "gone, run again from the UI", "of the UI")}
        tags = {
            "gone": f"{gone.pid} {runs['gone']}",
            "alive": f"{os.getpid()} {runs['alive']}",
            "gone, run again from the UI": f"{gone.pid} {runs['gone']}",  # Dagster hands tags on
        }
        for name, run_id in runs.items():
            of_process = {PROCESS_TAG: tags[name]} if name in tags else {}
            instance.create_run_for_job(job_def=define_nothing(), run_id=run_id, status=status, tags=of_process)
        clear_killed_run(Home(tmp_path), instance)
        found = {name: instance.get_run_by_id(run_id).status.value for name, run_id in runs.items()}
    assert found == {**dict.fromkeys(runs, status.value), "gone": "FAILURE"}


def define_nothing() -> Any:
    @op
    def nothing() -> None: ...

    @job
    def nothing_to_do() -> None:
        nothing()

    return nothing_to_do


def full_ledger(*_: Any) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def full_history(self: SqliteEventLogStorage, event: Any) -> None:
    raise SqlOperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))


def no_history(*_: Any) -> None:
    """What SQLite says where the memory that its readers share can't grow."""
    raise SqlOperationalError("INSERT", None, sqlite3.OperationalError("disk I/O error"))


@pytest.mark.parametrize(
    ("owner", "name", "fails"),
    [
        (Ledger, "record", full_ledger),
        (SqliteEventLogStorage, "store_event", full_history),
        (SqliteEventLogStorage, "store_event", no_history),
        (DagsterInstance, "get", no_history),
    ],
    ids=["ledger", "history", "history-shared", "history-opened"],
)
def test_a_full_disk_is_called_so(
    owner: type, name: str, fails: Any, home_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't ours to be reported, and says what to do in two lines."""
    late = home_copy / "inbox" / "oms_logs" / "late.csv"
    late.write_text("log_id,logged_at,event_name,oms_client,seller_id,channel,call_status,attempt\n")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fails)
        patch.setattr(errors.shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
        with pytest.raises(DiskFullError) as raised:
            run_weeks(Home(home_copy), None, None, DEFAULT_LIMITS)
    assert str(raised.value).splitlines() == [
        f"No space is left on the disk of {home_copy}.",
        "The published store is whole; free some space, and run again to go on from here.",
    ]
    with Ledger(home_copy / "landing" / "ledger.sqlite", read_only=True) as ledger:
        assert ledger.files(status="failed") == [], "the file isn't to blame"
    ended = run(home_copy)
    assert ended.status == 0, ended.text


def test_a_disk_that_fails_is_not_called_full(tmp_path: Path) -> None:
    assert not errors.is_disk_full("disk I/O error", tmp_path)
    with pytest.raises(OSError, match="disk I/O error"), errors.full_disk_named(tmp_path):
        raise OSError("disk I/O error")


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on files take their first bytes only."""
    real = Path.write_bytes

    def write(self: Path, content: bytes) -> int:
        real(self, content[: len(content) // 2])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", write)


@pytest.mark.parametrize("before", [None, "before"])
def test_a_file_on_a_full_disk_stays_as_it_was(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file.txt"
    if before:
        file.write_text(before)
    with monkeypatch.context() as patch:
        fill_the_disk(patch)
        with pytest.raises(OSError, match="No space left"):
            write_whole(file, "after")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == ({"file.txt": before} if before else {})
    assert write_whole(file, "äfter") == 6
    assert file.read_text() == "äfter"


def test_settings_of_the_history_are_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written once: half of them would count from then on."""
    with monkeypatch.context() as patch:
        fill_the_disk(patch)
        with pytest.raises(OSError, match="No space left"):
            prepare_instance(Home(tmp_path))
    settings = prepare_instance(Home(tmp_path)) / "dagster.yaml"
    assert settings.read_text().endswith("enabled: true\n")


def test_a_parse_that_is_killed_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of one would be taken for the project's parse from then on."""
    parses: list[Path] = []

    def parse(_: str, target_path: Path, *__: Any) -> None:
        parses.append(target_path)
        (target_path / "manifest.json").write_text('{"half": ')
        if len(parses) == 1:
            raise KeyboardInterrupt
        (target_path / "manifest.json").write_text("{}")

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(project, "_parse", parse)
    monkeypatch.setattr(project, "PACKAGED_PARSE", tmp_path / "of another project")
    with pytest.raises(KeyboardInterrupt):
        project.manifest_path(Home.of())
    assert project.manifest_path(Home.of()).read_text() == "{}"
    assert project.manifest_path(Home.of()).read_text() == "{}"
    assert len(parses) == 2
