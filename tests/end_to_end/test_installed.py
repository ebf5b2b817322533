"""The built wheel, as others install it: it writes nothing beside the home, and prints its own lines.

No process of a run, of `status` or of `metric` tries to leave the machine, be it only to ask for a name.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from orchestration.project import DBT_PROJECT_DIR, PROJECT_ROOT
from tests.conftest import metric_store_process, small_sample

_CALL = """
import logging
logging.basicConfig(level=logging.WARNING)  # as a notebook or a service has it
from orchestration.cli import main
main(["run", "--home", {home!r}])
"""

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


@dataclass
class Installed:
    """A wheel in a folder of its own, and a run of one week from it, under guard."""

    site: Path
    before: dict[Path, int]
    elsewhere: Path
    home: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def installed(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--wheel", "--no-build-isolation"]
    subprocess.run([*build, "--python", sys.executable, "-o", str(folder / "dist"), str(PROJECT_ROOT)], check=True)
    [wheel] = (folder / "dist").glob("*.whl")
    site, home, elsewhere = (folder / name for name in ("site", "home", "elsewhere"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    elsewhere.mkdir()
    small_sample(home, weeks=1)
    before = _files(site)
    path = os.pathsep.join([guarded.env["PYTHONPATH"], str(site)])
    done = subprocess.run(
        [sys.executable, "-c", _CALL.format(home=str(home))],
        cwd=elsewhere,
        env={**os.environ, **guarded.env, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Installed(site, before, elsewhere, home, done)


@pytest.fixture(scope="module")
def home(installed: Installed) -> Path:
    assert installed.done.returncode == 0, installed.done.stderr
    return installed.home


def _files(folder: Path) -> dict[Path, int]:
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


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


def test_the_wheel_runs_without_a_write_beside_the_home_and_prints_its_own_lines(
    installed: Installed, home: Path
) -> None:
    assert {Path("dbt_project/target/manifest.json"), Path("metric_store/py.typed")} <= installed.before.keys()
    ours = re.compile(r" *[\d.]+ s  |Read \d+ new files: ")
    assert [line for line in installed.done.stderr.splitlines() if not ours.match(line)] == []
    assert installed.done.stdout.splitlines()[0].startswith("Published 1 week: ")
    assert _files(installed.site) == installed.before
    assert list(installed.elsewhere.iterdir()) == []
    assert not (home / "dagster" / "dbt_target" / "manifest.json").exists(), "nothing had to be parsed"


def test_a_whole_run_stays_offline(home: Path, guarded: Guarded) -> None:
    assert (home / "published" / "metric_store.duckdb").is_file()
    assert guarded.processes, "the guard must be in the run's process"
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
