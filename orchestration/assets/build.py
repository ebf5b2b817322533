"""The dbt project as assets: everything up to marts and the gate's profile, and what follows from the verdict.

They hold the weeks of the last run, so they have no partitions: which weeks are published, `published_store` shows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import AssetExecutionContext, AssetKey, MetadataValue, Output
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dbt_manifest import validate_manifest

from orchestration.assets.landing import OWNERS
from orchestration.assets.last_week import SHOWN_MARTS, last_week
from orchestration.dbt import MANIFEST_PATH, DbtError, ensure_manifest
from orchestration.resources import MetricStoreResource
from orchestration.warehouse import run_weeks

AFTER_GATE = "tag:after_gate"


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


ensure_manifest()


@dbt_assets(
    manifest=MANIFEST_PATH,
    name="build",
    exclude=AFTER_GATE,
    dagster_dbt_translator=TRANSLATOR,
    pool="metric_store_writer",
)
def build(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[Any]:
    """Staging, intermediate models, marts and the gate's profile of the run's weeks."""
    yield from _build(context, store, "fqn:*", AFTER_GATE)


@dbt_assets(
    manifest=MANIFEST_PATH,
    name="after_gate",
    select=AFTER_GATE,
    dagster_dbt_translator=TRANSLATOR,
    pool="metric_store_writer",
)
def after_gate(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[Any]:
    """Marts that show what follows from the gate's verdict."""
    yield from _build(context, store, AFTER_GATE, None)
