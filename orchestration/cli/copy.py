"""`metric-store copy`: the published tables of changed weeks into PostgreSQL, or as Parquet into a folder."""

from __future__ import annotations

import click

from metric_store.words import in_words
from orchestration.copies.copying import copy_store
from orchestration.home.layout import Home


def copy(home: Home, to: str) -> None:
    """Copy, and say which weeks. Raises MetricStoreError."""
    copied = copy_store(home, to)
    click.echo(f"Copied to {copied.name}: {in_words(copied.weeks) or 'no week has changed'}")
