"""Homes that many tests read, made once, and the command line as a user has it."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster import DagsterInstance
from filelock import FileLock

from dbt_project.registry import registry
from metric_store.reading import evidence_relation, open_store, published_weeks
from orchestration.cli.app import main
from orchestration.sample import write_august, write_sample
from orchestration.sample.august import LEAST_SCALE

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"
BRAND_METRICS = [
    *("o2d_ratio", "acceptance_failure_rate", "sla_breach_cancellation_rate"),
    *("manifestation_failure_rate", "bad_user_order_contribution"),
]
EVIDENCE_METRICS = [metric.id for metric in registry().metrics if metric.evidence]
METRIC_STORE = Path(sys.executable).with_name("metric-store")


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking through it for garbage again and again takes a tenth of a run."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


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
    """Run `metric-store` in this process, which has imported everything once for all tests."""
    before = dict(os.environ)
    try:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], env=env or {})
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Ended(result.exit_code, result.stdout, result.stderr)


def metric_store_process(*arguments: str | Path, env: dict[str, str] | None = None, timeout: float = 600) -> Ended:
    """Run `metric-store` in a process of its own, for tests of what a process does."""
    done = subprocess.run(
        [str(METRIC_STORE), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run(home: Path, weeks: str | None = None, *, keeps_history: bool = False) -> Ended:
    """`metric-store run`, for these weeks or for all that are new or due.

    Dagster keeps the run's history in memory, which takes a third less time; tests that read it have it written.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not keeps_history:
            patch.setattr(DagsterInstance, "get", DagsterInstance.ephemeral)
        return metric_store("run", "--home", home, *(["--weeks", weeks] if weeks else []))


def published_tables(home: Path, *without: str) -> dict[str, list[tuple]]:
    """Every published table, its rows as they lie."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        names = store.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        ).fetchall()
        return {name: store.execute(f"from marts.{name}").fetchall() for (name,) in names if name not in without}


def query(home: Path, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:
    """Rows of the published store."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute(sql, parameters).fetchall()


def evidence_of(home: Path) -> dict[date, list[tuple]]:
    """The rows of the evidence of every published week, as they lie."""
    path = home / "published" / "metric_store.duckdb"
    with open_store(path) as store:
        return {
            week: store.execute(f"select * from {evidence_relation(store, path, week)}").fetchall()
            for week in published_weeks(path)
        }


def check_evidence_counts(home: Path) -> None:
    """Per week, metric and seller the published evidence has as many rows as the published figures count against it.

    Brand metrics are published for all sellers together, and so are checked.
    """
    units = Counter(
        (week, row[1], None if row[1] in BRAND_METRICS else row[2])
        for week, rows in evidence_of(home).items()
        for row in rows
    )
    figures = """
        select week_start, metric_id, null as seller_id, numerator, denominator from marts.fct_metric_week
        where dimension = 'overall' and list_contains($brand, metric_id)
        union all select week_start, kpi_id, seller_id, numerator, denominator from marts.fct_seller_rating_week
        union all select week_start, metric_id, seller_id, numerator, denominator
        from marts.fct_seller_grade_metric_week
        union all select week_start, 'ovl_cancellation_rate', seller_id, cancelled_seller_fault, orders_due
        from marts.fct_seller_operational_week
        union all select week_start, 'ovl_on_time_rate', seller_id, orders_due - not_on_time, orders_due
        from marts.fct_seller_operational_week
    """
    with open_store(home / "published" / "metric_store.duckdb") as store:
        rows = store.execute(
            f"select figures.*, direction from ({figures}) as figures inner join marts.dim_metric using (metric_id)",
            {"brand": BRAND_METRICS},
        ).fetchall()
    against = {
        (week, metric, seller): numerator if direction == "low" else denominator - numerator
        for week, metric, seller, numerator, denominator, direction in rows
    }
    assert {metric for _, metric, _ in against} == set(EVIDENCE_METRICS)
    assert units == {figure: count for figure, count in against.items() if count}
    assert len({metric for _, metric, _ in units}) > len(EVIDENCE_METRICS) / 2


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
def conformance_home(shared_folder: Path) -> Path:
    """The first conformance case after its run."""
    return home_of_case(shared_folder, "case-1")


def home_of_case(folder: Path, case: str) -> Path:
    """A conformance case after its run; what the run said lies in `run.txt`, its status in `status.txt`."""

    def make(home: Path) -> None:
        for part in ("inbox", "config"):
            copy_tree(shared("conformance", case) / part, home / part)
        ended = run(home, "2024-08-05..2024-09-23")
        (home / "run.txt").write_text(ended.text)
        (home / "status.txt").write_text(str(ended.status))

    return made_once(folder, case, make)


SAMPLE_WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")


def small_sample(home: Path, weeks: int = 3) -> None:
    """A few weeks of synthetic records, small enough for a test."""
    write_sample(home, weeks=weeks, sellers=12, orders_per_week=150, seed=11)


@pytest.fixture(scope="session")
def sample_home(shared_folder: Path) -> Path:
    """Three synthetic weeks, published in one backfill. Tests read it; one that changes a home copies it."""

    def make(home: Path) -> None:
        small_sample(home)
        ended = run(home, keeps_history=True)
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "sample", make)


@pytest.fixture(scope="session")
def august_sample(shared_folder: Path) -> Path:
    """The smallest scenario `august` as it is written, in `home`, and its summary in `summary.pickle`."""

    def make(folder: Path) -> None:
        summary = write_august(folder / "home", scale=LEAST_SCALE)
        (folder / "summary.pickle").write_bytes(pickle.dumps(summary))

    return made_once(shared_folder, "august-sample", make)


@pytest.fixture(scope="session")
def august_home(shared_folder: Path, august_sample: Path) -> Path:
    """That sample after its run; what the run said lies in `run.txt`, its status in `status.txt`."""

    def make(home: Path) -> None:
        shutil.copytree(august_sample / "home", home)
        ended = run(home)
        (home / "run.txt").write_text(ended.text)
        (home / "status.txt").write_text(str(ended.status))

    return made_once(shared_folder, "august", make)


@pytest.fixture
def home_copy(sample_home: Path, tmp_path: Path) -> Path:
    """A home of its own, as the sample home is after its run."""
    home = tmp_path / "home"
    shutil.copytree(sample_home, home)
    return home
