"""No process of a run, of `status` or of `metric` tries to leave the machine, be it only to ask for a name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestration.project import DBT_PROJECT_DIR
from orchestration.sample import write_sample
from tests.conftest import metric_store_process

_GUARD = '''
"""Loaded by every Python process on this path: records and refuses whatever would leave the machine."""
import os, sys

_LOOPBACK = ("127.0.0.1", "::1", "localhost", "", None)

def _note(text):
    with open(os.environ["OFFLINE_RECORD"], "a") as record:
        record.write(f"{os.getpid()} {text}\\n")

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in _LOOPBACK:
            _note(f"{event} {address}")
            raise OSError(101, "Network is unreachable")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        if arguments[0] not in _LOOPBACK and arguments[0] != __import__("socket").gethostname():
            _note(f"{event} {arguments[0]}")
            raise OSError(-3, "Temporary failure in name resolution")

with open(os.environ["OFFLINE_PROCESSES"], "a") as processes:
    processes.write(f"{os.getpid()} {os.getppid()}\\n")
sys.addaudithook(_watch)
'''


class Guarded:
    """An environment whose processes are watched, and what was seen of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_GUARD)
        self.record, self._processes = folder / "record.txt", folder / "processes.txt"
        self.record.touch()
        # What the user's own environment switches off must not be what keeps us offline.
        off = ("DO_NOT_TRACK", "DBT_SEND_ANONYMOUS_USAGE_STATS", "DAGSTER_DISABLE_TELEMETRY", "GX_ANALYTICS_ENABLED")
        self.env = {name: "" for name in off if name in os.environ}
        self.env |= {
            "PYTHONPATH": str(folder),
            "OFFLINE_RECORD": str(self.record),
            "OFFLINE_PROCESSES": str(self._processes),
        }

    @property
    def processes(self) -> set[int]:
        return {int(line.split()[0]) for line in self._processes.read_text().splitlines()}

    @property
    def attempts(self) -> str:
        return self.record.read_text()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    return Guarded(tmp_path_factory.mktemp("offline") / "guard")


@pytest.fixture(scope="module")
def home(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One week of a tiny sample, run under guard."""
    home = tmp_path_factory.mktemp("offline") / "home"
    write_sample(home, weeks=1, sellers=10, orders_per_week=100, seed=11)
    before = len(guarded.processes) if guarded._processes.exists() else 0
    ended = metric_store_process("run", "--home", home, env=guarded.env)
    assert ended.status == 0, ended.text
    assert len(guarded.processes) >= before + 2, "the guard must be in the run's process and in the gate's"
    return home


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('example.org', 443)",
        "socket.gethostbyname('example.com')",
        "__import__('urllib.request').request.urlopen('http://example.com', timeout=1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    ],
)
def test_the_guard_sees_an_attempt_also_of_a_child(attempt: str, tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    guarded = Guarded(tmp_path / "guard")
    child = f"import socket\ntry: {attempt}\nexcept OSError: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **guarded.env}, check=True)
    assert guarded.attempts
    assert len(guarded.processes) == 2


def test_a_whole_run_stays_offline(home: Path, guarded: Guarded) -> None:
    assert (home / "published" / "metric_store.duckdb").is_file()
    assert guarded.attempts == ""


@pytest.mark.parametrize(
    "command", [("status",), ("status", "--json"), ("metric", "o2d_ratio"), ("report",), ("--version",)], ids=" ".join
)
def test_reading_commands_stay_offline(command: tuple[str, ...], home: Path, guarded: Guarded) -> None:
    place = () if command == ("--version",) else ("--home", home)
    ended = metric_store_process(*command, *place, env=guarded.env)
    assert ended.status == 0, ended.text
    assert guarded.attempts == ""


def test_loading_the_code_location_stays_offline(home: Path, guarded: Guarded) -> None:
    """What the UI, the schedule and the sensor do first."""
    environment = {**os.environ, **guarded.env, "METRIC_STORE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
    code = """
from dagster import DagsterInstance, build_sensor_context
from orchestration.definitions import defs
from orchestration.jobs import inbox_sensor
with DagsterInstance.get() as instance:
    print(list(inbox_sensor(build_sensor_context(instance=instance))))
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    assert guarded.attempts == ""


def test_telemetry_is_off_in_the_settings_of_a_home(home: Path) -> None:
    settings = yaml.safe_load((home / "dagster" / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["nux"] == {"enabled": False}


def test_dbt_sends_no_usage_statistics_whoever_calls_it() -> None:
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())
    assert project["flags"]["send_anonymous_usage_stats"] is False
