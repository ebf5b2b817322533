"""The rules of the dbt project find what breaks them, and the project breaks none but by a written exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.home.layout import Home
from orchestration.transform.project import manifest_path
from tools.project_rules import findings, main


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(manifest_path(Home.of()).read_text())
    return loaded


def test_the_project_breaks_no_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(manifest_path(Home.of())) == 0, capsys.readouterr().err


def _model(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    node: dict[str, Any] = manifest["nodes"][f"model.metric_store.{name}"]
    return node


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        (
            "direct_join_to_source",
            lambda m: _model(m, "int_claims_week")["depends_on"]["nodes"].append("source.metric_store.landing.claims"),
        ),
        (
            "layer_inversion",
            lambda m: _model(m, "int_claims_week")["depends_on"]["nodes"].append("model.metric_store.dim_metric"),
        ),
        ("missing_key", lambda m: _model(m, "int_claims_week")["config"]["meta"].pop("grain")),
        ("undocumented_model", lambda m: _model(m, "int_claims_week").update(description="Claims.")),
        (
            "hard_coded_reference",
            lambda m: _model(m, "int_claims_week").update(raw_code="from marts.dim_metric"),
        ),
        ("mart_without_exposure", lambda m: m["exposures"].clear()),
    ],
)
def test_a_rule_finds_what_breaks_it(
    rule: str, spoil: Callable[[dict[str, Any]], object], manifest: dict[str, Any]
) -> None:
    spoilt = copy.deepcopy(manifest)
    spoil(spoilt)
    new = set(findings(spoilt)) - set(findings(manifest))
    assert rule in {finding.rule for finding in new}


def test_an_exception_that_allows_nothing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exceptions = tmp_path / "exceptions.csv"
    exceptions.write_text("rule,name,reason\nnaming,gone,It was called so\n")
    assert main(manifest_path(Home.of()), exceptions) == 1
    assert "naming, gone allows nothing: remove it" in capsys.readouterr().err
