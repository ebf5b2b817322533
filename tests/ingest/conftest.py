"""The home that each test of the ingest begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.ingest_kit import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home")
