"""`metric-store rehearse`: what a multiple of the busiest hour would do to each hop of each OMS client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import click

from metric_store.errors import MetricStoreError
from metric_store.reading import not_published, open_store
from metric_store.words import in_words, printable
from orchestration.cli.metric import require_published
from orchestration.cli.rows import print_rows, print_table
from orchestration.home.layout import Home
from orchestration.whatif.rehearsal import COLUMNS, Rehearsal, rehearse


def show_rehearsal(home: Home, factor: float, requested: Sequence[date] | None, form: str) -> None:
    """Print the hops, those that saturate first at the top. Raises MetricStoreError where there is nothing to go by."""
    published = require_published(home)
    for week in requested or ():
        if week not in published:
            raise not_published(week, published)
    weeks = sorted(requested or published)
    with open_store(home.published_store) as store:
        found = rehearse(store, weeks, factor)
    if not found.rows:
        raise MetricStoreError(
            f"No call with a request id and its times is published in {in_words(weeks)}; there is nothing to rehearse."
        )
    if form == "table":
        print_table(COLUMNS, found.rows)
    else:
        print_rows(form, COLUMNS, found.rows)
    click.echo(_summary(found), err=form != "table")


def _summary(found: Rehearsal) -> str:
    weeks = in_words(found.weeks)
    first = found.first_to_saturate
    if first is None:
        return f"No hop slows down with its load in {weeks}, so nothing tells where one would break: test more load."
    client, saturates_at = printable(first["oms_client"]), first["saturates_at_factor"]
    where = f"{first['hop']} of {client} saturates first, at {saturates_at} times its busiest hour"
    rate = f"{first['busiest_hour_calls']:,} calls on {first['busiest_hour']:%Y-%m-%d %H:%M} UTC"
    verdict = "does not bear" if found.factor >= saturates_at else "bears"
    return f"{where} ({rate}). It {verdict} a factor of {found.factor:g}. From {weeks}."
