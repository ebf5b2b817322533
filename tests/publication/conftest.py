"""A home that can be published from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def home(sample_home: Path, tmp_path: Path) -> Path:
    """A home with the sample's warehouse and what is published, and nothing else."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy2(sample_home / "warehouse.duckdb", home)
    shutil.copytree(sample_home / "published", home / "published")
    return home
