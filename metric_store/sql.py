"""Names, texts and files as parts of SQL statements."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path


def sql_text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_pattern(file: Path) -> str:
    """A SQL string that finds this file: the engine reads names as patterns."""
    return sql_text(glob.escape(str(file)))


def sql_parquet(files: Sequence[Path], options: str = "") -> str:
    """SQL: Parquet files of ours as one relation."""
    listed = ", ".join(map(sql_pattern, files))
    return f"read_parquet([{listed}], hive_partitioning = false{options})"


def sql_name(value: str) -> str:
    """A quoted SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def sql_instant(value: datetime) -> str:
    """A SQL timestamp literal."""
    return f"timestamp {sql_text(value.isoformat(sep=' '))}"


def sql_names(values: Sequence[str]) -> str:
    """Quoted SQL identifiers, comma-separated."""
    return ", ".join(map(sql_name, values))
