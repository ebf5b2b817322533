"""`metric-store report`: writes the pages of the report that are missing or outdated. Changes no figure."""

from __future__ import annotations

import click

from metric_store.words import in_words
from orchestration.cli.metric import require_published
from orchestration.cli.repair import clear_killed_run
from orchestration.home.layout import Home
from orchestration.home.lock import writer_lock
from orchestration.report.writing import write_report


def write(home: Home) -> None:
    """Write pages, and say of which weeks. Raises MetricStoreError where a run is writing, or nothing is published."""
    require_published(home)
    clear_killed_run(home)
    with writer_lock(home, "", 0):
        written = write_report(home)
    click.echo(f"Pages written: {in_words(written.weeks) or 'none, all are up to date'}")
    click.echo(f"Report: {written.index}")
