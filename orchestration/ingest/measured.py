"""Which metrics can't be measured: no landed file has a column that decides them. The registry lists the columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from dbt_project.registry import registry
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


def not_measured_line(metric: str, columns: Iterable[tuple[str, str]]) -> str:
    """Why a metric isn't measured; columns: (source, column) of those that no file has."""
    return f"not measured: {metric} ({'; '.join(f'no file of {source} has {column}' for source, column in columns)})"


def parted(name: str) -> tuple[str, str]:
    """The source and the column of `source.column`."""
    source, column = name.split(".")
    return source, column


def _is_json(path: str) -> bool:
    return path.endswith((".jsonl", ".jsonl.gz", ".jsonl.zst"))
