"""What tests of the report and of the configuration begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.publication.store import _create
from tests.unit.configuration_kit import Write
from tests.unit.report_kit import TABLES, Made


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("create schema marts")
        for table in TABLES.values():
            _create(db, table)
    return path


@pytest.fixture
def made(tmp_path: Path, empty_store: Path) -> Iterator[Made]:
    made = Made(tmp_path / "home", empty_store)
    yield made
    made.close()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the home's configuration folder, and returns the folder."""

    def write_file(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path

    return write_file
