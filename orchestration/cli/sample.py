"""`metric-store sample`: synthetic raw files in the inbox."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from orchestration.errors import UsageError
from orchestration.home.layout import Home
from orchestration.sample import AUGUST, POISON, SampleSummary, write_august, write_sample

_OF_WEEKS = ("weeks", "start", "sellers", "orders_per_week")


def write(home: Home, start: date | None, options: dict[str, Any], given: set[str]) -> None:
    """Write the files and say what they hold; `given` are the options that the user named.

    Raises UsageError for arguments that don't go together.
    """
    try:
        summary = _write(home, start, options, given)
    except ValueError as error:
        raise UsageError(str(error)) from error
    rows = ", ".join(f"{rows:,} {source}" for source, rows in summary.rows.items())
    click.echo(f"{len(summary.files)} files of synthetic records under {home.inbox}: {rows}")
    click.echo(f"Next: metric-store run --home {home.quoted}")


def _write(home: Home, start: date | None, options: dict[str, Any], given: set[str]) -> SampleSummary:
    scale = options.pop("scale")
    if "poison" in given and options["scenario"] != POISON.name:
        raise ValueError(f"--poison is for --scenario {POISON.name}")
    if options["scenario"] != AUGUST.name:
        if "scale" in given:
            raise ValueError(f"--scale is for --scenario {AUGUST.name}; others have --sellers and --orders-per-week")
        return write_sample(home.root, start=start, **options)
    if misplaced := [f"--{name.replace('_', '-')}" for name in _OF_WEEKS if name in given]:
        raise ValueError(f"--scenario {AUGUST.name} is one month, sized by --scale: leave out {', '.join(misplaced)}")
    return write_august(home.root, scale=scale, seed=options["seed"])
