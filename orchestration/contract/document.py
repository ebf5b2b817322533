"""The contract as a document of the Open Data Contract Standard, from the declared sources and the dbt project."""

from __future__ import annotations

import difflib
import importlib.metadata
from collections.abc import Sequence
from typing import Any

from metric_store.words import printable
from orchestration.configuration import load_configuration
from orchestration.errors import UsageError
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.model import Column, Kind, Source
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, PublishedTable, mart_tables
from orchestration.transform.project import manifest_path
from orchestration.weeks.deadlines import publish_within

#: The tags that say which way an object goes: what breaks whom follows from it.
INPUT, OUTPUT = "input", "output"

_DISTRIBUTION = "brand-experience-metric-store"
_OF_KIND = {Kind.TIMESTAMP: "timestamp", Kind.WHOLE: "integer", Kind.MONEY: "number", Kind.BOOLEAN: "boolean"}
_OF_TYPE = {
    "bigint": "integer",
    "boolean": "boolean",
    "date": "date",
    "decimal": "number",
    "double": "number",
    "timestamp": "timestamp",
    "varchar": "string",
}

Element = dict[str, Any]


def contract(home: Home, names: Sequence[str]) -> Element:
    """The contract of these sources and published tables, or of all. Raises UsageError for a name that is neither."""
    tables = (*mart_tables(manifest_path(home)), PUBLICATION, RESTATEMENT)
    objects = {source.name: _of_source(source) for source in SOURCES} | {
        table.name: _of_table(table) for table in tables
    }
    for name in names:
        if name not in objects:
            near = difflib.get_close_matches(name, objects)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(objects)}."
            raise UsageError(f"There is no source and no published table {printable(name)}. {hint}")
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": _DISTRIBUTION,
        "name": "Brand experience metric store",
        "version": importlib.metadata.version(_DISTRIBUTION),
        "status": "active",
        "description": {
            "purpose": "Weekly brand and seller figures of a marketplace, from its exports and logs of OMS flows.",
            "usage": "Upstream delivers files of the inputs; readers open the store read-only. Times are UTC.",
            "limitations": "Columns that aren't listed are never read; one that isn't required may be missing.",
        },
        "servers": [
            {"server": "inbox", "type": "local", "path": "inbox/{object}/**", "format": "parquet, csv, json lines"},
            {"server": "store", "type": "duckdb", "database": "published/metric_store.duckdb", "schema": "marts"},
        ],
        "schema": [found for name, found in objects.items() if not names or name in names],
        "slaProperties": _service_levels(home),
    }


def _service_levels(home: Home) -> list[Element]:
    configuration = load_configuration(home.config)
    _, offset = configuration.calendar_settings
    hours = offset + int(publish_within(configuration).total_seconds() // 3600)
    latency = f"A week is published within {hours} hours of its end, if the data-quality gate passes it."
    return [
        {"property": "frequency", "value": 7, "unit": "d", "description": "A week, from Monday to Sunday, at a time."},
        {"property": "latency", "value": hours, "unit": "h", "description": latency},
    ]


def _of_source(source: Source) -> Element:
    event = (
        f"A record belongs to the week of {source.event_time}."
        if source.event_time
        else "Versions hold from updated_at."
    )
    newest = " The newest updated_at of a record counts." if source.newest_wins else ""
    return {
        "name": source.name,
        "physicalName": f"inbox/{source.name}",
        "physicalType": "file",
        "logicalType": "object",
        "description": event + newest,
        "dataGranularityDescription": f"One record per {', '.join(source.key)}.",
        "tags": [INPUT],
        "properties": [_of_column(column, source.key) for column in source.columns],
    }


def _of_column(column: Column, key: Sequence[str]) -> Element:
    found: Element = {
        "name": column.name,
        "logicalType": _OF_KIND.get(column.kind, "string"),
        "required": column.required,
        **_place_in(key, column.name),
        "description": f"Takes {column.takes}.",
    }
    if column.one_of:
        found["enum"] = [{"value": value} for value in column.one_of]
    if column.within:
        found["logicalTypeOptions"] = dict(zip(("minimum", "maximum"), column.within, strict=True))
    return found


def _of_table(table: PublishedTable) -> Element:
    place = "published/evidence/week_start=*/build_id=*/*.parquet" if table.is_beside_store else f"marts.{table.name}"
    return {
        "name": table.name,
        "physicalName": place,
        "physicalType": "parquet" if table.is_beside_store else "table",
        "logicalType": "object",
        "description": table.description.strip(),
        "dataGranularityDescription": f"One row per {', '.join(table.key)}.",
        "tags": [OUTPUT],
        "properties": [
            {
                "name": name,
                "logicalType": _OF_TYPE[kind.partition("(")[0]],
                "physicalType": kind,
                "required": name in table.key,
                **_place_in(table.key, name),
                "description": description.strip(),
            }
            for name, (kind, description) in table.columns.items()
        ],
    }


def _place_in(key: Sequence[str], name: str) -> Element:
    return {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1} if name in key else {}
