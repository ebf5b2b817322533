"""`metric-store simulate`: what another configuration would change, beside the store and beside a run."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from filelock import FileLock

from metric_store.reading import open_store
from orchestration.cli.app import main
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from tests.conftest import SAMPLE_WEEKS, Ended, metric_store, run

ALL = f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[2]}"


def default(name: str) -> str:
    return load_configuration(None).paths[name].read_text(encoding="utf-8")


def simulate(home: Path, config: Path, *options: str, weeks: str = ALL) -> Ended:
    return metric_store("simulate", "--home", home, "--config", config, "--weeks", weeks, *options)


def refused(home: Path, config: Path, weeks: str = ALL) -> tuple[int, str]:
    """Status and standard error of a simulation that is refused before it starts."""
    ended = CliRunner().invoke(
        main, ["simulate", "--home", str(home), "--config", str(config), "--weeks", weeks], catch_exceptions=False
    )
    assert ended.stdout == ""
    return ended.exit_code, ended.stderr


def grades(home: Path) -> dict[tuple[str, str], tuple]:
    """(grade, tier) of every published week and seller, grades as text."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        rows = store.execute(
            "select week_start::varchar, seller_id, final_grade::varchar, tier from marts.fct_seller_grade_week"
        ).fetchall()
    return {(week, seller): (grade, tier) for week, seller, grade, tier in rows}


def state_of(home: Path) -> dict[str, tuple[int, int, int]]:
    """Every file of a home that holds something: which it is, when it was written, and how long it is."""
    return {
        str(path.relative_to(home)): (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size)
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")  # the memory that SQLite's readers share
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Another set of weights, from the second week on, without one of the metrics, and another tier."""
    folder = tmp_path / "config"
    folder.mkdir()
    weights = default("grade_weights").replace("2015-01-01,", "2015-01-01,2026-01-19")
    weights += "shipment_in_target_duration,20,2026-01-19,\nseller_cancel_rate,33.3,2026-01-19,\n"
    weights += "customer_cancel_rate,46.7,2026-01-19,\n"
    (folder / "grade_weights.csv").write_text(weights)
    (folder / "grade_tiers.csv").write_text(default("grade_tiers").replace("gold,4.50", "platinum,4.60"))
    return folder


def test_a_simulation_shows_what_a_run_would_publish(home_copy: Path, config: Path) -> None:
    before = grades(home_copy)
    ended = simulate(home_copy, config, "--json")
    assert ended.status == 0, ended.text
    assert "nothing is published" in ended.err
    found = json.loads(ended.out)
    assert grades(home_copy) == before

    shutil.copytree(config, home_copy / "config")
    published = run(home_copy, ALL)
    assert published.status == 0, published.text
    after = grades(home_copy)

    rows = {(row["week_start"], row["seller_id"]): row for row in found["sellers"]}
    assert rows.keys() == before.keys() == after.keys()
    for key, row in rows.items():
        assert (row["old_grade"], row["old_tier"]) == (float(before[key][0]), before[key][1])
        assert (row["new_grade"], row["new_tier"]) == (float(after[key][0]), after[key][1])
    crossed = {key for key in before if before[key][1] != after[key][1]}
    named = {
        (crossing["week_start"], seller)
        for crossing in found["summary"]["tier_crossings"]
        for seller in crossing["seller_ids"]
    }
    assert crossed
    assert named == crossed
    assert sum(crossing["sellers"] for crossing in found["summary"]["tier_crossings"]) == len(crossed)
    changed = {key for key in before if before[key][0] != after[key][0]}
    # The weights of the first week are the old ones still.
    assert {week for week, _ in changed} == set(SAMPLE_WEEKS[1:])
    assert (found["summary"]["rows"], found["summary"]["changed"]["grade"]) == (len(before), len(changed))
    assert found["summary"]["notes"] == []


def test_a_simulation_computes_with_duckdb_where_runs_take_spark(sample_home: Path, config: Path) -> None:
    """The weights differ from the second week on: figures of the first week alone come out as they are published."""
    week = SAMPLE_WEEKS[0]
    ended = metric_store(
        *("simulate", "--home", sample_home, "--config", config, "--weeks", week, "--json"),
        env={"METRIC_STORE_ENGINE": "spark"},
    )
    assert ended.status == 0, ended.text
    summary = json.loads(ended.out)["summary"]
    assert summary["notes"] == [
        "Computed by DuckDB on this machine, from the landed files; the engine of runs is spark."
    ]
    assert summary["rows"] > 0
    assert summary["changed"]["grade"] == 0


def test_a_simulation_leaves_the_home_as_it_is_and_runs_beside_a_run(home_copy: Path, config: Path) -> None:
    """A run holds the home's lock and has the warehouse open; neither is needed."""
    home = Home.of(home_copy)
    left = home.simulations / "killed"
    left.mkdir(parents=True)
    left.with_suffix(".lock").touch()
    at_work = home.simulations / "at_work"
    at_work.mkdir()
    with (
        FileLock(home.lock),
        FileLock(at_work.with_suffix(".lock")),
        duckdb.connect(str(home.warehouse)),
    ):
        before = {name: state for name, state in state_of(home_copy).items() if "killed" not in name}
        ended = simulate(home_copy, config, weeks=SAMPLE_WEEKS[1])
        assert ended.status == 0, ended.text
        assert state_of(home_copy) == before
    assert [path.name for path in home.simulations.iterdir() if path.is_dir()] == ["at_work"], (
        "what a killed simulation left must go, the scratch folder of one at work must stay"
    )
    assert not left.with_suffix(".lock").exists()


def test_people_see_what_changes_and_who_crosses_a_tier(sample_home: Path, tmp_path: Path) -> None:
    tiers = "tier,min_grade,visibility_adjustment,fee_adjustment,valid_from,valid_to\nall,0,0,0,2015-01-01,\n"
    (tmp_path / "grade_tiers.csv").write_text(tiers)
    week, _ = key = SAMPLE_WEEKS[1], min(grades(sample_home))[1]
    sellers = {seller for found, seller in grades(sample_home) if found == week}
    ended = simulate(sample_home, tmp_path, weeks=week)
    assert ended.status == 0, ended.text
    lines = ended.out.splitlines()
    assert lines[0].split() == [
        *("week_start", "seller_id", "old_grade", "new_grade", "old_tier", "new_tier"),
        *("old_daily_order_limit", "new_daily_order_limit"),
    ]
    assert f"Weeks {week}: {len(sellers)} rows of a week and seller; grade changes in 0, tier changes in" in ended.out
    assert f"Tier crossed: {len(sellers)}:" in ended.out
    assert f"{week} {grades(sample_home)[key][1]} -> all: " in ended.out

    as_csv = simulate(sample_home, tmp_path, "--csv", weeks=week)
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert {row["seller_id"]: row["old_tier"] for row in rows} == {
        seller: tier for (found, seller), (_, tier) in grades(sample_home).items() if found == week
    }
    assert {row["new_tier"] for row in rows} == {"all"}
    assert all(row["old_grade"] == row["new_grade"] != "" for row in rows)
    assert f"Tier crossed: {len(sellers)}:" in as_csv.err


def test_what_else_differs_is_said(home_copy: Path, config: Path) -> None:
    """Else differences would be put down to the configuration that is tried."""
    with duckdb.connect(str(home_copy / "published" / "metric_store.duckdb")) as store:
        store.execute(f"update marts.publication set raw_fingerprint = 'older' where week_start = '{SAMPLE_WEEKS[0]}'")
        store.execute(f"update marts.publication set code_version = '0.0' where week_start = '{SAMPLE_WEEKS[1]}'")
    (home_copy / "config").mkdir()
    (home_copy / "config" / "settings.csv").write_text("key,value\nsmall_sample,31\n")
    ended = simulate(home_copy, config)
    assert ended.status == 0, ended.text
    said = "Not all differences of {} come from the configuration tried: {}."
    assert said.format(SAMPLE_WEEKS[0], "records have landed since") in ended.err
    assert said.format(SAMPLE_WEEKS[1], "they were built by other code") in ended.err
    assert said.format(ALL, "the home's configuration has changed since") in ended.err


def test_a_wrong_configuration_is_refused_as_by_a_run(sample_home: Path, config: Path) -> None:
    (config / "grade_weights.csv").write_text(default("grade_weights").replace("shipment_in_target_duration,50", "x,9"))
    (config / "grade_tiers.csv").unlink()
    broken = default("grade_bands").replace("seller_cancel_rate,3,10", "seller_cancel_rate,4,10")
    (config / "grade_bands.csv").write_text(broken)
    before = state_of(sample_home)
    status, said = refused(sample_home, config)
    assert status == 1
    assert said.startswith("Error: grade_weights.csv, row 2, metric_id: 'x' is not known")
    assert "grade_bands.csv, rows 7-8, min: the bands of seller_cancel_rate" in said
    assert len(said.splitlines()) == 2
    assert state_of(sample_home) == before


def test_weights_must_hold_in_every_simulated_week(sample_home: Path, config: Path) -> None:
    (config / "grade_weights.csv").write_text(default("grade_weights").replace("2015-01-01", "2026-01-13"))
    assert refused(sample_home, config, SAMPLE_WEEKS[0]) == (
        1,
        "Error: grade_weights.csv, valid_from: no row is valid on 2026-01-12, when week 2026-01-05 is calculated; add"
        " weights valid then, or let one of the rows begin earlier or end later\n",
    )


def test_only_published_weeks_are_simulated(sample_home: Path, config: Path) -> None:
    assert refused(sample_home, config, "2026-01-12..2026-02-02") == (
        1,
        f"Error: Only published weeks can be simulated; not published: 2026-01-26..2026-02-02.\nPublished: {ALL}.\n",
    )


def test_a_folder_without_configuration_is_refused(sample_home: Path, tmp_path: Path) -> None:
    status, said = refused(sample_home, tmp_path)
    assert (status, said.splitlines()[0]) == (1, f"Error: {tmp_path} holds no configuration file.")
    status, said = refused(sample_home, tmp_path / "none")
    assert status == 2
    assert "does not exist" in said


def test_a_store_without_what_it_was_made_from_is_refused(sample_home: Path, config: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_home / "published", home / "published")
    status, said = refused(home, config)
    assert status == 1
    assert said.startswith(f"Error: The record of what landed is missing: {home / 'landing' / 'ledger.sqlite'}.")


def test_settings_that_are_tried_stand_before_those_of_the_home(tmp_path: Path) -> None:
    home, tried = tmp_path / "home", tmp_path / "tried"
    home.mkdir()
    tried.mkdir()
    (home / "settings.csv").write_text("key,value\nsmall_sample,31\ngrade_window_days,14\n")
    (home / "grade_tiers.csv").write_text(default("grade_tiers"))
    (tried / "settings.csv").write_text("key,value\ngrade_window_days,7\n")
    configuration = load_configuration(home, instead=tried)
    assert configuration.settings.grade_window_days == 7
    assert configuration.settings.small_sample == 31
    assert configuration.settings.peak_multiplier == load_configuration(None).settings.peak_multiplier
    assert configuration.paths["settings"] == tried / "settings.csv"
    assert configuration.paths["grade_tiers"] == home / "grade_tiers.csv"
