"""The command line on homes with published weeks: what `status` tells, and what ends with which status and words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import dagster
import duckdb
import pytest

from metric_store.errors import MetricStoreError
from metric_store.reading import open_store
from orchestration.cli.run import _check_verdicts
from orchestration.configuration import load_configuration
from orchestration.definitions import defs
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.weeks.partitions import tags_for
from tests.conftest import METRIC_STORE, SAMPLE_WEEKS
from tests.unit.cli_kit import call, ends, modules_after

#: Commands that show a week, which comes next.
OF_A_WEEK = (
    ("metric", "o2d_ratio", "--week"),
    ("evidence", "o2d_ratio", "--seller", "S1", "--week"),
    ("why", "o2d_ratio", "--week"),
)


@pytest.mark.parametrize("command", ["sample", "run", "ui", "report"])
def test_a_home_that_cannot_be_written(command: str, sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for unwritable in (sample_home, sample_home / "dagster", sample_home / "warehouse.duckdb"):
        monkeypatch.setattr(os, "access", lambda path, _, kept=unwritable: path != kept)
        ends(call(command, "--home", sample_home), 1, f"{unwritable} can't be written: its disk is read-only")


def test_the_home_is_taken_from_the_environment_and_then_from_data(
    sample_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("METRIC_STORE_HOME", raising=False)
    ends(call("status"), 1, str(tmp_path / "data"))
    monkeypatch.setenv("METRIC_STORE_HOME", str(sample_home))
    assert json.loads(call("status", "--json").stdout)["home"] == str(sample_home)
    ends(call("status", "--home", tmp_path / "given"), 1, str(tmp_path / "given"))


def test_weeks_that_never_landed(sample_home: Path) -> None:
    result = call("run", "--home", sample_home, "--weeks", "2025-12-01..2025-12-08")
    ends(result, 1, "No order and no log landed in 2025-12-01..2025-12-08.", "Landed weeks: 2026-01-05..2026-01-19.")


def test_weeks_that_are_published_as_they_are_launch_nothing(sample_home: Path) -> None:
    result = call("run", "--home", sample_home, "--weeks", f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[-1]}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Nothing to do: 3 weeks are published as they are.\n"


def test_a_run_without_a_verdict_is_no_success(sample_home: Path) -> None:
    """Dagster calls a run that skipped its steps a success."""
    home, now = Home(sample_home), datetime(2026, 3, 1)
    configuration = load_configuration(None)
    other = replace(configuration, rows={**configuration.rows, "holidays": []})
    _check_verdicts(home, configuration, now, "some run", [date(2026, 1, 5)])
    with pytest.raises(
        MetricStoreError, match=r"without a verdict on 2026-01-05; nothing of it is published.\nSee run some run"
    ):
        _check_verdicts(home, other, now, "some run", [date(2026, 1, 5)])


def test_a_week_that_is_not_published(sample_home: Path) -> None:
    for command in OF_A_WEEK:
        result = call(*command, "2026-01-26", "--home", sample_home)
        ends(result, 1, "2026-01-26 isn't published", "Published: 2026-01-05..2026-01-19.")


def test_a_week_that_is_withheld(sample_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_home / "published", home / "published")
    with duckdb.connect(str(home / "published" / "metric_store.duckdb")) as store:
        store.execute(
            "insert into marts.fct_data_quality_week by name "
            "select date '2026-01-26' as week_start, 'days_present' as rule_id, 'oms_logs' as scope, "
            "'error' as severity, false as passed, 'a day is missing' as message, true as is_withholding"
        )
    for command in OF_A_WEEK:
        result = call(*command, "2026-01-26", "--home", home)
        ends(result, 1, "2026-01-26 isn't published: the gate withheld it, by a day is missing.", "Correct the cause")
    shown = call("recovery", "--seller", "S0012", "--home", home)
    assert shown.stderr == "Withheld since, see metric-store status: 2026-01-26\n"
    assert shown.stdout.startswith("S0012 in the week of 2026-01-19, as of 2026-01-26 03:00 UTC\n")


def test_a_store_of_another_release_names_what_it_lacks(home_copy: Path) -> None:
    with duckdb.connect(str(home_copy / "published" / "metric_store.duckdb")) as store:
        store.execute("alter table marts.fct_metric_change_week drop column usual_low")
        for table in ("fct_hop_load_hour", "fct_seller_recovery_week"):
            store.execute(f"drop table marts.{table}")
    for command, lacking in (
        (("rehearse", "--factor", "2"), "fct_hop_load"),
        (("why", "order_volume", "--week", SAMPLE_WEEKS[0]), "usual_low"),
        (("recovery", "--seller", "S0012"), "fct_seller_recovery_week"),
    ):
        ended = call(*command, "--home", home_copy)
        ends(ended, 1, "was written by another release, and lacks something", lacking, "run --weeks FIRST..LAST")
    shown = call("metric", "o2d_ratio", "--home", home_copy)
    assert shown.stderr.startswith("This store is of an earlier release, without usual_low: left empty here.\n")
    assert len(shown.stdout.splitlines()) == 4


def test_status_tells_of_runs_that_failed_and_of_a_history_that_is_broken(
    home_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRIC_STORE_HOME", str(home_copy))
    monkeypatch.setenv("DAGSTER_HOME", str(home_copy / "dagster"))
    week = date.fromisoformat(SAMPLE_WEEKS[1])
    with dagster.DagsterInstance.get() as instance:
        job = defs.resolve_job_def("weekly_run")
        job.execute_in_process(
            instance=instance, tags=tags_for([week]), asset_selection=[dagster.AssetKey("gate")], raise_on_error=False
        )
    [run] = json.loads(call("status", "--home", home_copy, "--json").stdout)["failed_runs"]
    assert (run["status"], run["weeks"], run["undone"]) == ("failed", [SAMPLE_WEEKS[1]], [])
    assert run["reason"].startswith("This run is for 2026-01-12, but 2026-01-05..2026-01-19 was prepared last.")
    [line] = [line for line in call("status", "--home", home_copy).stdout.splitlines() if line.startswith("Run ")]
    assert f"for {SAMPLE_WEEKS[1]} failed" in line
    assert " was prepared last. Launch run_inputs, build, gate and published_store together" in line
    for file in (home_copy / "dagster" / "history").rglob("*.db*"):
        file.write_bytes(b"not a database" * 1000)
    shown = call("status", "--home", home_copy)
    assert shown.exit_code == 0
    assert f"Problem: The history of runs in {home_copy / 'dagster'} can't be read: " in shown.stdout
    assert [line for line in shown.stdout.splitlines() if line.startswith(SAMPLE_WEEKS[1])]


def test_status_begins_with_what_is_wrong_and_tells_the_rest(home_copy: Path) -> None:
    store = home_copy / "published" / "metric_store.duckdb"
    store.write_bytes(b"not a database" * 1000)
    (home_copy / "config").mkdir(exist_ok=True)
    (home_copy / "config" / "settings.csv").write_text("key,value\nsmall_sample,many\n")
    (home_copy / "inbox" / "packages" / "new.csv").write_text("package_id\n")
    shown = call("status", "--home", home_copy)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[2].startswith("Problem: ")
    assert "settings.csv" in shown.stdout
    assert shown.stdout.count(f"{store} can't be read") == 1
    assert "Waiting for the next run: packages/new.csv" in lines
    assert [line for line in lines if line.startswith(SAMPLE_WEEKS[0])], "the weeks are those that landed"


def test_a_reader_that_has_seen_enough_is_no_error(sample_home: Path) -> None:
    piped = subprocess.run(
        f"'{METRIC_STORE}' metric return_rate --home '{sample_home}' --json | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert piped.stderr == ""


def test_status_as_json_equals_the_store(sample_home: Path) -> None:
    state = json.loads(call("status", "--home", sample_home, "--json").stdout)
    with open_store(sample_home / "published" / "metric_store.duckdb") as store:
        builds = store.execute(
            "select week_start::varchar, build_id, published_at::varchar from marts.publication "
            "where is_current order by 1"
        ).fetchall()
    assert [(week["week_start"], week["build_id"], week["published_at"]) for week in state["weeks"]] == builds
    for week in state["weeks"]:
        assert week["landed"] > 0
        assert (week["complete"], week["published"]) == (True, True)
        assert (week["blocked_by"], week["due_for_restatement"]) == ([], False)
    assert (state["failed_files"], state["ignored_files"], state["broken_adapters"]) == ([], [], [])
    with Ledger(sample_home / "landing" / "ledger.sqlite", read_only=True) as ledger:
        assert state["quarantine"] == ledger.quarantine_counts()


def test_status_in_words(sample_home: Path) -> None:
    lines = call("status", "--home", sample_home).stdout.splitlines()
    assert lines[0] == f"Home {sample_home}"
    for week in SAMPLE_WEEKS:
        [line] = [line for line in lines if line.startswith(week)]
        assert "published 20" in line


def test_reading_commands_load_no_orchestrator(sample_home: Path) -> None:
    call_main = """
from orchestration.cli.app import main
for words in {}:
    try:
        main(words)
    except SystemExit as end:
        assert not end.code
"""
    evidence = ["evidence", "o2d_ratio", "--seller", "S0012", "--week", SAMPLE_WEEKS[0]]
    commands = [[*words, "--home", str(sample_home)] for words in (["metric", "o2d_ratio"], evidence)]
    loaded = modules_after(call_main.format(commands))
    assert "duckdb" in loaded
    assert loaded & {"dagster", "dagster_dbt", "dbt", "pandas", "great_expectations", "sqlalchemy", "pygal"} == set()
