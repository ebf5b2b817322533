"""`metric-store evidence`: the orders that count against a seller in a published metric. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any

import click
import duckdb

from metric_store.reading import require_week
from metric_store.sellers import evidence, require_evidence, require_seller
from metric_store.words import printable
from orchestration.cli.metric import published_store
from orchestration.cli.rows import print_rows, print_table
from orchestration.home.layout import Home

_COLUMNS = (
    *("week_start", "metric_id", "seller_id", "unit_id", "unit", "order_id"),
    *("happened_at", "due_at", "detail", "incident_id"),
)
#: A table is for reading: it leaves out the columns of the query, and has a limit of rows.
_TABLE_COLUMNS = _COLUMNS[3:]
_TABLE_ROWS = 1000
_BATCH = 10_000


def show_evidence(home: Home, metric_id: str, seller_id: str, week: date, form: str) -> None:
    """Print what counts against a seller. Raises MetricStoreError for an unknown metric, seller or week."""
    with published_store(home) as store:
        require_week(store, week)
        require_evidence(store, metric_id)
        require_seller(store, seller_id, [week])
    with evidence(home.published_store, metric_id, seller_id, week) as found:
        names = [column[0] for column in found.description]
        shown = [names.index(name) for name in (_TABLE_COLUMNS if form == "table" else _COLUMNS)]
        columns, rows = [names[place] for place in shown], _rows(found, shown)
        if form != "table":
            print_rows(form, columns, rows)
            return
        first = next(rows, None)
        if first is None:
            click.echo(f"Nothing counts against {printable(seller_id)} in {metric_id} of {week}.")
            return
        left_out = print_table(columns, chain([first], rows), _TABLE_ROWS)
    if left_out:
        click.echo(f"and {left_out:,} more; --csv and --json have all of them")


def _rows(found: duckdb.DuckDBPyConnection, shown: Sequence[int]) -> Iterator[list[Any]]:
    while batch := found.fetchmany(_BATCH):
        yield from ([row[place] for place in shown] for row in batch)
