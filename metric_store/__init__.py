"""The published metric store for readers: every figure as a pandas DataFrame.

    import metric_store

    store = metric_store.open("data")
    store.metric("o2d_ratio", by="mall_segment", weeks=("2026-01-05", "2026-02-09"))

Knows the published file, DuckDB and pandas, and nothing of how the figures are made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metric_store.errors import MetricStoreError
from metric_store.layout import store_at

if TYPE_CHECKING:
    from metric_store.store import Store

__all__ = ["MetricStoreError", "open"]


def open(home_or_file: str | Path) -> Store:
    """The published store of a home, or of its file `metric_store.duckdb`.

    No connection stays open: every call of the store reads the newest publication. Raises MetricStoreError where
    nothing is published.
    """
    from metric_store.store import Store  # DuckDB and pandas take longer to import than all else

    return Store(store_at(Path(home_or_file)))
