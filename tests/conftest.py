"""Homes that many tests read, made once, and the command line as a user has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from orchestration.sample import write_sample

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"
METRIC_STORE = Path(sys.executable).with_name("metric-store")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def metric_store(*arguments: str | Path, env: dict[str, str] | None = None) -> Ended:
    """Run `metric-store` in a process of its own."""
    done = subprocess.run(
        [str(METRIC_STORE), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=600,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run(home: Path, weeks: str | None = None) -> Ended:
    """`metric-store run`, for these weeks or for all that are new or due."""
    return metric_store("run", "--home", home, *(["--weeks", weeks] if weeks else []))


def shared(*parts: str) -> Path:
    """A folder of the material that lies beside the project; skips the test where it is missing."""
    folder = SHARED.joinpath(*parts)
    if not folder.exists():
        pytest.skip(f"{'/'.join(parts)} of the shared material isn't beside this checkout")
    return folder


def copy_tree(source: Path, target: Path) -> None:
    """A writable copy of a folder."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for path in [target, *target.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a test run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(folder: Path, name: str, make) -> Path:
    """The home `name`, made by the first worker that asks for it."""
    home = folder / name
    with FileLock(folder / f"{name}.lock"):
        if not (folder / f"{name}.made").exists():
            make(home)
            (folder / f"{name}.made").touch()
    return home


@pytest.fixture(scope="session")
def conformance_case() -> Path:
    return shared("conformance", "case-1")


@pytest.fixture(scope="session")
def conformance_home(shared_folder: Path, conformance_case: Path) -> Path:
    """The conformance case after its run; what the run said lies in `run.txt`, its status in `status.txt`."""

    def make(home: Path) -> None:
        for part in ("inbox", "config"):
            copy_tree(conformance_case / part, home / part)
        ended = run(home, "2024-08-05..2024-09-23")
        (home / "run.txt").write_text(ended.text)
        (home / "status.txt").write_text(str(ended.status))

    return made_once(shared_folder, "conformance", make)


SAMPLE_WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")


def small_sample(home: Path, weeks: int = 3) -> None:
    """A few weeks of synthetic records, small enough for a test."""
    write_sample(home, weeks=weeks, sellers=12, orders_per_week=150, seed=11)


@pytest.fixture(scope="session")
def sample_home(shared_folder: Path) -> Path:
    """Three synthetic weeks, published in one backfill. Tests read it; one that changes a home copies it."""

    def make(home: Path) -> None:
        small_sample(home)
        ended = run(home)
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "sample", make)


@pytest.fixture
def home_copy(sample_home: Path, tmp_path: Path) -> Path:
    """A home of its own, as the sample home is after its run."""
    home = tmp_path / "home"
    shutil.copytree(sample_home, home)
    return home
