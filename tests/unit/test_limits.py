"""What an engine may take: the limits that were asked for reach it, in the ingest and in dbt."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.errors import UsageError
from orchestration.home.layout import Home
from orchestration.limits import DEFAULT_LIMITS, EngineLimits, engine_config
from orchestration.project import DBT_PROJECT_DIR


def test_by_default_a_quarter_of_memory_and_all_cores() -> None:
    assert EngineLimits.of() == EngineLimits.of("", 0) == DEFAULT_LIMITS
    assert (DEFAULT_LIMITS.memory, DEFAULT_LIMITS.cores) == ("25%", os.cpu_count())


@pytest.mark.parametrize("memory", ["4GB", "512MiB", "1.5 gb", "50%"])
def test_limits_are_what_was_asked_for(memory: str) -> None:
    assert EngineLimits.of(memory, 3) == EngineLimits(memory, 3)


@pytest.mark.parametrize("memory", ["much", "4", "-1GB", "GB", "4GB; drop"])
def test_what_is_no_amount_is_named(memory: str) -> None:
    with pytest.raises(UsageError, match="is no amount of memory"):
        EngineLimits.of(memory)


@pytest.mark.parametrize(
    ("memory", "left"), [("8GB", "4000MB"), ("512MiB", "512MiB"), ("0.5 gb", "0.5 gb"), ("0.01%", "0.01%")]
)
def test_the_smaller_of_two_amounts_counts(memory: str, left: str) -> None:
    assert EngineLimits.of(memory, 3).at_most(4000) == EngineLimits(left, 3)
    assert EngineLimits.of("100%").at_most(1) == EngineLimits("1MB")


def test_the_engine_keeps_to_them_and_spills_into_the_home(tmp_path: Path) -> None:
    config = engine_config(Home(tmp_path), EngineLimits("200MB", 2))
    with duckdb.connect(config=config) as engine:
        engine.execute("create temp table wide as select range as a, md5(range::varchar) as b from range(6000000)")
        assert list((tmp_path / ".spill").iterdir())
        settings = "select current_setting('memory_limit'), current_setting('threads')"
        assert engine.execute(settings).fetchall() == [("190.7 MiB", 2)]


def test_dbt_sets_them_once_with_the_connection() -> None:
    """DuckDB refuses to set the folder again once it has spilled, and dbt repeats `settings` for every model."""
    target = yaml.safe_load((DBT_PROJECT_DIR / "profiles.yml").read_text())["metric_store"]["outputs"]["duckdb"]
    assert target["config_options"].keys() == {"memory_limit", "threads", "temp_directory"}
    assert not target["config_options"].keys() & target["settings"].keys()
