"""`metric-store sample`: synthetic raw files in the inbox."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from orchestration.errors import UsageError
from orchestration.sample import write_sample
from orchestration.settings import Home


def write(home: Home, start: date | None, options: dict[str, Any]) -> None:
    """Write the files and say what they hold. Raises UsageError for arguments that don't go together."""
    try:
        summary = write_sample(home.root, start=start, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error
    rows = ", ".join(f"{rows:,} {source}" for source, rows in summary.rows.items())
    click.echo(f"{len(summary.files)} files of synthetic records under {home.inbox}: {rows}")
    click.echo(f"Next: metric-store run --home {home.root}")
