"""Publishes: writes a whole new store beside the old one and puts it in its place in one rename.

A reader that has the old file open keeps it, one that opens the path gets the new one; a crash at any point leaves the
old one. The evidence of a build is written before the rename, that of older builds removed after it. The figures are
the marts' own rows; nothing is computed here but the list of figures that changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from metric_store.reading import published_weeks
from metric_store.sql import sql_name, sql_text
from orchestration.home.files import sync
from orchestration.home.layout import Home
from orchestration.publication.evidence import remove_evidence_of_other_builds, write_evidence
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, PublishedTable
from orchestration.transform.warehouse import when_free
from orchestration.weeks.planning import Week

#: Columns that follow the week before: filling them in when that week is published is no restatement.
_OF_WEEK_BEFORE = frozenset({"previous_value", "previous_grade", "change"})


@dataclass(frozen=True)
class Published:
    """What a publication did: rows of its weeks by table, and how many published figures changed."""

    build_id: str
    rows: dict[str, int]
    restated: int


def remove_unfinished(home: Home) -> None:
    """Remove stores that a killed run didn't finish."""
    for left in home.published.glob(".next-*"):
        if left.is_dir():  # where the engine put what didn't fit into memory
            shutil.rmtree(left)
        else:
            left.unlink()


def remove_leftovers(home: Home) -> None:
    """Remove what a publication left that came to no end: unfinished stores, and evidence of builds no week has."""
    remove_unfinished(home)
    builds = {week: published.build_id for week, published in published_weeks(home.published_store).items()}
    remove_evidence_of_other_builds(home.evidence, builds)


def publish(
    home: Home,
    marts: Sequence[PublishedTable],
    weeks: Sequence[Week],
    judged: Sequence[date],
    build_id: str,
    now: datetime,
) -> Published:
    """Publish these weeks' rows of the marts; `judged` are all weeks whose verdicts are shown, `now` is UTC."""
    home.published.mkdir(parents=True, exist_ok=True)
    remove_unfinished(home)
    target = home.published / f".next-{build_id}.duckdb"
    with _next_store(home, target) as db:
        builds = _current_builds(db)
        remove_evidence_of_other_builds(home.evidence, builds)  # what a killed run left
        in_store = [table for table in marts if not table.is_beside_store]
        beside_store = [table for table in marts if table.is_beside_store]
        starts = [week.week_start for week in weeks]
        rows = {table.name: write_evidence(db, table, home.evidence, starts, build_id) for table in beside_store}
        rows |= {table.name: _write_mart(db, table, starts, judged) for table in in_store}
        _write_publication(db, weeks, build_id, now)
        restated = _write_restatements(db, in_store, weeks, build_id, now)
    sync(target)
    target.replace(home.published_store)
    sync(home.published)
    remove_evidence_of_other_builds(home.evidence, {**builds, **dict.fromkeys(starts, build_id)})
    return Published(build_id, rows, restated)


@contextmanager
def _next_store(home: Home, target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store to be, with the warehouse attached as `warehouse` and the present store, if any, as `present`."""
    db = duckdb.connect(str(target))
    try:
        db.execute("set TimeZone = 'UTC'")
        when_free(home, lambda: db.execute(f"attach {sql_text(str(home.warehouse))} as warehouse (read_only)"))
        if home.published_store.is_file():
            db.execute(f"attach {sql_text(str(home.published_store))} as present (read_only)")
        db.execute("create schema marts")
        yield db
        db.execute("detach warehouse")
        db.execute("checkpoint")
    finally:
        db.close()


def _write_mart(
    db: duckdb.DuckDBPyConnection, table: PublishedTable, weeks: Sequence[date], judged: Sequence[date]
) -> int:
    """The table with the rows of the weeks replaced; returns how many rows those are."""
    _create(db, table)
    columns = ", ".join(map(sql_name, table.columns))
    if not table.is_weekly or table.is_over_store:
        db.execute(
            f"insert into marts.{table.name} select {columns} from warehouse.marts.{table.name} "
            f"order by {_order(table)}"
        )
        return _count(db, f"marts.{table.name}")
    replaced = _replaced_weeks(db, table, weeks, judged)
    fresh = f"select {columns} from warehouse.marts.{table.name} where week_start in ({_listed(replaced)})"
    kept = _kept(db, table)
    # A week's rows come from the warehouse where it has any part in this publication, else they stay.
    rest = (
        f" union all select {kept} from present.marts.{table.name} where week_start not in ({_listed(replaced)})"
        if kept
        else ""
    )
    db.execute(f"insert into marts.{table.name} select * from ({fresh}{rest}) order by {_order(table)}")
    return _count(db, f"warehouse.marts.{table.name} where week_start in ({_listed(replaced)})")


def _replaced_weeks(
    db: duckdb.DuckDBPyConnection, table: PublishedTable, weeks: Sequence[date], judged: Sequence[date]
) -> list[date]:
    if table.is_of_withheld_too:
        return sorted(judged)  # a withheld week shows why
    if _OF_WEEK_BEFORE & table.columns.keys():
        # What a published week says of the week before is filled in when that one is published.
        return sorted({*weeks, *(_current_builds(db).keys() & {week + timedelta(days=7) for week in weeks})})
    return sorted(weeks)


def _current_builds(db: duckdb.DuckDBPyConnection) -> dict[date, str]:
    """The published weeks of the present store, each with the build that counts."""
    if not _kept(db, PUBLICATION):
        return {}
    return dict(db.execute("select week_start, build_id from present.marts.publication where is_current").fetchall())


def _kept(db: duckdb.DuckDBPyConnection, table: PublishedTable) -> str:
    """The present store's columns for this table, nulls for those it didn't have yet; empty without such a table."""
    have = _present_columns(db, table)
    if not have:
        return ""
    return ", ".join(
        sql_name(name) if name in have else f"cast(null as {kind})" for name, (kind, _) in table.columns.items()
    )


def _present_columns(db: duckdb.DuckDBPyConnection, table: PublishedTable) -> set[str]:
    """The columns that the present store has of this table: none where there is no store or no such table."""
    try:
        return {column[0] for column in db.execute(f"from present.marts.{table.name} limit 0").description}
    except duckdb.CatalogException:
        return set()


def _write_publication(db: duckdb.DuckDBPyConnection, weeks: Sequence[Week], build_id: str, now: datetime) -> None:
    _create(db, PUBLICATION)
    if kept := _kept(db, PUBLICATION):
        db.execute(f"insert into marts.publication select {kept} from present.marts.publication")
        again = _listed([week.week_start for week in weeks])
        db.execute(f"update marts.publication set is_current = false where week_start in ({again})")
    if weeks:
        db.executemany(
            "insert into marts.publication values (?, ?, ?, ?, ?, ?, ?, true)",
            [
                (w.week_start, build_id, now, w.calculated_at, w.config_hash, w.code_version, w.raw_fingerprint)
                for w in weeks
            ],
        )


def _write_restatements(
    db: duckdb.DuckDBPyConnection,
    marts: Sequence[PublishedTable],
    weeks: Sequence[Week],
    build_id: str,
    now: datetime,
) -> int:
    """List every figure of a week published before that comes out differently now; returns how many."""
    _create(db, RESTATEMENT)
    if kept := _kept(db, RESTATEMENT):
        db.execute(f"insert into marts.fct_restatement select {kept} from present.marts.fct_restatement")
    before = _count(db, "marts.fct_restatement")
    again = sorted(_current_builds(db).keys() & {week.week_start for week in weeks})
    for table in marts:
        # A column that this release adds has published no figure before.
        facts = [name for name in table.facts if name in _present_columns(db, table)]
        if again and facts and table.is_weekly and not (table.is_of_gate or table.is_over_store):
            db.execute(_changes_query(table, facts, again), [build_id, now])
    return _count(db, "marts.fct_restatement") - before


#: SQL: why a week's current build differs from the one before, by their marks.
_CAUSES = """
    select
        week_start,
        concat_ws(
            ',',
            case when build.raw_fingerprint is distinct from earlier.raw_fingerprint then 'records' end,
            case when build.config_hash is distinct from earlier.config_hash then 'configuration' end,
            case when build.code_version is distinct from earlier.code_version then 'code' end
        ) as cause
    from marts.publication as build
    inner join present.marts.publication as earlier using (week_start)
    where build.is_current and earlier.is_current
"""


def _changes_query(table: PublishedTable, facts: Sequence[str], weeks: Sequence[date]) -> str:
    """SQL: figures (`facts`) of these weeks in which the new store differs from the present one."""
    rest = [name for name in table.key if name != "week_start"]
    key = " || ', ' || ".join(f"'{name}=' || cast({sql_name(name)} as varchar)" for name in rest) or "''"
    values = ", ".join(f"{sql_text(name)}: cast({sql_name(name)} as varchar)" for name in facts)

    def figures(database: str) -> str:
        return f"""
            select week_start, key, figure.key as column_name, figure.value as value
            from (
                select week_start, {key} as key, unnest(map_entries(map {{{values}}})) as figure
                from {database}marts.{table.name} where week_start in ({_listed(weeks)})
            )
        """

    return f"""
        insert into marts.fct_restatement
        select week_start, '{table.name}', key, column_name, ?, before.value, after.value, ?, cause
        from ({figures("present.")}) as before
        full join ({figures("")}) as after using (week_start, key, column_name)
        inner join ({_CAUSES}) as causes using (week_start)
        where
            before.value is distinct from after.value
            and not (column_name in ({", ".join(map(sql_text, sorted(_OF_WEEK_BEFORE)))}) and before.value is null)
    """


def _create(db: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """An empty table of the declared columns, described."""
    columns = ", ".join(
        f"{sql_name(name)} {kind}{' not null' if name in table.key else ''}"
        for name, (kind, _) in table.columns.items()
    )
    db.execute(f"create table marts.{table.name} ({columns})")
    db.execute(f"comment on table marts.{table.name} is {sql_text(table.description)}")
    for name, (_, description) in table.columns.items():
        db.execute(f"comment on column marts.{table.name}.{sql_name(name)} is {sql_text(description)}")


def _order(table: PublishedTable) -> str:
    """Rows lie in the order of the key, so that the same inputs give the same table."""
    return ", ".join(map(sql_name, table.key))


def _listed(weeks: Sequence[date]) -> str:
    # An empty list isn't SQL, and `not in (null)` is true of nothing.
    return ", ".join(f"date '{week}'" for week in weeks) or "select cast(null as date) where false"


def _count(db: duckdb.DuckDBPyConnection, relation: str) -> int:
    return int(db.execute(f"select count(*) from {relation}").fetchall()[0][0])
