"""The command line: what ends with which status and in which words, and what `metric` and `status` print."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster
import pytest
from filelock import FileLock

import orchestration.cli.status
import orchestration.ui.server
from metric_store.errors import MetricStoreError
from orchestration.cli.causes import cause_of
from orchestration.cli.run import _say
from orchestration.errors import InterruptedRunError, UsageError
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.landing import IngestContext, ingest_source
from orchestration.transform.invocation import DbtError
from tests.conftest import metric_store, metric_store_process
from tests.unit.cli_kit import call, ends, modules_after


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    """A home with an inbox and nothing in it."""
    (tmp_path / "home" / "inbox").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Home, Any]]:
    """Where `ui` would serve which home: it ends at once."""
    found: list[tuple[Home, Any]] = []
    monkeypatch.setattr(
        orchestration.ui.server, "serve", lambda home, listener, _: found.append((home, listener.getsockname()))
    )
    for name in ("DAGSTER_HOME", "METRIC_STORE_HOME", "METRIC_STORE_AUTOMATION"):
        monkeypatch.setenv(name, "")  # set by the command, and put back after the test
    return found


def test_the_ui_is_for_this_machine_only(empty_home: Path, served: list[tuple[Home, Any]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert call("ui", "--home", empty_home, "--port", str(port)).exit_code == 0
    assert served == [(Home(empty_home), ("127.0.0.1", port))]
    assert os.environ["METRIC_STORE_HOME"] == str(empty_home), "runs that it launches are of this home"


def test_a_port_in_use_is_an_error_before_anything_starts(empty_home: Path, served: list[tuple[Home, Any]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"Port {port} of 127.0.0.1 can't be used: Address already in use"
        ends(call("ui", "--home", empty_home, "--port", str(port)), 1, said, "--port")
    ends(call("ui", "--home", empty_home, "--port", "70000"), 2, "70000 is not in the range")
    assert served == []


def test_a_home_has_one_ui(empty_home: Path, served: list[tuple[Home, Any]]) -> None:
    (empty_home / "dagster").mkdir()
    with FileLock(empty_home / "dagster" / "ui.lock"):
        ends(call("ui", "--home", empty_home, "--port", "0"), 1, "metric-store ui is at work", "end it first")
    assert served == []
    assert call("ui", "--home", empty_home, "--port", "0").exit_code == 0


EVIDENCE = ("evidence", "o2d_ratio", "--seller", "S1", "--week", "2026-01-05")
WHY = ("why", "o2d_ratio", "--week", "2026-01-05")
RECOVERY = ("recovery", "--seller", "S1")
COMMANDS = (("run",), ("status",), ("metric", "o2d_ratio"), EVIDENCE, WHY, RECOVERY, ("ui",))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_missing_home(command: tuple[str, ...], tmp_path: Path) -> None:
    ends(
        call(*command, "--home", tmp_path / "none"), 1, f"no home at {tmp_path / 'none'}", "--home", "METRIC_STORE_HOME"
    )
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_that_is_no_home(command: tuple[str, ...], tmp_path: Path) -> None:
    ends(call(*command, "--home", tmp_path), 1, f"{tmp_path} has neither an inbox nor a published store")
    assert list(tmp_path.iterdir()) == []


def test_commands_to_copy_name_a_home_with_a_space_as_one_word(tmp_path: Path) -> None:
    home = tmp_path / "my home"
    ends(call("status", "--home", home), 1, f"metric-store sample --home '{home}'")
    made = call("sample", "--home", home, "--weeks", "1", "--sellers", "12", "--orders-per-week", "10")
    assert made.stdout.splitlines()[-1] == f"Next: metric-store run --home '{home}'"
    ends(call("metric", "o2d_ratio", "--home", home), 1, f"run metric-store run --home '{home}'")


def test_a_home_under_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in ("run", "ui", "report"):
        ends(call(command, "--home", tmp_path / "file" / "home"), 1, "no home at")
    ends(call("sample", "--home", tmp_path / "file" / "home"), 1, f"Not a directory: {tmp_path / 'file'}")


@pytest.mark.parametrize(
    ("umask", "folder", "file"), [(0o000, 0o750, 0o640), (0o022, 0o750, 0o640), (0o077, 0o700, 0o600)]
)
def test_a_home_is_for_its_user_and_group(tmp_path: Path, umask: int, folder: int, file: int) -> None:
    before = os.umask(umask)
    try:
        call("sample", "--home", tmp_path / "home", "--weeks", "1", "--sellers", "12", "--orders-per-week", "10")
    finally:
        os.umask(before)
    made = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "home").rglob("*")}
    assert made == {(True, folder), (False, file)}


def test_a_file_in_place_of_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ends(call("status", "--home", tmp_path / "file"), 1, "no home at")


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        ("2026-01-06", "2026-01-06 is a Tuesday; a week is named by its Monday: 2026-01-05"),
        ("2014-12-29", "2014-12-29 is too early"),
        ("last week", "'last week' is no week"),
        ("2026-02-30", "'2026-02-30' is no week"),
        ("2026-01-12..2026-01-05", "write --weeks 2026-01-05..2026-01-12"),
        ("..", "'' is no week"),
    ],
)
def test_weeks_that_cannot_be_meant_are_wrong_usage(weeks: str, said: str, empty_home: Path) -> None:
    ends(call("run", "--home", empty_home, "--weeks", weeks), 2, said)
    if ".." not in weeks:
        ends(call("metric", "o2d_ratio", "--home", empty_home, "--week", weeks), 2, said)
        ends(call("sample", "--home", empty_home, "--start", weeks), 2, said)
    assert [path.name for path in empty_home.iterdir()] == ["inbox"]


def test_a_week_that_is_not_over_is_refused_before_anything_is_touched(empty_home: Path) -> None:
    monday = date.today() + timedelta(days=7 - date.today().weekday())
    ends(call("run", "--home", empty_home, "--weeks", str(monday)), 1, f"Not over yet: {monday}", "03:00 UTC")
    assert [path.name for path in empty_home.iterdir()] == ["inbox"]


def refuse() -> None:
    raise DbtError("The build failed: model x in y.sql.")


def test_the_reason_of_a_failed_run_is_what_failed_first(tmp_path: Path) -> None:
    @dagster.op
    def fails() -> None:
        try:
            refuse()
        except DbtError as error:
            raise RuntimeError("wrapped") from error

    @dagster.job
    def failing() -> None:
        fails()

    with dagster.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        result = failing.execute_in_process(instance=instance, raise_on_error=False)
    cause = cause_of(result.all_events, result.run_id, Home(tmp_path))
    assert str(cause) == "The build failed: model x in y.sql."
    assert "in refuse" in "".join(cause.__notes__), "--debug shows where it happened"


def test_a_run_that_was_ended_says_so_though_what_was_at_work_failed_of_it(tmp_path: Path) -> None:
    """A second signal within a wait leaves its lock, so that Python's own error comes on top of the interruption."""

    @dagster.op
    def fails() -> None:
        lock = threading.Lock()
        with lock:
            lock.release()
            raise KeyboardInterrupt

    @dagster.job
    def failing() -> None:
        fails()

    with dagster.DagsterInstance.ephemeral(str(tmp_path)) as instance:
        result = failing.execute_in_process(instance=instance, raise_on_error=False)
    cause = cause_of(result.all_events, result.run_id, Home(tmp_path))
    assert isinstance(cause, InterruptedRunError)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--wrong"),
        ("--wrong",),
        ("publish",),
        ("metric", "--total"),
        ("evidence", "o2d_ratio"),
        ("evidence", "o2d_ratio", "--seller", "S1"),
        ("evidence", "o2d_ratio", "--week", "2026-01-05"),
        ("evidence", "--seller", "S1", "--week", "2026-01-05"),
        ("evidence", "o2d_ratio", "--seller", "S1", "--week", "next"),
        ("status", "--home"),
        ("sample", "--weeks", "0"),
        ("sample", "--orders-per-week", "many"),
        ("sample", "--scenario", "sunny"),
        ("run", "--now", "today"),
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: tuple[str, ...], empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRIC_STORE_HOME", str(empty_home))
    ends(call(*arguments), 2)
    assert list((empty_home / "inbox").iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ("metric", "o2d_ratio"),
        EVIDENCE,
        ("simulate", "--config", ".", "--weeks", "2026-01-05"),
        ("rehearse", "--factor", "2"),
    ],
    ids=" ".join,
)
def test_two_forms_at_once_are_wrong_usage(command: tuple[str, ...], empty_home: Path) -> None:
    for forms in (("--json", "--csv"), ("--csv", "--json")):
        ends(call(*command, *forms, "--home", empty_home), 2, "--json and --csv can't both be given")


@pytest.mark.parametrize("arguments", [("--help",), ("run", "-h"), ("--version",)], ids=" ".join)
def test_help_is_no_error(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 0
    assert result.stdout
    assert result.stderr == ""


def test_nothing_published_yet(empty_home: Path) -> None:
    ends(
        call("metric", "o2d_ratio", "--home", empty_home),
        1,
        "No week is published",
        f"metric-store run --home {empty_home}",
    )
    for command in (EVIDENCE, WHY, RECOVERY):
        ends(call(*command, "--home", empty_home), 1, "No week is published", f"metric-store run --home {empty_home}")
    shown = call("status", "--home", empty_home)
    assert shown.exit_code == 0
    assert "no week has landed yet" in shown.stdout
    assert json.loads(call("status", "--home", empty_home, "--json").stdout)["weeks"] == []


def test_reading_leaves_an_empty_home_as_it_is(empty_home: Path) -> None:
    call("status", "--home", empty_home)
    call("metric", "o2d_ratio", "--home", empty_home)
    call(*EVIDENCE, "--home", empty_home)
    assert [path.name for path in empty_home.iterdir()] == ["inbox"]


def test_a_store_that_is_no_store(empty_home: Path) -> None:
    store = empty_home / "published" / "metric_store.duckdb"
    store.parent.mkdir()
    store.write_bytes(b"not a database" * 1000)
    for command in (("metric", "o2d_ratio"), EVIDENCE, WHY, RECOVERY, ("run",)):
        ends(call(*command, "--home", empty_home), 1, f"{store} can't be read", "move it away")


def _unexpected(said: str) -> str:
    return f"Error: unexpected error, please report it: {said}\nRun again with metric-store --debug to see where.\n"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MetricStoreError("broken.\nMend it."), 1, "Error: broken.\nMend it.\n"),
        (UsageError("not so"), 2, "Error: not so\n"),
        (PermissionError(13, "Permission denied", "/home"), 1, "Error: Permission denied: /home\n"),
        (
            KeyError("x\ny"),
            1,
            _unexpected("KeyError: 'x\\ny'"),
        ),
        (
            ValueError(),
            1,
            _unexpected("ValueError: no reason given"),
        ),
    ],
)
def test_errors_end_a_command(
    error: Exception, status: int, said: str, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(orchestration.cli.status, "show_status", fail)
    ended = call("status", "--home", empty_home)
    assert (ended.exit_code, ended.stderr) == (status, said)
    assert call("--debug", "status", "--home", empty_home).exception is error


def test_ctrl_c_ends_a_command_with_one_line(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(orchestration.cli.status, "show_status", interrupt)
    ended = call("status", "--home", empty_home)
    assert ended.exit_code == 1
    assert ended.stderr.strip() == "Error: Interrupted. The published store is whole; run again to go on from here."


def test_a_traceback_only_with_debug(tmp_path: Path) -> None:
    quiet = metric_store("status", "--home", tmp_path)
    loud = metric_store_process("--debug", "status", "--home", tmp_path)
    assert (quiet.status, loud.status) == (1, 1)
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err


_HEAVY = (
    *("dagster", "dagster_dbt", "dbt", "pandas", "duckdb", "pyarrow", "numpy", "great_expectations", "sqlalchemy"),
    *("pygal", "jinja2"),
)


def test_names_of_files_fake_no_lines_and_steer_no_terminal(
    empty_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inbox, adapters = empty_home / "inbox", empty_home / "adapters" / "packages"
    for folder in (inbox / "packages", adapters):
        folder.mkdir(parents=True)
    (inbox / "packages" / "a\x1b[2J\nPublished 9 weeks.csv").write_text("x\n")
    (inbox / "ignored\nUnreadable").write_text("x")
    (adapters / "b\nc.sql").write_text("select 1")
    context = IngestContext("run", datetime(2026, 3, 1), "UTC", 3)
    assert len(ingest_source(Home(empty_home), SOURCES_BY_NAME["packages"], context)) == 2
    _say(Home(empty_home), [], new_files=0)
    said = capsys.readouterr()
    assert [line.split(": ")[:2] for line in said.err.splitlines()] == [
        ["Unreadable", "inbox/packages/a\\x1b[2J\\nPublished 9 weeks.csv"],
        ["Unreadable", "adapters/packages/b\\nc.sql"],
    ]
    shown = call("status", "--home", empty_home).stdout
    assert "  packages/a\\x1b[2J\\nPublished 9 weeks.csv: required column missing" in shown
    assert "Ignored in the inbox: ignored\\nUnreadable" in shown
    assert "  adapters/packages/b\\nc.sql: it reads no file" in shown
    assert not [line for line in shown.splitlines() if line.startswith(("Published", "Unreadable\n", "c.sql"))]


def test_the_command_line_is_light_to_import() -> None:
    assert modules_after("import orchestration.cli") & set(_HEAVY) == set()
