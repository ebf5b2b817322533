"""The weekly run on synthetic records: order of weeks, reruns, later versions, lost landing, plain dbt."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance

from metric_store.reading import open_store
from orchestration.cli.run import _Launcher
from orchestration.ingest.ledger import Ledger
from orchestration.project import DBT_PROJECT_DIR
from tests.conftest import SAMPLE_WEEKS, check_evidence_counts, evidence_of, metric_store, run
from tests.ingest.ingest_kit import Place, logs

#: What tells of the build itself, not of the week.
_OF_THE_BUILD = ("publication", "fct_restatement")


def tables(home: Path) -> dict[str, list[tuple]]:
    """Every published table as rows; what tells of the build itself is left out."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        names = [
            row[0]
            for row in store.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        ]
        return {
            name: store.execute(f"select * from marts.{name} order by all").fetchall()
            for name in sorted(names)
            if name not in _OF_THE_BUILD
        }


def query(home: Path, sql: str) -> list[tuple]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute(sql).fetchall()


def test_what_a_run_writes_is_for_its_user_and_group(sample_home: Path) -> None:
    written = [path for path in sample_home.rglob("*") if "inbox" not in path.relative_to(sample_home).parts]
    assert len(written) > 50
    assert {oct(path.stat().st_mode & 0o777) for path in written if path.stat().st_mode & 0o027} == set()


@pytest.mark.soak
def test_weeks_one_by_one_are_as_those_of_one_run(sample_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample_home / "inbox", home / "inbox")
    for week in SAMPLE_WEEKS:
        ended = run(home, week)
        assert ended.status == 0, ended.text
    check_published_alike(home, sample_home)


@pytest.mark.soak
def test_the_last_week_first_then_all_with_its_evidence_lost(sample_home: Path, tmp_path: Path) -> None:
    """Neither the order of weeks matters, nor is it a restatement to make evidence again or to fill in what is new."""
    home = tmp_path / "home"
    shutil.copytree(sample_home / "inbox", home / "inbox")
    last = run(home, SAMPLE_WEEKS[-1])
    assert last.status == 0, last.text
    shutil.rmtree(home / "published" / "evidence" / f"week_start={SAMPLE_WEEKS[-1]}")
    ended = run(home, f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[-1]}")
    assert ended.status == 0, ended.text
    check_published_alike(home, sample_home)


def check_published_alike(home: Path, other: Path) -> None:
    assert evidence_of(home) == evidence_of(other)
    expected, found = tables(other), tables(home)
    assert found.keys() == expected.keys()
    assert sum(map(len, expected.values())) > 1000
    for name in expected:
        # that rule compares with what is published already
        assert [row for row in found[name] if "restatement_size" not in row] == [
            row for row in expected[name] if "restatement_size" not in row
        ], name
    assert query(home, "select count(*) from marts.fct_restatement") == [(0,)]


def test_every_table_has_something_to_show(sample_home: Path) -> None:
    empty = [name for name, rows in tables(sample_home).items() if not rows]
    # the sample has no waiver and no incident, and every column
    assert empty == ["fct_gate_waiver_week", "fct_incident_impact_week", "fct_unmeasured_metric_week"]


def test_dagster_plots_the_headline_figures_of_each_published_week(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(sample_home / "dagster"))
    with DagsterInstance.get() as instance:
        published = instance.fetch_materializations(AssetKey("published_store"), limit=4).records
        plotted = {
            record.partition_key: record.event_log_entry.asset_materialization.metadata["o2d_ratio"].value
            for record in published
            if record.event_log_entry.asset_materialization
        }
    values = query(
        sample_home,
        "select week_start::varchar, value from marts.fct_metric_week "
        "where metric_id = 'o2d_ratio' and dimension = 'overall'",
    )
    assert plotted == {week: float(value) for week, value in values}
    assert len(published) == len(SAMPLE_WEEKS)


def test_partitions_are_the_weeks_that_landed_or_were_published_and_checks_tell_each(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(sample_home / "dagster"))
    with DagsterInstance.get() as instance:
        assert instance.get_materialized_partitions(AssetKey("published_store")) == set(SAMPLE_WEEKS)
        with Ledger(sample_home / "landing" / "ledger.sqlite", read_only=True) as ledger:
            for source in ("oms_logs", "seller_orders", "claims"):
                landed = {str(week) for week in ledger.landed_rows_by_week([source])}
                assert instance.get_materialized_partitions(AssetKey(["landing", source])) == landed, source
        records = instance.event_log_storage.get_asset_check_execution_history(
            AssetCheckKey(AssetKey("gate"), "days_present"), limit=10
        )
        checked = {record.event.asset_check_evaluation.partition for record in records if record.event}
    assert checked == {None, *SAMPLE_WEEKS}


def test_evidence_has_as_many_rows_as_the_figures_say(sample_home: Path) -> None:
    check_evidence_counts(sample_home)


def test_running_again_adds_no_build(home_copy: Path) -> None:
    """Nor do figures whose evidence is lost: they are as they were. To name the week makes it again."""
    shutil.rmtree(home_copy / "published" / "evidence" / f"week_start={SAMPLE_WEEKS[1]}")
    before = (home_copy / "published" / "metric_store.duckdb").stat()
    ended = run(home_copy)
    assert (ended.status, ended.out.split(":")[0]) == (0, "Nothing to do")
    after = (home_copy / "published" / "metric_store.duckdb").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_later_version_of_an_order_makes_no_earlier_week_due(home_copy: Path) -> None:
    """Shipped after A of every published week: nothing is due."""
    with duckdb.connect() as db:
        newest = db.execute(
            f"""
            select * exclude (week)
                replace (timestamp '2026-02-20' as delivered_at, timestamp '2026-02-21' as updated_at)
            from read_parquet('{home_copy}/landing/seller_orders/*/*.parquet')
            qualify row_number() over (partition by sub_order_id order by updated_at desc) = 1
                and delivered_at is null and cancelled_at is null
            order by sub_order_id limit 1
            """
        )
        columns = [column[0] for column in newest.description]
        row = newest.fetchall()[0]
    lines = [",".join(columns), ",".join("" if value is None else str(value) for value in row)]
    with gzip.open(home_copy / "inbox" / "seller_orders" / "update.csv.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    ended = run(home_copy)
    assert ended.status == 0, ended.text
    state = json.loads(metric_store("status", "--home", home_copy, "--json").out)
    assert [week["week_start"] for week in state["weeks"] if week["due_for_restatement"]] == []
    assert query(home_copy, "select count(*) from marts.publication") == [(3,)]


def test_lost_landing_is_no_ground_to_restate(home_copy: Path) -> None:
    shutil.rmtree(home_copy / "landing")
    before = tables(home_copy)
    ended = run(home_copy)
    assert ended.status == 1, ended.text
    assert "record of what landed is missing" in ended.err
    assert tables(home_copy) == before


def test_plain_dbt_build_works_on_a_home(home_copy: Path, tmp_path: Path) -> None:
    """Models, data tests and unit tests, without any of our Python."""
    dbt = Path(sys.executable).with_name("dbt")
    built = subprocess.run(
        [str(dbt), "build", "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")],
        cwd=DBT_PROJECT_DIR,
        env={**os.environ, "METRIC_STORE_HOME": str(home_copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-5000:]
    assert "ERROR=0" in built.stdout
    assert "WARN=0" in built.stdout


@pytest.mark.soak
def test_a_run_whose_publication_was_skipped_is_no_success(home_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster calls a run that skipped its last steps a success."""
    shutil.rmtree(home_copy / "published")
    skipped = {"inbox", "published_store", "publication", "report"}
    monkeypatch.setattr(
        _Launcher, "compute", lambda self, weeks: self._execute(weeks, lambda key, _: key.path[0] not in skipped)
    )
    ended = run(home_copy)
    assert ended.status == 1, ended.text
    assert f"without a verdict on {SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[-1]}; nothing of it is published" in ended.err


def test_a_run_that_only_rejects_has_not_done_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    place.put("oms_logs/a.csv", logs("L1", logged_at="08/07/2024"))
    ended = metric_store("run", "--home", place.home.root)
    assert ended.status == 3, ended.text
    assert ended.out == "No week is new or due: 0 weeks are published as they are.\n"
    assert "inbox/oms_logs/a.csv: 1 of 1 records rejected: 1 bad_type (logged_at)" in ended.err
    again = metric_store("run", "--home", place.home.root)
    assert (again.status, again.out) == (0, "Nothing to do: 0 weeks are published as they are.\n")
