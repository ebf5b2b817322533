"""`contract`: valid by the standard, complete, and what a change means for who delivers and for who reads."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from orchestration.contract.comparison import changes
from orchestration.contract.document import contract
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from tests.conftest import Ended, metric_store
from tests.unit.store_kit import TABLES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    ended = metric_store("contract")
    assert (ended.status, ended.err) == (0, "")
    return yaml.safe_load(ended.out)


def test_it_is_valid_by_the_standard(document: dict[str, Any]) -> None:
    jsonschema.validate(document, json.loads(OpenDataContractStandard.json_schema()))
    known = OpenDataContractStandard(**deepcopy(document)).model_dump(exclude_none=True, by_alias=True)
    assert known == document, "the library knows every property"


def test_descriptions_are_there_and_end_without_an_empty_line(document: dict[str, Any]) -> None:
    described = [one["description"] for known in document["schema"] for one in (known, *known["properties"])]
    assert all(text and text == text.strip() for text in described)


def test_it_has_every_source_and_every_published_table(document: dict[str, Any]) -> None:
    found = {one["name"]: [column["name"] for column in one["properties"]] for one in document["schema"]}
    sources = {source.name: [column.name for column in source.columns] for source in SOURCES}
    assert found == sources | {table.name: list(table.columns) for table in TABLES}
    by_name = {one["name"]: one for one in document["schema"]}
    for known in (*SOURCES, *TABLES):
        keys = {c["name"]: c["primaryKeyPosition"] for c in by_name[known.name]["properties"] if c.get("primaryKey")}
        assert sorted(keys, key=lambda name: keys[name]) == list(known.key)
    columns = {column["name"]: column for column in by_name["seller_orders"]["properties"]}
    assert columns["quantity"]["logicalTypeOptions"] == {"minimum": 1, "maximum": 1_000_000}
    assert [one["value"] for one in columns["shipment_type"]["enum"]] == [
        "cross_docking",
        "drop_shipping",
        "fulfillment_by",
    ]
    assert [columns[name]["required"] for name in ("ordered_at", "shipped_at")] == [True, False]
    rate = next(
        column for column in by_name["fct_seller_ovl_week"]["properties"] if column["name"] == "daily_order_limit"
    )
    assert (rate["logicalType"], rate["physicalType"], bool(rate["description"])) == ("integer", "bigint", True)


def test_its_service_level_is_that_of_the_home(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.csv").write_text(
        "key,value\npublish_within_hours,30\ncalculation_offset_hours,5\n"
    )
    levels = {level["property"]: level["value"] for level in contract(Home(tmp_path), [])["slaProperties"]}
    assert levels == {"frequency": 7, "latency": 35}


def test_a_home_that_is_named_must_be_there(tmp_path: Path) -> None:
    refused = metric_store("contract", "--home", tmp_path / "none")
    assert (refused.status, refused.out) == (1, "")
    assert f"There is no home at {tmp_path / 'none'}." in refused.err


def test_it_can_be_of_some_of_them() -> None:
    found = yaml.safe_load(metric_store("contract", "publication", "claims").out)
    assert [one["name"] for one in found["schema"]] == ["claims", "publication"]
    refused = metric_store("contract", "claim")
    assert (refused.status, refused.out) == (2, "")
    assert "no published table claim. Did you mean claims?" in refused.err
    assert "no published table xyz. There are oms_logs, " in metric_store("contract", "xyz").err


def column(document: dict[str, Any], name: str) -> dict[str, Any]:
    where, _, wanted = name.partition(".")
    [found] = [one for one in document["schema"] if one["name"] == where]
    return next(one for one in found["properties"] if one["name"] == wanted) if wanted else found


# What an older contract had otherwise, and what is said of it.
CHANGES = [
    ("packages.order_id", {"required": False}, "breaking: packages.order_id: required"),
    ("claims.verdict", {"required": True}, "compatible: claims.verdict: may be null"),
    (
        "packages.order_id",
        {"logicalType": "integer"},
        "breaking: packages.order_id: logicalType is string, was integer",
    ),
    (
        "packages.order_id",
        {"name": "order"},
        ["breaking: packages.order_id: added, required", "compatible: packages.order: no longer read"],
    ),
    (
        "claims.verdict",
        {"name": "outcome"},
        ["compatible: claims.outcome: no longer read", "compatible: claims.verdict: added"],
    ),
    (
        "oms_logs.channel",
        {"enum": [{"value": "oms"}, {"value": "fax"}]},
        ["breaking: oms_logs.channel: no longer fax", "compatible: oms_logs.channel: also supplier_panel"],
    ),
    ("oms_logs.channel", {"enum": None}, "breaking: oms_logs.channel: takes a closed set"),
    ("claims.verdict", {"enum": [{"value": "fair"}]}, "compatible: claims.verdict: takes any value"),
    (
        "oms_logs.attempt",
        {"logicalTypeOptions": {"minimum": 0, "maximum": 100}},
        ["breaking: oms_logs.attempt: minimum is 1, was 0", "compatible: oms_logs.attempt: maximum is 10000, was 100"],
    ),
    (
        "oms_logs.attempt",
        {"logicalTypeOptions": None},
        [
            "breaking: oms_logs.attempt: minimum is 1, was None",
            "breaking: oms_logs.attempt: maximum is 10000, was None",
        ],
    ),
    ("packages", {"name": "parcels"}, ["compatible: packages: added", "compatible: parcels: no longer read"]),
    ("packages.package_id", {"primaryKey": False}, "breaking: packages: the key is package_id, was "),
    ("dim_seller", {"name": "dim_shop"}, ["breaking: dim_shop: removed", "compatible: dim_seller: added"]),
    (
        "dim_seller.brand_id",
        {"name": "brand"},
        ["breaking: dim_seller.brand: removed", "compatible: dim_seller.brand_id: added"],
    ),
    ("dim_seller.brand_id", {"required": True}, "breaking: dim_seller.brand_id: may be null"),
    ("dim_seller.seller_id", {"required": False}, "compatible: dim_seller.seller_id: required"),
    (
        "fct_metric_week.value",
        {"physicalType": "decimal(9,2)"},
        "breaking: fct_metric_week.value: physicalType is decimal(18,2), was decimal(9,2)",
    ),
    ("dim_seller.brand_id", {"enum": [{"value": "B1"}]}, "breaking: dim_seller.brand_id: takes any value"),
    ("dim_seller", {"description": "Shops."}, "compatible: dim_seller: described in other words"),
    ("dim_seller", {"physicalName": "dim_seller"}, "breaking: dim_seller: is at marts.dim_seller, was at dim_seller"),
]


@pytest.mark.parametrize(("name", "had", "said"), CHANGES, ids=lambda value: str(value)[:40])
def test_a_change_and_whom_it_breaks(
    document: dict[str, Any], name: str, had: dict[str, Any], said: str | list[str]
) -> None:
    older = deepcopy(document)
    column(older, name).update(had)
    expected = [said] if isinstance(said, str) else said
    found = sorted(map(str, changes(older, document)))
    assert found == sorted(expected)


def test_against_an_older_one_the_status_says_whether_it_breaks(document: dict[str, Any], tmp_path: Path) -> None:
    def against(*words: str, **had: Any) -> Ended:
        older = deepcopy(document) | {"version": "0.0.9"}
        column(older, "packages.order_id").update(had)
        (tmp_path / "older.yaml").write_text(yaml.safe_dump(older))
        return metric_store("contract", "--against", tmp_path / "older.yaml", *words)

    assert against() == Ended(0, "0.0.9 to 0.1.0: 0 breaking, 0 compatible\n", "")
    assert against(description="x").status == 0
    broken = against(required=False)
    assert broken == Ended(1, "breaking: packages.order_id: required\n0.0.9 to 0.1.0: 1 breaking, 0 compatible\n", "")
    assert against("claims", required=False).status == 0, "of claims alone"


@pytest.mark.parametrize("text", ["", "a: [", "schema: 3", "- x", "schema: [{properties: []}]", "schema:", "\0"])
def test_a_file_that_is_no_contract(tmp_path: Path, text: str) -> None:
    (tmp_path / "older.yaml").write_text(text)
    ended = metric_store("contract", "--against", tmp_path / "older.yaml")
    assert (ended.status, ended.out) == (1, "")
    assert f"{tmp_path / 'older.yaml'} is no data contract: " in ended.err
    assert len(ended.err.splitlines()) == 2
