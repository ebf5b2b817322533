"""The dbt project as assets: everything up to marts and the gate's profile, and what follows from the verdict.

They hold the weeks of the last run, so they have no partitions: which weeks are published, `published_store` shows.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, MetadataValue, Output, multi_asset

from orchestration.assets.landing import OWNERS
from orchestration.assets.last_week import SHOWN_MARTS, last_week
from orchestration.dbt import MANIFEST_PATH, DbtError, ensure_manifest
from orchestration.resources import MetricStoreResource
from orchestration.warehouse import run_weeks


@contextmanager
def _without_dbt() -> Iterator[None]:
    """Let dagster-dbt be imported as where dbt-core isn't installed, for which it has its own names for what dbt's are.

    Else it imports dbt for those, which is half of loading the code location; dbt has a process of its own here.
    """
    asked_for = "dbt.version"
    found = sys.modules.get(asked_for)
    sys.modules[asked_for] = ModuleType(asked_for)  # it has no version, and from that nothing can be imported
    try:
        yield
    finally:
        del sys.modules[asked_for]
        if found is not None:
            sys.modules[asked_for] = found


with _without_dbt():
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings
    from dagster_dbt.asset_utils import build_dbt_specs
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
    from dagster_dbt.dbt_manifest import validate_manifest

AFTER_GATE = "after_gate"


class Translator(DagsterDbtTranslator):
    """dbt nodes as assets: grouped by layer and family, named by layer."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return AssetKey(dbt_resource_props["meta"]["dagster"]["asset_key"])
        return AssetKey([dbt_resource_props["fqn"][1], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        layer, *family = dbt_resource_props["fqn"][1:-1]
        return "_".join([layer, *family]) if layer == "marts" else layer

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return OWNERS


TRANSLATOR = Translator(settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))


def _build(
    context: AssetExecutionContext, store: MetricStoreResource, select: str, exclude: str | None
) -> Iterator[Any]:
    """Nothing, where the run has no week left to compute: what comes after is skipped then."""
    if not run_weeks(store.place):
        context.log.info("every week is as it is published; nothing to build")
        return
    manifest = validate_manifest(MANIFEST_PATH)
    # Until the build ends, dbt has the warehouse for itself: a mart that shows rows waits for them, and so does what
    # follows it, because Dagster takes assets in their order only.
    held: dict[str, list[Any]] = {}
    try:
        for event in store.dbt.build([select], [exclude] if exclude else []):
            message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
            made = message.to_default_asset_events(
                manifest=manifest, dagster_dbt_translator=TRANSLATOR, context=context, target_path=store.dbt.target
            )
            node = event["data"].get("node_info", {}).get("unique_id", "")
            if _name(node) in SHOWN_MARTS or not held.keys().isdisjoint(manifest["parent_map"].get(node, ())):
                held.setdefault(node, []).extend(made)
            else:
                yield from made
    except DbtError:
        for waiting in held.values():
            yield from waiting
        raise
    rows = last_week(store.place, SHOWN_MARTS.intersection(map(_name, held)))
    for node, waiting in held.items():
        for one in waiting:
            if isinstance(one, Output) and _name(node) in rows:
                one = one.with_metadata({**one.metadata, "last_week": MetadataValue.md(rows[_name(node)])})
            yield one


def _name(node: str) -> str:
    """The name of a model by dbt's id of it."""
    return node.rpartition(".")[2]


_SPECS, _CHECKS = build_dbt_specs(
    translator=TRANSLATOR,
    manifest=validate_manifest(ensure_manifest()),
    # All: choosing by a tag is dbt's own work, for which dagster-dbt imports it.
    select="fqn:*",
    exclude="",
    selector="",
    io_manager_key=None,
    project=None,
)
_LATE = {spec.key for spec in _SPECS if AFTER_GATE in spec.tags}


def _part(name: str, description: str, select: str, exclude: str | None, *, late: bool) -> AssetsDefinition:
    @multi_asset(
        name=name,
        description=description,
        specs=[spec for spec in _SPECS if (spec.key in _LATE) == late],
        check_specs=[check for check in _CHECKS if (check.asset_key in _LATE) == late],
        can_subset=True,
        pool="metric_store_writer",
    )
    def part(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[Any]:
        yield from _build(context, store, select, exclude)

    return part


build = _part(
    "build",
    "Staging, intermediate models, marts and the gate's profile of the run's weeks.",
    "fqn:*",
    f"tag:{AFTER_GATE}",
    late=False,
)
after_gate = _part(
    "after_gate", "Marts that show what follows from the gate's verdict.", f"tag:{AFTER_GATE}", None, late=True
)
