"""The published tables as the dbt project declares them: columns, types, keys and descriptions, from its manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PublishedTable:
    """One published table. `columns`: name -> (type, description), in order. `is_weekly`: it has a `week_start`.

    `is_beside_store`: too large to be copied with every publication, so it is Parquet beside the store.
    `is_of_gate`: it tells of the verdict, so that nothing in it is a figure. `is_of_withheld_too`: its rows are those
    of the last verdict, also where that withholds the week; of every other table they are the published build's.
    `is_over_store`: it follows from the published rows of all weeks, so that it is written whole; nothing in it is
    restated.
    """

    name: str
    description: str
    columns: dict[str, tuple[str, str]]
    key: tuple[str, ...]
    is_beside_store: bool = False
    is_of_gate: bool = False
    is_of_withheld_too: bool = False
    is_over_store: bool = False

    @property
    def is_weekly(self) -> bool:
        return "week_start" in self.columns

    @property
    def facts(self) -> tuple[str, ...]:
        """The columns that aren't of the key."""
        return tuple(name for name in self.columns if name not in self.key)


#: Tables that tell of publication itself; their rows are written with the store.
PUBLICATION = PublishedTable(
    "publication",
    "One row per week and build: when it was published, from what, and whether it is the one that counts.",
    {
        "week_start": ("date", "The week, by its Monday."),
        "build_id": ("varchar", "The build that made the week's rows."),
        "published_at": ("timestamp", "When the store with this build took its place, UTC."),
        "calculated_at": ("timestamp", "A of the week: facts later than this don't count, UTC."),
        "config_hash": ("varchar", "Digest of the configuration that was valid for the week."),
        "code_version": ("varchar", "Release of the product and digest of its SQL."),
        "raw_fingerprint": ("varchar", "Digest of the landed files that the week reads."),
        "is_current": ("boolean", "Whether this build is the week's current one."),
    },
    ("week_start", "build_id"),
)
RESTATEMENT = PublishedTable(
    "fct_restatement",
    "One row per published figure that a later build of the same week changed.",
    {
        "week_start": ("date", "The week, by its Monday."),
        "table_name": ("varchar", "The published table."),
        "key": ("varchar", "The rest of the row's key, as name=value, comma-separated."),
        "column_name": ("varchar", "The figure's column."),
        "build_id": ("varchar", "The build that changed it."),
        "old_value": ("varchar", "The figure before, as text; null where there was none."),
        "new_value": ("varchar", "The figure since, as text; null where there is none."),
        "restated_at": ("timestamp", "When the change was published, UTC."),
        "cause": ("varchar", "Which marks of the two builds differ: records, configuration, code, comma-separated."),
    },
    ("week_start", "table_name", "key", "column_name", "build_id"),
)


@cache
def mart_tables(manifest: Path) -> tuple[PublishedTable, ...]:
    """The marts of the dbt project, in the order of their names."""
    nodes: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    tables = [
        PublishedTable(
            node["name"],
            node["description"],
            {name: (column["data_type"], column["description"]) for name, column in node["columns"].items()},
            tuple(node["config"]["meta"]["key"]),
            bool(node["config"]["meta"].get("beside_store")),
            bool(node["config"]["meta"].get("of_gate")),
            bool(node["config"]["meta"].get("of_withheld_too")),
            bool(node["config"]["meta"].get("over_store")),
        )
        for node in nodes.values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]
    return tuple(sorted(tables, key=lambda table: table.name))
