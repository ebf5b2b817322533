"""Publications of the sample home's warehouse, made in this process under names of their own, and what they leave."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.home.layout import Home
from orchestration.publication.store import publish
from orchestration.publication.tables import mart_tables
from orchestration.transform.project import manifest_path
from orchestration.weeks.planning import Week
from tests.conftest import SAMPLE_WEEKS, evidence_of, query

W1, W2, W3 = (date.fromisoformat(week) for week in SAMPLE_WEEKS)
NOW = datetime(2026, 3, 1)


def store_of(home: Path) -> Path:
    return home / "published" / "metric_store.duckdb"


def planned(week: date, build: str) -> Week:
    at = datetime(2026, 1, 1)
    return Week(week, at, at, at, at.date(), False, f"raw {build}", "config", "code", "mark")


def publish_as(home: Path, build: str, weeks: Sequence[date], judged: Sequence[date] = (), now: datetime = NOW) -> int:
    """Publish these weeks of the warehouse; returns how many figures were restated."""
    return publish(
        Home(home),
        mart_tables(manifest_path(Home.of())),
        [planned(week, build) for week in weeks],
        judged or weeks,
        build,
        now,
    ).restated


def change(
    home: Path, number: int, week: date, tables: Sequence[str] = ("fct_metric_week", "fct_null_request_id_week")
) -> None:
    """Let a figure of these tables of a week come out as `number`."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        for table in tables:
            column = "numerator" if table == "fct_metric_week" else "records"
            db.execute(f"update marts.{table} set {column} = ? where week_start = ?", [number, week])
        evidence = "intermediate.int_metric_evidence_week"
        db.execute(f"update {evidence} set detail = ? where week_start = ?", [str(number), week])


def details(home: Path, week: date) -> set[str | None]:
    """What the readable evidence of a week says in `detail`: the number given to `change`."""
    return {row[-2] for row in evidence_of(home)[week]}


def folders(home: Path) -> dict[date, list[str]]:
    """The builds that have evidence, by week."""
    found: dict[date, list[str]] = {}
    for folder in sorted((home / "published" / "evidence").glob("*/*")):
        week = date.fromisoformat(folder.parent.name.removeprefix("week_start="))
        found.setdefault(week, []).append(folder.name.removeprefix("build_id="))
    return found


def leftovers(home: Path) -> set[str]:
    """What lies in `published` beside what is published."""
    return {path.name for path in (home / "published").iterdir()} - {"metric_store.duckdb", "evidence"}


def bytes_of(home: Path) -> str:
    return hashlib.sha256(store_of(home).read_bytes()).hexdigest()


def currents(home: Path) -> dict[date, str]:
    return dict(query(home, "select week_start, build_id from marts.publication where is_current"))
