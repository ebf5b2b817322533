"""The Dagster side: what the code location holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import duckdb
import pytest
from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    FreshnessPolicy,
    JobDefinition,
)

from orchestration.configuration.ids import GATE_RULES
from orchestration.definitions import build_definitions, defs
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.jobs import inbox_sensor, monday_0300_utc
from orchestration.project import PROJECT_ROOT
from orchestration.publication.tables import mart_tables
from orchestration.resources import MetricStoreResource
from orchestration.transform.project import manifest_path
from orchestration.weeks.calendar import time_zones
from orchestration.weeks.names import FIRST_WEEK
from orchestration.weeks.partitions import WEEKS, tags_for
from tests.parts import weeks_asked_for

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(scope="module")
def specs() -> dict[AssetKey, AssetSpec]:
    """Everything the code location can make; not the sources outside it."""
    graph = defs.resolve_asset_graph()
    return {spec.key: spec for spec in defs.resolve_all_asset_specs() if spec.key in graph.materializable_asset_keys}


@pytest.fixture(scope="module")
def job() -> JobDefinition:
    return defs.resolve_job_def("weekly_run")


def test_the_definitions_are_sound() -> None:
    Definitions.validate_loadable(defs)


def test_there_is_one_job_and_it_holds_every_asset_and_check(
    job: JobDefinition, specs: dict[AssetKey, AssetSpec]
) -> None:
    named = [found.name for found in defs.resolve_all_job_defs() if not found.name.startswith("__")]
    assert named == ["weekly_run"]
    assert job.asset_layer.executable_asset_keys == set(specs)
    assert job.executor_def.name == "in_process"


def test_landing_assets_are_the_sources_and_one_step_marks_them() -> None:
    graph = defs.resolve_asset_graph()
    landing = {AssetKey(["landing", source.name]) for source in SOURCES}
    assert {key for key in graph.get_all_asset_keys() if key.path[0] == "landing"} == landing
    assert graph.get(AssetKey("inbox")).child_keys >= landing
    assert landing.isdisjoint(graph.materializable_asset_keys)


def test_published_tables_are_assets_before_the_store(specs: dict[AssetKey, AssetSpec]) -> None:
    marts = {AssetKey(["marts", table.name]) for table in mart_tables(manifest_path(Home.of()))}
    assert len(marts) >= 12
    assert marts <= set(specs)
    assert {dep.asset_key for dep in specs[AssetKey("published_store")].deps} == marts | {AssetKey("gate")}


def test_the_gate_stands_between_the_marts_and_the_store() -> None:
    graph = defs.resolve_asset_graph()
    behind = graph.get_ancestor_asset_keys(AssetKey("published_store"))
    beside = {AssetKey("published_store"), AssetKey("publication")}  # one step makes both
    landing = {AssetKey(["landing", source.name]) for source in SOURCES}
    assert behind == (graph.materializable_asset_keys | landing) - beside - leaves(graph)
    assert AssetKey("gate") in behind
    assert AssetKey("run_inputs") in graph.get_ancestor_asset_keys(AssetKey("gate"))


def test_the_report_follows_how_the_weeks_ended_not_what_was_published() -> None:
    """Else it would be skipped where a week is withheld, and couldn't say so."""
    graph = defs.resolve_asset_graph()
    assert graph.get(AssetKey("report")).parent_keys == {AssetKey("publication")}


def leaves(graph) -> set[AssetKey]:
    """Assets that nothing is made from, other than the store."""
    return {key for key in graph.materializable_asset_keys if not graph.get(key).child_keys}


def test_all_rules_of_the_gate_are_checks_of_the_gate() -> None:
    checks = {key for key in defs.resolve_asset_graph().asset_check_keys if key.asset_key == AssetKey("gate")}
    assert checks == {AssetCheckKey(AssetKey("gate"), rule) for rule in GATE_RULES}


def test_every_asset_says_what_it_is(specs: dict[AssetKey, AssetSpec]) -> None:
    assert len(specs) > 50
    for key, spec in specs.items():
        assert spec.description, key
        assert spec.group_name not in (None, "default"), key
        assert spec.owners, key
        assert spec.kinds, key


def test_whatever_writes_shares_one_pool() -> None:
    pools = {
        op.name: op.pool
        for assets in defs.assets
        if isinstance(assets, AssetsDefinition)
        for op in assets.node_def.iterate_op_defs()
    }
    assert set(pools.values()) == {"metric_store_writer"}, pools


def test_weeks_start_on_monday_in_utc() -> None:
    keys = WEEKS.get_partition_keys(current_time=datetime(2026, 2, 1, tzinfo=UTC))
    assert keys[-1] == "2026-01-19"
    assert {date.fromisoformat(key).weekday() for key in keys} == {0}
    assert WEEKS.timezone == "UTC"


def test_partitioned_assets_share_the_weeks_and_run_a_range_at_once() -> None:
    graph = defs.resolve_asset_graph()
    partitioned = [graph.get(key) for key in graph.materializable_asset_keys if graph.get(key).partitions_def]
    assert AssetKey("published_store") in {node.key for node in partitioned}
    for node in partitioned:
        assert node.partitions_def == WEEKS
        assert node.backfill_policy is not None
        assert node.backfill_policy.max_partitions_per_run is None, node.key


def test_resources_can_be_replaced() -> None:
    store = MetricStoreResource(threads=1)
    assert build_definitions({"store": store}).resources["store"] is store


def test_the_home_of_a_run_stays_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dbt's variables, which name a home too, change while it works in a thread of the run."""
    monkeypatch.setenv("METRIC_STORE_HOME", str(tmp_path))
    store = MetricStoreResource()
    assert store.place.root == tmp_path
    monkeypatch.setenv("METRIC_STORE_HOME", "/elsewhere")
    assert store.place.root == tmp_path


@pytest.mark.parametrize(
    "weeks",
    [["2026-01-05"], ["2026-01-05", "2026-01-12"], ["2025-12-29", "2026-01-05", "2026-01-12"]],
    ids=", ".join,
)
def test_tags_of_a_run_name_its_weeks(weeks: list[str]) -> None:
    tags = tags_for([date.fromisoformat(week) for week in [*weeks[::-1], weeks[-1]]])
    assert weeks_asked_for(tags) == weeks
    assert (tags[RANGE_START], tags[RANGE_END]) == (weeks[0], weeks[-1])


@pytest.mark.parametrize(
    ("tags", "weeks"),
    [
        ({}, []),
        ({"dagster/partition": "2026-01-05"}, ["2026-01-05"]),
        ({RANGE_START: "2026-01-05", RANGE_END: "2026-01-19"}, ["2026-01-05", "2026-01-12", "2026-01-19"]),
    ],
)
def test_weeks_of_runs_that_others_launch(tags: dict[str, str], weeks: list[str]) -> None:
    assert weeks_asked_for(tags) == weeks


def test_the_first_week_has_a_partition() -> None:
    assert WEEKS.get_first_partition_key() == FIRST_WEEK.isoformat()


def test_workspace_and_project_name_the_code_location() -> None:
    assert "orchestration.definitions" in (PROJECT_ROOT / "workspace.yaml").read_text()


def test_the_published_store_alone_has_a_deadline(specs: dict[AssetKey, AssetSpec]) -> None:
    policies = {key: spec.freshness_policy for key, spec in specs.items() if spec.freshness_policy}
    assert policies == {AssetKey("published_store"): FreshnessPolicy.cron("0 15 * * 1", timedelta(hours=12), "UTC")}


def test_both_are_off_until_switched_on() -> None:
    assert monday_0300_utc.default_status == DefaultScheduleStatus.STOPPED
    assert inbox_sensor.default_status == DefaultSensorStatus.STOPPED


def test_the_schedule_is_mondays_three_o_clock() -> None:
    assert (monday_0300_utc.cron_schedule, monday_0300_utc.execution_timezone) == ("0 3 * * 1", "UTC")
    assert monday_0300_utc.job_name == inbox_sensor.job_name == "weekly_run"


def test_the_schedule_ticks_at_a_all_over_the_earth() -> None:
    """A is at the tick's wall clock in every week of two years: no clock is changed between E and A."""
    zones = sorted(time_zones() & available_timezones())
    with duckdb.connect() as engine:
        off = engine.execute(
            """
            with ends as (
                select
                    zone, hours, monday + hours * interval 1 hour as wall_clock,
                    timezone('UTC', timezone(zone, monday)) + hours * interval 1 hour as calculated_at
                from (select unnest($zones) as zone), (select unnest([0, 3, 23, 24, 26, 47]) as hours), (
                    select unnest(generate_series(timestamp '2026-01-05', timestamp '2028-01-03', interval 7 days))
                        as monday
                )
            )
            select distinct zone from ends where timezone(zone, timezone('UTC', calculated_at)) <> wall_clock
            """,
            {"zones": zones},
        ).fetchall()
    assert len(zones) > 500
    assert off == []
