"""`metric-store evidence`: the orders that count against a seller in a published metric. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any

import click
import duckdb

from orchestration.cli.metric import no_such_metric, require_week
from orchestration.cli.rows import print_rows, print_table, printable
from orchestration.errors import MetricStoreError
from orchestration.home.layout import Home
from orchestration.publication.evidence import EVIDENCE_METRICS
from orchestration.publication.reading import EvidenceMissingError, evidence_relation, open_store

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
    require_week(home, week)
    with open_store(home.published_store) as store:
        _check_metric(store, metric_id)
        require_seller(store, seller_id, week)
    columns = _TABLE_COLUMNS if form == "table" else _COLUMNS
    rows = _rows(home, metric_id, seller_id, week, columns)
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


def _rows(home: Home, metric_id: str, seller_id: str, week: date, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows, a batch at a time. A publication may remove a build's files while they are looked for: look again."""
    for last_time in (False, True):
        with open_store(home.published_store) as store:
            try:
                found = store.execute(
                    f"select {', '.join(columns)} from {evidence_relation(store, home.published_store, week)} "
                    "where metric_id = ? and seller_id = ? order by unit_id",
                    [metric_id, seller_id],
                )
            except EvidenceMissingError:
                if last_time:
                    raise
                continue
            except duckdb.Error as error:
                if last_time:
                    raise MetricStoreError(
                        f"The evidence of {week} can't be read: {str(error).splitlines()[0]}\n"
                        f"Remove {home.evidence / f'week_start={week}'} and make it again: "
                        f"metric-store run --home {home.quoted} --weeks {week}"
                    ) from error
                continue
            while batch := found.fetchmany(_BATCH):
                yield from batch
            return


def _check_metric(store: duckdb.DuckDBPyConnection, metric_id: str) -> None:
    if metric_id in EVIDENCE_METRICS:
        return
    known = store.execute("select count(*) from marts.dim_metric where metric_id = ?", [metric_id]).fetchall()
    if known == [(0,)]:
        raise no_such_metric(metric_id, EVIDENCE_METRICS)
    raise MetricStoreError(
        f"{metric_id} has no evidence: it doesn't tell good orders from bad ones.\n"
        f"Metrics with evidence: {', '.join(EVIDENCE_METRICS)}."
    )


def require_seller(store: duckdb.DuckDBPyConnection, seller_id: str, week: date) -> None:
    """Raises MetricStoreError for a seller that has neither a record nor a figure in the week.

    Orders name sellers that no record describes.
    """
    sellers = (
        "select seller_id from marts.dim_seller "
        "union select seller_id from marts.fct_seller_rating_week where week_start = $week"
    )
    parameters = {"seller": seller_id, "week": week}
    if store.execute(f"select 1 from ({sellers}) where seller_id = $seller limit 1", parameters).fetchall():
        return
    near = store.execute(
        f"select seller_id from ({sellers}) where jaro_winkler_similarity(lower(seller_id), lower($seller)) > 0.8 "
        "order by jaro_winkler_similarity(lower(seller_id), lower($seller)) desc, seller_id limit 3",
        parameters,
    ).fetchall()
    hint = f"Did you mean {' or '.join(printable(row[0]) for row in near)}?" if near else "Ids are those of dim_seller."
    raise MetricStoreError(f"There is no seller {printable(seller_id)} in {week}. {hint}")
