"""What is let go as a home grows: old runs of Dagster, and pages of weeks long past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import dagster
import pytest
from dagster import AssetKey, DagsterInstance
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus

from orchestration.gate.context import KEPT, build_data_docs
from orchestration.home.instance import _RETENTION, prepare_instance
from orchestration.home.layout import HOME_VARIABLE, Home
from orchestration.home.retention import forget_old_runs


@dagster.asset(partitions_def=dagster.StaticPartitionsDefinition(["2026-01-05", "2026-01-12"]))
def published() -> None: ...


def now(days: int) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(days=days)


def test_old_runs_go_with_their_files_and_what_they_marked_stays(tmp_path) -> None:
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        for week in ("2026-01-05", "2026-01-12"):
            dagster.materialize([published], instance=instance, partition_key=week)
        assert forget_old_runs(instance, now(days=89), keep_days=90) == 0
        assert len(instance.get_run_records()) == 2
        assert len([*tmp_path.glob("history/runs/*-*.db")]) == 2
        assert forget_old_runs(instance, now(days=91), keep_days=90) == 2
        assert instance.get_run_records() == []
        of_all_runs = {"index.db", ".db"}
        assert {file.name for file in tmp_path.glob("history/runs/*")} == of_all_runs
        assert instance.get_materialized_partitions(AssetKey("published")) == {"2026-01-05", "2026-01-12"}


def test_a_run_at_work_stays(tmp_path) -> None:
    with DagsterInstance.ephemeral(str(tmp_path)) as instance:
        jobs = [dagster.define_asset_job("publication", [published])]
        job = dagster.Definitions(assets=[published], jobs=jobs).resolve_job_def("publication")
        instance.create_run_for_job(job, status=dagster.DagsterRunStatus.STARTED)
        assert forget_old_runs(instance, now(days=91), keep_days=90) == 0


def test_no_tick_is_kept_for_ever(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor ticks each minute. Settings that an earlier release wrote follow, those that somebody changed stay."""
    for name in ("DAGSTER_HOME", HOME_VARIABLE, "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # set by prepare_instance
    settings = prepare_instance(Home(tmp_path)) / "dagster.yaml"
    text = settings.read_text()
    settings.write_text(text.replace(_RETENTION, ""))
    prepare_instance(Home(tmp_path))
    assert settings.read_text() == text
    with DagsterInstance.from_config(str(settings.parent)) as instance:
        days = {kind: instance.get_tick_retention_settings(kind) for kind in InstigatorType if "AUTO" not in kind.name}
    assert all(kept > 0 for by_status in days.values() for kept in by_status.values()), days
    assert days[InstigatorType.SENSOR][TickStatus.SKIPPED] == 1
    settings.write_text("telemetry:\n  enabled: false\n")
    prepare_instance(Home(tmp_path))
    assert settings.read_text() == "telemetry:\n  enabled: false\n"


def test_data_docs_keep_the_latest_weeks_and_those_just_judged(tmp_path) -> None:
    home = Home(tmp_path)
    mondays = [f"{datetime(2025, 1, 6) + timedelta(weeks=number):%Y-%m-%d}" for number in range(40)]
    for folder in (home.gate_context, home.data_docs):
        for monday in mondays:
            (folder / "validations" / "gate" / monday / "a").mkdir(parents=True)
    (home.data_docs / "index.html").touch()
    context = SimpleNamespace(build_data_docs=lambda **_: None)
    judged = SimpleNamespace(run_id=SimpleNamespace(run_name=mondays[0]))
    build_data_docs(home, context, judged)
    for folder in (home.gate_context, home.data_docs):
        kept = sorted(path.name for path in (folder / "validations" / "gate").iterdir())
        assert kept == [mondays[0], *mondays[-KEPT:]]
