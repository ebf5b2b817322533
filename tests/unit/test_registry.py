"""The registry: what is wrong in it is named, and its lists are those of contracts and catalogue."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_project.registry import PROJECT_DIR, RegistryError, read_registry, registry
from orchestration.ingest.contracts import SOURCES
from orchestration.project import DEFAULT_CONFIG_DIR

ENTRIES = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["vars"]


def entry(variables: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    return next(found for found in variables[part] if found["id"] == name)


def test_sources_and_families_are_those_of_contracts_and_catalogue() -> None:
    registered = {source.id: source.event_time for source in registry().sources}
    assert registered == {source.name: source.event_time for source in SOURCES}
    with (DEFAULT_CONFIG_DIR / "metric_catalog.csv").open(newline="") as file:
        catalogue = {line["metric_id"]: line["family"] for line in csv.DictReader(file)}
    assert catalogue == {metric.id: metric.family for metric in registry().metrics}


def test_a_source_is_looked_at_as_far_back_as_a_metric_or_rule_of_it() -> None:
    assert {source.id: registry().looks_back(source.id) for source in registry().sources} == {
        "oms_logs": 84,
        **dict.fromkeys(("claims", "tickets", "settlements", "inventory_snapshots"), 28),
        **dict.fromkeys(("seller_orders", "packages", "sellers", "products", "flagged_users")),
    }


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda v: entry(v, "metrics", "o2d_ratio").update(total="summ"), "metrics, o2d_ratio, total: .*'sum'.*'summ'"),
        (lambda v: entry(v, "metrics", "o2d_ratio").pop("total"), "metrics, o2d_ratio, total: Field required"),
        (lambda v: entry(v, "metrics", "o2d_ratio").update(nominator="x"), "metrics, o2d_ratio, nominator: Extra"),
        (lambda v: entry(v, "metrics", "o2d_ratio").update(looks_back=30), "metrics, o2d_ratio, looks_back: give days"),
        (
            lambda v: entry(v, "metrics", "o2d_ratio").update(family="brands"),
            "metrics, o2d_ratio, family: there is no brands",
        ),
        (
            lambda v: entry(v, "metrics", "o2d_ratio")["evidence"].update(unit="line"),
            "metrics, o2d_ratio, evidence, unit: ",
        ),
        (
            lambda v: entry(v, "metrics", "o2d_ratio").update(decided_by=["claims.verdict"]),
            "metrics, o2d_ratio: decided_by: ",
        ),
        (lambda v: entry(v, "metrics", "claims_raised").update(interval=True), "metrics, claims_raised: interval: "),
        (lambda v: entry(v, "metrics", "oms_headroom").update(total="sum"), "metrics, oms_headroom: total: "),
        (lambda v: entry(v, "metrics", "return_rate").update(looks_back=28), "metrics, return_rate: looks_back: "),
        (lambda v: v["metrics"].append(v["metrics"][0]), "metrics: o2d_ratio is there twice"),
        (lambda v: entry(v, "rules", "weights").update(of="is_vital"), "rules, weights: of: only"),
        (lambda v: entry(v, "rules", "weights").update(metric="o2d"), "rules, weights, metric: there is no o2d"),
        (lambda v: v.pop("rules"), "rules: Field required"),
    ],
)
def test_an_error_names_entry_and_field(tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], said: str) -> None:
    variables = copy.deepcopy(ENTRIES)
    spoil(variables)
    (tmp_path / "dbt_project.yml").write_text(yaml.safe_dump({"vars": variables}))
    with pytest.raises(RegistryError, match=rf"^dbt_project\.yml: {said}"):
        read_registry(tmp_path)
