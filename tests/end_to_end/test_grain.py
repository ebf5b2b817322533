"""Every model has the grain that its YAML names, on a home that was run."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from orchestration.home.layout import Home
from orchestration.transform.project import manifest_path


def test_no_two_rows_of_a_model_share_its_key(sample_home: Path) -> None:
    nodes = json.loads(manifest_path(Home.of()).read_text())["nodes"].values()
    keys = {
        f"{node['schema']}.{node['name']}": meta.get("grain") or meta["key"]
        for node in nodes
        if node["resource_type"] == "model" and (meta := node["config"]["meta"]) and {"grain", "key"} & meta.keys()
    }
    assert len(keys) > 100
    with duckdb.connect(str(Home(sample_home).warehouse), read_only=True) as db:
        repeated = {
            name: db.execute(f"select count(*) - count(distinct ({', '.join(key)})) from {name}").fetchone()
            for name, key in keys.items()
        }
    assert {name for name, count in repeated.items() if count != (0,)} == set()
