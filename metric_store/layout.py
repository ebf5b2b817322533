"""Where a home has the published store, and the evidence beside it."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

from metric_store.errors import MetricStoreError


def store_of(home: Path) -> Path:
    """The published store of a home."""
    return home / "published" / "metric_store.duckdb"


def store_at(home_or_file: Path) -> Path:
    """The published store of a home, or this file. Raises MetricStoreError where there is none."""
    place = home_or_file.expanduser().absolute()
    if not place.exists():
        raise MetricStoreError(f"There is no home and no store at {place}: give a home, or its metric_store.duckdb.")
    store = store_of(place) if place.is_dir() else place
    if not store.is_file():
        raise nothing_published(place)
    return store


def nothing_published(home: Path) -> MetricStoreError:
    """The error for a home without a published week."""
    return MetricStoreError(f"No week is published in {home} yet; run metric-store run --home {shlex.quote(str(home))}")


def evidence_beside(store: Path) -> Path:
    """The folder of the evidence that belongs to a published store."""
    return store.parent / "evidence"


def evidence_folder(folder: Path, week: date, build_id: str) -> Path:
    """Where the evidence of a week's build lies."""
    return folder / f"week_start={week}" / f"build_id={build_id}"


def evidence_files(folder: Path, week: date, build_id: str) -> list[Path]:
    """The Parquet files of a week's build; none where that build has no evidence here."""
    return sorted(evidence_folder(folder, week, build_id).glob("*.parquet"))
