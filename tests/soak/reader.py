"""What a reader of a store sees, again and again, in a process of its own, which imports little."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import duckdb

from metric_store.reading import open_store

#: What tells of the build itself, and not of figures.
_OF_THE_BUILD = ("build_id", "published_at", "restated_at")

Figures = dict[str, list[tuple]]


def store_of(home: Path) -> Path:
    return home / "published" / "metric_store.duckdb"


#: What a verdict says of the change since the build before is history.
_BUT = {"fct_data_quality_week": "where rule_id <> 'restatement_size'"}


def figures(store: Path) -> Figures:
    """Every published table, its rows as they lie, without what tells of the build; nothing where there is no store."""
    if not store.is_file():
        return {}
    with open_store(store) as db:
        columns: dict[str, list[str]] = {}
        for table, column in db.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts' order by all"
        ).fetchall():
            columns.setdefault(table, []).extend([column] if column not in _OF_THE_BUILD else [])
        return {
            name: db.execute(f"select {', '.join(names)} from marts.{name} {_BUT.get(name, '')}").fetchall()
            for name, names in columns.items()
        }


def digest(found: Figures) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


def read_on(store: Path, known: dict[str, str], begun: Any, stop: Any, found: Any) -> None:
    """Open the store again and again as a reader does; says what was wrong, or how often it read which state."""
    reads: dict[str, int] = dict.fromkeys(known.values(), 0)
    opened, parent = 0, os.getppid()
    begun.set()
    while not (stop.is_set() and opened) and os.getppid() == parent:
        try:
            state = digest(figures(store))
            if state not in known:
                found.put(f"a state that no build has, after {reads}")
                return
            reads[known[state]] += 1
            for _ in range(30):
                if store.is_file():
                    with duckdb.connect(str(store), read_only=True) as db:
                        db.execute("select count(*) from marts.publication").fetchall()
                    opened += 1
                time.sleep(0.1)
        except Exception as error:
            found.put(f"{type(error).__name__}: {error}")
            return
    found.put((reads, opened))
