"""Rows on standard output: a table for people, CSV for spreadsheets, JSON for programs. Texts may hold anything."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

import click

from metric_store.words import printable

Row = Sequence[Any]

# What makes a spreadsheet take a text for a formula, full-width forms and what it skips in front of one included. With
# the apostrophe itself, so that a reader who takes one off the front of every cell has each text as it was.
_NOT_FIRST_IN_A_CELL = tuple("=+-@\t\r\n＝＋－＠'")


def print_rows(form: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows as `csv` or `json`, one after the other."""
    if form == "json":
        for text in _as_json(columns, rows):
            click.echo(text, nl=False)
    else:
        # Texts are quoted, whatever they hold: some spreadsheets part columns at another sign.
        writer = csv.writer(sys.stdout, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(columns)
        writer.writerows([csv_cell(value) for value in row] for row in rows)


def csv_cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula: a text that could be one gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_NOT_FIRST_IN_A_CELL):
        return f"'{value}"
    return value


def _as_json(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """The text of a list of objects, object by object."""
    opening = "["
    for row in rows:
        record = json.dumps(dict(zip(columns, row, strict=True)), indent=1, default=_json_value)
        yield opening + "\n " + record.replace("\n", "\n ")
        opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def _json_value(value: object) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)


def print_table(columns: Sequence[str], rows: Iterable[Row], most: int | None = None) -> int:
    """Print rows as a table, no more than `most` of them; returns how many are left out."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    remaining = iter(rows)
    shown = list(islice(remaining, most))
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(columns):
        numeric = any(not isinstance(row[place], str | date | bool | None) for row in shown)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in shown:
        table.add_row(*(Text("" if value is None else printable(str(value))) for value in row))
    Console(width=None if sys.stdout.isatty() else 240).print(table)
    return sum(1 for _ in remaining)
