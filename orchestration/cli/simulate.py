"""`metric-store simulate`: shows what another configuration of grades and limits would change. Computes nothing."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from metric_store.sql import sql_text
from metric_store.words import in_words
from orchestration.cli.progress import Progress
from orchestration.cli.rows import print_table
from orchestration.home.layout import Home
from orchestration.whatif.simulation import Crossing, Simulation, as_dict, simulated

#: A screen holds no more; --csv and --json show all.
_ROWS_SHOWN = 50
_SELLERS_SHOWN = 10


def simulate(home: Home, config: Path, weeks: Sequence[date], form: str) -> None:
    """Print old and new figures per seller, and who crosses a tier: what changes as a table, or all as JSON or CSV."""
    with Progress() as progress, simulated(home, config.resolve(), weeks, progress.step) as found:
        progress.done("computed; nothing is published")
        for note in found.notes:
            click.echo(note, err=True)
        if form == "json":
            _print_json(found)
        elif form == "csv":
            _copy(found, "format csv, header")
            click.echo("\n".join(_summary(found)), err=True)
        else:
            _print_changes(found)
            click.echo("\n".join(_summary(found)))


def _print_json(found: Simulation) -> None:
    summary = {
        "weeks": [week.isoformat() for week in found.weeks],
        "rows": found.rows,
        "changed": found.changed,
        "tier_crossings": [as_dict(crossing) for crossing in found.crossings],
        "notes": found.notes,
    }
    click.echo(f'{{"summary": {json.dumps(summary)},\n"sellers": ', nl=False)
    _copy(found, "format json, array true")
    click.echo("}")


def _copy(found: Simulation, options: str) -> None:
    """Rows to standard output, written by the engine: there may be a million of them."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "rows"
        found.warehouse.execute(
            f"copy (from simulated order by week_start, seller_id) to {sql_text(str(place))} ({options})"
        )
        with place.open(encoding="utf-8", newline="") as rows:
            shutil.copyfileobj(rows, sys.stdout)


def _print_changes(found: Simulation) -> None:
    differs = " or ".join(f"old_{figure} is distinct from new_{figure}" for figure in found.figures)
    cursor = found.warehouse.execute(
        f"select * from simulated where {differs} order by week_start, seller_id limit {_ROWS_SHOWN + 1}"
    )
    columns = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    if rows:
        print_table(columns, rows[:_ROWS_SHOWN])
    if len(rows) > _ROWS_SHOWN:
        click.echo("More rows change; --csv and --json show all.")


def _summary(found: Simulation) -> list[str]:
    crossing = sum(len(crossing.sellers) for crossing in found.crossings)
    changed = ", ".join(f"{figure.replace('_', ' ')} changes in {rows}" for figure, rows in found.changed.items())
    return [
        f"Weeks {in_words(found.weeks)}: {found.rows} rows of a week and seller; {changed}.",
        f"Tier crossed: {crossing}" + ("." if not crossing else ":"),
        *(f"  {_in_words(crossing)}" for crossing in found.crossings),
    ]


def _in_words(crossing: Crossing) -> str:
    more = f" and {len(crossing.sellers) - _SELLERS_SHOWN} more" if len(crossing.sellers) > _SELLERS_SHOWN else ""
    return (
        f"{crossing.week_start} {crossing.old_tier or 'no tier'} -> {crossing.new_tier or 'no tier'}: "
        f"{len(crossing.sellers)} ({', '.join(crossing.sellers[:_SELLERS_SHOWN])}{more})"
    )
