"""Names, texts and files as parts of SQL statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from metric_store.sql import sql_parquet as sql_parquet
from metric_store.sql import sql_pattern as sql_pattern
from metric_store.sql import sql_text as sql_text


def sql_name(value: str) -> str:
    """A quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def sql_instant(value: datetime) -> str:
    """A SQL timestamp literal."""
    return f"timestamp {sql_text(value.isoformat(sep=' '))}"


def sql_names(values: Sequence[str]) -> str:
    """Quoted SQL identifiers, comma-separated."""
    return ", ".join(map(sql_name, values))
