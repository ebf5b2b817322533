"""Writes tables as inbox files in every accepted format; the same rows give the same bytes."""

import filecmp
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# DuckDB writes gzip without a time and Parquet without one; one thread keeps the order of blocks fixed.
_FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
    ".jsonl": "FORMAT json",
    ".jsonl.gz": "FORMAT json, COMPRESSION gzip",
    ".jsonl.zst": "FORMAT json, COMPRESSION zstd",
}
UTC_FORMAT = "%Y-%m-%dT%H:%M:%S.%gZ"

# The ways in which a record is bad: a column and what stands in it, None for nothing. Sources left out are small.
_FAULTS: dict[str, tuple[tuple[str, Any], ...]] = {
    "oms_logs": (("seller_id", None), ("attempt", 0), ("call_status", "unknown")),
    "seller_orders": (("sku_id", None), ("quantity", 0), ("shipment_type", "pickup")),
    "packages": (("order_id", None), ("seller_id", None)),
    "inventory_snapshots": (("system", "warehouse"), ("sku_id", None)),
    "settlements": (("document_type", "receipt"), ("seller_id", None)),
}


@dataclass(frozen=True)
class SampleSummary:
    """What a sample consists of: its files in the order they were written, and the rows of each source."""

    files: tuple[Path, ...]
    rows: Mapping[str, int]


def put_in_place(partial: Path, path: Path) -> None:
    """Give a finished file its name. One that holds the same bytes already is left, so that it isn't taken for new."""
    if path.is_file() and filecmp.cmp(partial, path, shallow=False):
        partial.unlink()
    else:
        partial.replace(path)


class Inbox:
    """The inbox being filled: writes files under a `.tmp` name, renames them, and counts their rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = duckdb.connect(config={"threads": 1})
        self.files: list[Path] = []
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def write(self, source: str, name: str, table: pa.Table, *, time_format: str = UTC_FORMAT) -> None:
        """Write a table as `<source>/<name>`; the suffix says the format. Tables without rows give no file."""
        if table.num_rows == 0:
            return
        path = self._folder / source / name
        suffix = name[name.index(".") :]
        options = _FORMATS[suffix]
        if suffix != ".parquet":
            options += f", TIMESTAMPFORMAT '{time_format}'"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".tmp")
        self._connection.register("outgoing", table)
        quoted = str(partial).replace("'", "''")
        self._connection.execute(f"COPY outgoing TO '{quoted}' ({options})")
        self._connection.unregister("outgoing")
        self._put_in_place(partial, path)
        self.files.append(path)
        self.rows[source] += table.num_rows

    def _put_in_place(self, partial: Path, path: Path) -> None:
        put_in_place(partial, path)


def spoil(source: str, table: pa.Table, share: float, rng: np.random.Generator) -> tuple[pa.Table, np.ndarray]:
    """Damage a share of the rows, rounded down, each by one fault; also returns the positions of the damaged rows."""
    faults = _FAULTS[source]
    rows = rng.choice(table.num_rows, int(share * table.num_rows), replace=False)
    fault_of = rng.integers(0, len(faults), len(rows))
    for number, (column, value) in enumerate(faults):
        hit = np.zeros(table.num_rows, dtype=bool)
        hit[rows[fault_of == number]] = True
        kept = table[column]
        damaged = pc.if_else(pa.array(hit), pa.scalar(value, kept.type), kept)
        table = table.set_column(table.column_names.index(column), column, damaged)
    return table, rows
