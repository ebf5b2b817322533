"""Which metrics can't be measured: no landed file has a column that decides them. The registry lists the columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dbt_project.registry import registry
from metric_store.words import not_measured_line, parted
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.ledger import Ledger


def deciding_columns() -> dict[str, list[tuple[str, str]]]:
    """metric_id -> (source, column) of the optional columns that decide it."""
    return {metric.id: [parted(name) for name in metric.decided_by] for metric in registry().metrics}


def absent_columns(ledger: Ledger) -> dict[str, set[str]]:
    """Source -> its columns that no landed file has. Sources of which nothing landed are left out."""
    absent: dict[str, set[str]] = {}
    for file in ledger.files(status="landed"):
        # JSON without a line has no columns to miss, and shows none
        if file["rows_read"] or not _is_json(file["path"]):
            missing = set(filter(None, file["missing_columns"].split(", ")))
            absent[file["source"]] = absent.get(file["source"], missing) & missing
    return {source.name: absent[source.name] for source in SOURCES if absent.get(source.name)}


def not_measured(absent: Mapping[str, Collection[str]]) -> list[str]:
    """A line for each metric that isn't measured where these columns are absent from their sources."""
    gone = {
        metric: [(source, column) for source, column in columns if column in absent.get(source, ())]
        for metric, columns in deciding_columns().items()
    }
    return [not_measured_line(metric, columns) for metric, columns in gone.items() if columns]


def _is_json(path: str) -> bool:
    return path.endswith((".jsonl", ".jsonl.gz", ".jsonl.zst"))
