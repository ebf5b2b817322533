"""The dbt project as assets: everything up to marts and the gate's profile, and what follows from the verdict.

They hold the weeks of the last run, so they have no partitions: which weeks are published, `published_store` shows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dagster import AssetCheckKey, AssetCheckResult, AssetExecutionContext, AssetKey, Output
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from metric_store.errors import MetricStoreError
from orchestration.assets.owners import OWNERS
from orchestration.home.layout import Home
from orchestration.resources import MetricStoreResource
from orchestration.transform import steps
from orchestration.transform.project import manifest_path
from orchestration.weeks.partitions import weeks_of

AFTER_GATE = "tag:after_gate"
EVERYTHING = "fqn:*"

_MANIFEST = manifest_path(Home.of())


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


@dbt_assets(
    name="build",
    manifest=_MANIFEST,
    select=EVERYTHING,
    exclude=AFTER_GATE,
    dagster_dbt_translator=TRANSLATOR,
    pool="metric_store_writer",
)
def build(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[Any]:
    """Staging, intermediate models, marts and the gate's profile of the run's weeks."""
    yield from _build(context, store, "build", "--select", EVERYTHING, "--exclude", AFTER_GATE)


@dbt_assets(
    name="after_gate",
    manifest=_MANIFEST,
    select=AFTER_GATE,
    dagster_dbt_translator=TRANSLATOR,
    pool="metric_store_writer",
)
def after_gate(context: AssetExecutionContext, store: MetricStoreResource) -> Iterator[Any]:
    """Marts that show what follows from the gate's verdict."""
    yield from _build(context, store, "after_gate", "--select", AFTER_GATE)


def _build(context: AssetExecutionContext, store: MetricStoreResource, step: str, *selection: str) -> Iterator[Any]:
    """Nothing, where the run has no week left to compute: what comes after is skipped then."""
    if context.is_subset:  # fewer models: the others have to be there, as they would come out
        selection = ("--select", *sorted(key.path[-1] for key in context.selected_asset_keys))
        weeks = steps.require(store.place, store.configuration, weeks_of(context.run), step)
    else:
        weeks = steps.begin(store.place, store.configuration, weeks_of(context.run), step)
    if not weeks:
        context.log.info("every week is as it is published; nothing to build")
        return
    missing: set[AssetKey | AssetCheckKey] = {*context.selected_asset_keys, *context.selected_asset_check_keys}
    for event in store.dbt.build(*selection):
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        for made in message.to_default_asset_events(
            manifest=_MANIFEST, dagster_dbt_translator=TRANSLATOR, context=context, target_path=store.place.dbt_target
        ):
            if isinstance(made, Output):
                missing.discard(context.asset_key_for_output(made.output_name))
            if isinstance(made, AssetCheckResult) and made.asset_key and made.check_name:
                missing.discard(AssetCheckKey(made.asset_key, made.check_name))
            yield made
    if missing:
        # Dagster would skip what comes after, and call the run a success.
        named = min(key.to_user_string() for key in missing)
        raise MetricStoreError(f"dbt told of no result for {named} and {len(missing) - 1} more: run again.")
    if not context.is_subset:
        steps.done(store.place, step)
