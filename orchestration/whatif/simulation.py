"""What seller grades and limits would be under another configuration: the run's models, in a warehouse of their own.

Reads landed files, the ledger and the published store; writes nothing but its scratch folder, and needs no lock: a run
may go on meanwhile, or start. Hence it computes with DuckDB, whatever the engine of runs: a Spark server's tables are
those of runs. Publishes nothing and compares nothing but the published figures with the new ones.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from metric_store.errors import MetricStoreError
from metric_store.reading import published_weeks
from metric_store.sql import sql_text
from metric_store.words import in_words
from orchestration.configuration import Configuration, ConfigurationError, load_configuration
from orchestration.gate.verdict import GateReport
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.project import code_version
from orchestration.publication.tables import mart_tables
from orchestration.transform.choice import chosen_engine
from orchestration.transform.engine import Engine
from orchestration.transform.project import manifest_path
from orchestration.transform.runner import DbtRunner
from orchestration.transform.warehouse import open_warehouse, prepare, write_verdicts
from orchestration.weeks.planning import State, plans_of, state_of

#: Tables that depend on the configuration of grades and limits, and of each the figures that are compared: the
#: column, and its name in the result behind `old_` and `new_`. All have the key week_start, seller_id.
_TABLES: dict[str, dict[str, str]] = {
    "fct_seller_grade_week": {"final_grade": "grade", "tier": "tier"},
    "fct_seller_ovl_week": {"daily_order_limit": "daily_order_limit"},
}


@dataclass(frozen=True)
class Crossing:
    """Sellers that go from one tier to another in a week; a tier is None without a grade, or below all tiers."""

    week_start: date
    old_tier: str | None
    new_tier: str | None
    sellers: list[str]


@dataclass(frozen=True)
class Simulation:
    """What a simulation found. Its rows, by week and seller, are in the table `simulated` of `warehouse`.

    `figures`: what is compared; of each the table has the columns old_<figure> and new_<figure>.
    `changed`: in how many rows each differs. `notes`: what else than the configuration may make a difference.
    """

    warehouse: duckdb.DuckDBPyConnection
    weeks: list[date]
    rows: int
    figures: list[str]
    changed: dict[str, int]
    crossings: list[Crossing]
    notes: list[str]


@contextmanager
def simulated(home: Home, config: Path, weeks: Sequence[date], say: Callable[[str], None]) -> Iterator[Simulation]:
    """Compute grades and limits of published weeks with the files of `config` in place of the home's.

    `say` is told what is at work. Raises ConfigurationError as a run does, MetricStoreError for a week that isn't
    published.
    """
    configuration = _configuration(home, config)
    for week in weeks:
        configuration.check_week(week)
    published = published_weeks(home.published_store)
    missing = [week for week in weeks if week not in published]
    if missing:
        known = f"Published: {in_words(published)}." if published else "No week is published yet."
        raise MetricStoreError(f"Only published weeks can be simulated; not published: {in_words(missing)}.\n{known}")
    if not home.ledger.is_file():
        raise MetricStoreError(
            f"The record of what landed is missing: {home.ledger}.\n"
            "A simulation computes from landed records: name the home that ran, not a copy of its store."
        )
    with _scratch(home) as scratch:
        say("reading what has landed")
        with Ledger(home.ledger, read_only=True) as ledger:
            state = state_of(ledger, published)
            plans = plans_of(state, configuration, weeks)
            prepare(home, ledger, configuration, plans, Engine(), into=scratch)
        # Nothing of this is published: every week is to be compared with the week before as it would come out.
        write_verdicts(scratch, GateReport(weeks, results=()))
        tables = [table.name for table in mart_tables(manifest_path(home)) if table.name in _TABLES]
        _copy_published(home, scratch, tables, weeks)
        say("computing grades and limits")
        selection = ("--select", *(f"+{table}" for table in tables), "--exclude", "resource_type:test")
        with closing(DbtRunner(scratch, Engine())) as dbt:
            for _ in dbt.build(*selection):
                pass
        with open_warehouse(scratch) as db:
            yield _compared(db, tables, sorted(weeks), _notes(home, state, weeks))


def _configuration(home: Home, config: Path) -> Configuration:
    configuration = load_configuration(home.config, instead=config)
    if not any(path.parent == config for path in configuration.paths.values()):
        raise MetricStoreError(
            f"{config} holds no configuration file.\n"
            "Put the files that are to differ into it; what it lacks is as in the home."
        )
    return configuration


@contextmanager
def _scratch(home: Home) -> Iterator[Home]:
    """A folder shaped like a home, for a warehouse of its own; those that killed simulations left are removed."""
    for left in home.simulations.glob("*.lock"):
        lock = FileLock(left)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue  # its simulation is running
        _remove(left, lock)
    place = home.simulations / uuid.uuid4().hex
    marker = place.with_suffix(".lock")
    home.simulations.mkdir(exist_ok=True)
    lock = FileLock(marker)
    lock.acquire()
    try:
        place.mkdir()
        yield Home.of(place)
    finally:
        _remove(marker, lock)
        with suppress(OSError):  # another one may be running
            home.simulations.rmdir()


def _remove(marker: Path, lock: FileLock) -> None:
    shutil.rmtree(marker.with_suffix(""), ignore_errors=True)
    marker.unlink(missing_ok=True)
    lock.release()


def _copy_published(home: Home, scratch: Home, tables: Sequence[str], weeks: Sequence[date]) -> None:
    """The published figures as they are now: a run may publish before the new ones are there."""
    listed = ", ".join(f"date '{week}'" for week in weeks)
    with open_warehouse(scratch) as db:
        db.execute(f"attach {sql_text(str(home.published_store))} as published (read_only)")
        there = db.execute("select table_name from duckdb_tables() where database_name = 'published'").fetchall()
        db.execute("create schema published_figures")
        for table in tables:
            columns = ", ".join(_TABLES[table])
            # A store of an earlier release may lack the table: then there is nothing to compare with.
            rows = (
                f"select week_start, seller_id, {columns} from published.marts.{table} where week_start in ({listed})"
                if (table,) in there
                else "select null::date as week_start, null::varchar as seller_id, "
                + ", ".join(f"null as {column}" for column in _TABLES[table])
                + " where false"
            )
            db.execute(f"create table published_figures.{table} as {rows}")
        db.execute("detach published")


def _compared(db: duckdb.DuckDBPyConnection, tables: Sequence[str], weeks: list[date], notes: list[str]) -> Simulation:
    listed = ", ".join(f"date '{week}'" for week in weeks)
    sides: list[str] = []
    columns: list[str] = []
    figures: list[str] = []
    for table in tables:
        sides += [f"published_figures.{table}", f"marts.{table}"]
        for column, figure in _TABLES[table].items():
            columns += [
                f"published_figures_{table}.{column} as old_{figure}",
                f"marts_{table}.{column} as new_{figure}",
            ]
            figures.append(figure)
    keys = " union ".join(f"select week_start, seller_id from {side}" for side in sides)
    joins = " ".join(f"left join {side} as {side.replace('.', '_')} using (week_start, seller_id)" for side in sides)
    db.execute(
        f"create table simulated as select week_start, seller_id, {', '.join(columns)} "
        f"from ({keys}) as keys {joins} where week_start in ({listed}) order by week_start, seller_id"
    )
    counts = ", ".join(f"count(*) filter (where old_{f} is distinct from new_{f})" for f in figures)
    rows, *changed = db.execute(f"select count(*), {counts} from simulated").fetchall()[0]
    crossings = db.execute(
        "select week_start, old_tier, new_tier, list(seller_id order by seller_id) from simulated "
        "where old_tier is distinct from new_tier group by all order by all"
    ).fetchall()
    return Simulation(
        db, weeks, rows, figures, dict(zip(figures, changed, strict=True)), [Crossing(*row) for row in crossings], notes
    )


def _notes(home: Home, state: State, weeks: Sequence[date]) -> list[str]:
    """Why published figures aren't those of a run today, with the configuration as it is; and what else to know."""
    reasons: dict[str, list[date]] = {}
    try:
        present: Configuration | None = load_configuration(home.config)
    except ConfigurationError:
        present = None
    for week in weeks:
        published = state.published[week]
        if state.has_other_records(week):
            reasons.setdefault("records have landed since", []).append(week)
        if published.code_version != code_version():
            reasons.setdefault("they were built by other code", []).append(week)
        if present is None or present.config_hash(week) != published.config_hash:
            reasons.setdefault("the home's configuration has changed since", []).append(week)
    notes = [
        f"Not all differences of {in_words(found)} come from the configuration tried: {reason}."
        for reason, found in reasons.items()
    ]
    if (engine := chosen_engine().name) != Engine.name:
        notes.append(f"Computed by DuckDB on this machine, from the landed files; the engine of runs is {engine}.")
    return notes


def as_dict(crossing: Crossing) -> dict[str, Any]:
    """A crossing for JSON."""
    return {
        "week_start": crossing.week_start.isoformat(),
        "old_tier": crossing.old_tier,
        "new_tier": crossing.new_tier,
        "sellers": len(crossing.sellers),
        "seller_ids": crossing.sellers,
    }
