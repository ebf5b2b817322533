"""`make check`: the rules of dbt-project-evaluator that follow from the manifest; exceptions in project_rules.csv."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from orchestration.project import DBT_PROJECT_DIR

_MANIFEST = DBT_PROJECT_DIR / "target" / "manifest.json"
_EXCEPTIONS = Path(__file__).with_suffix(".csv")

#: Folder of `models/` -> the prefixes of the names in it; from the sources on down.
_LAYERS = {
    "staging": ("base_", "stg_"),
    "intermediate": ("int_",),
    "marts": ("dim_", "fct_"),
    "quality": ("dq_", "gate_", "int_"),
}
_MOST_PARENTS, _MOST_CHILDREN, _LONGEST_CHAIN_OF_VIEWS = 7, 8, 4
_FROM_NAME = re.compile(r"\b(?:from|join)\s+([a-z_]+\.[a-z_.]+)", re.IGNORECASE)
_COMMENT = re.compile(r"{#.*?#}|--[^\n]*", re.DOTALL)


class Finding(NamedTuple):
    """What a rule has to say of a node."""

    rule: str
    name: str
    detail: str


class Project:
    """The nodes of a manifest and how they follow from one another."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        self.tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
        self.sources: dict[str, dict[str, Any]] = manifest["sources"]
        self.exposures: dict[str, dict[str, Any]] = manifest["exposures"]
        self.children: dict[str, list[str]] = {key: [] for key in (*self.models, *self.sources)}
        for key, node in self.models.items():
            for parent in dict.fromkeys(node["depends_on"]["nodes"]):
                self.children[parent].append(key)

    def models_of(self, *layers: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Key and node of the models of these layers, of all without one."""
        return ((key, node) for key, node in self.models.items() if not layers or layer(node) in layers)

    def sources_of(self, node: dict[str, Any]) -> list[str]:
        """Keys of the sources that a model reads."""
        return [parent for parent in dict.fromkeys(node["depends_on"]["nodes"]) if parent in self.sources]

    def parents(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        """The models that a model reads."""
        return [self.models[parent] for parent in dict.fromkeys(node["depends_on"]["nodes"]) if parent in self.models]


def layer(node: dict[str, Any]) -> str:
    """The folder of `models/` that a model lies in."""
    return str(node["fqn"][1])


def direct_join_to_source(project: Project) -> Iterator[tuple[str, str]]:
    """A source is read by staging models alone."""
    for _, node in project.models_of("intermediate", "marts", "quality"):
        for source in project.sources_of(node):
            yield node["name"], f"reads {source}"


def multiple_sources_joined(project: Project) -> Iterator[tuple[str, str]]:
    """A staging model is of one source."""
    for _, node in project.models_of():
        if len(sources := project.sources_of(node)) > 1:
            yield node["name"], f"reads {len(sources)} sources"


def source_fanout(project: Project) -> Iterator[tuple[str, str]]:
    """A source has one staging model."""
    for key, source in project.sources.items():
        if len(children := project.children[key]) > 1:
            yield source["name"], f"is read by {len(children)} models"


def unused_source(project: Project) -> Iterator[tuple[str, str]]:
    """A source that no model reads is none."""
    return ((source["name"], "has no model") for key, source in project.sources.items() if not project.children[key])


def root_model(project: Project) -> Iterator[tuple[str, str]]:
    """A model that reads nothing hides where its rows come from."""
    return ((node["name"], "reads nothing") for _, node in project.models_of() if not node["depends_on"]["nodes"])


def layer_inversion(project: Project) -> Iterator[tuple[str, str]]:
    """A model reads its own layer or one above."""
    order = list(_LAYERS)
    for _, node in project.models_of():
        for parent in project.parents(node):
            if order.index(layer(parent)) > order.index(layer(node)):
                yield node["name"], f"reads {parent['name']}"


def staging_on_staging(project: Project) -> Iterator[tuple[str, str]]:
    """A staging model reads its source, or its base model."""
    for _, node in project.models_of("staging"):
        for parent in project.parents(node):
            if not parent["name"].startswith("base_"):
                yield node["name"], f"reads {parent['name']}"


def rejoining(project: Project) -> Iterator[tuple[str, str]]:
    """A model that joins a parent to the only child of that parent could be one with it."""
    for key, node in project.models_of("intermediate", "marts"):
        for parent in project.parents(node):
            for grandparent in project.parents(parent):
                of_both = set(project.children[grandparent["unique_id"]]) >= {key, parent["unique_id"]}
                if of_both and project.children[parent["unique_id"]] == [key]:
                    yield f"{grandparent['name']}>{node['name']}", f"joins it again after {parent['name']}"


def too_many_parents(project: Project) -> Iterator[tuple[str, str]]:
    """A model that joins many others has more than one thought."""
    for _, node in project.models_of():
        if len(parents := project.parents(node)) > _MOST_PARENTS:
            yield node["name"], f"reads {len(parents)} models"


def model_fanout(project: Project) -> Iterator[tuple[str, str]]:
    """Many leaves under one model do what a tool on top should do."""
    for key, node in project.models_of("marts"):
        leaves = [child for child in project.children[key] if not project.children[child]]
        if len(leaves) > _MOST_CHILDREN:
            yield node["name"], f"has {len(leaves)} children without children"


def chained_views(project: Project) -> Iterator[tuple[str, str]]:
    """A long chain of views is computed anew at every end of it."""

    def views_up(node: dict[str, Any]) -> int:
        if node["config"]["materialized"] not in ("view", "ephemeral"):
            return 0
        return 1 + max((views_up(parent) for parent in project.parents(node)), default=0)

    for _, node in project.models_of():
        if (length := max((views_up(parent) for parent in project.parents(node)), default=0)) > _LONGEST_CHAIN_OF_VIEWS:
            yield node["name"], f"reads a chain of {length} views"


def undocumented_model(project: Project) -> Iterator[tuple[str, str]]:
    """A model says what a row of it is, first of all."""
    for _, node in project.models_of():
        if not node["description"].startswith("One row per "):
            yield node["name"], "doesn't begin its description with its grain"


def undocumented_column(project: Project) -> Iterator[tuple[str, str]]:
    """A column says what it is."""
    for _, node in project.models_of():
        if not node["columns"] and not node["name"].startswith("base_"):
            yield node["name"], "describes no column"
        for name in (column["name"] for column in node["columns"].values() if not column["description"]):
            yield node["name"], f"doesn't describe {name}"


def undocumented_source(project: Project) -> Iterator[tuple[str, str]]:
    """A source says what it holds."""
    for source in project.sources.values():
        if not (source["description"] and source["source_description"]):
            yield source["name"], "has no description"


def missing_key(project: Project) -> Iterator[tuple[str, str]]:
    """A model has a tested key: of dbt, `key` (the rule keys_unique), or `grain` (tests/end_to_end/test_grain.py)."""
    tested = {
        test["attached_node"]
        for test in project.tests
        if (test.get("test_metadata") or {}).get("name") in ("unique_key", "unique")
    }
    for key, node in project.models_of():
        if key not in tested and not {"key", "grain"} & node["config"]["meta"].keys():
            yield node["name"], "has no key that is tested"


def naming(project: Project) -> Iterator[tuple[str, str]]:
    """A name begins with its layer, and a staging model's with its folder's system."""
    for _, node in project.models_of():
        if not node["name"].startswith(_LAYERS[layer(node)]):
            yield node["name"], f"begins with none of {', '.join(_LAYERS[layer(node)])}"


def yaml_beside(project: Project) -> Iterator[tuple[str, str]]:
    """A model has a YAML of its name beside it."""
    for _, node in project.models_of():
        beside = str(Path(node["original_file_path"]).with_suffix(".yml"))
        if not (node["patch_path"] or "").endswith(beside):
            yield node["name"], f"isn't described in {beside}"


def hard_coded_reference(project: Project) -> Iterator[tuple[str, str]]:
    """A relation is named by ref or source."""
    for _, node in project.models_of():
        for name in _FROM_NAME.findall(_COMMENT.sub("", node["raw_code"])):
            yield node["name"], f"names {name}"


def bare_boolean(project: Project) -> Iterator[tuple[str, str]]:
    """A column that answers a question is named is_, was_ or has_; published names are a contract, and stay."""
    for _, node in project.models_of("staging", "intermediate"):
        for column in node["columns"].values():
            if column["description"].startswith("Whether ") and not column["name"].startswith(("is_", "was_", "has_")):
                yield node["name"], f"calls a boolean {column['name']}"


def exposure_on_other_layer(project: Project) -> Iterator[tuple[str, str]]:
    """What leaves the project is a mart."""
    for exposure in project.exposures.values():
        for parent in exposure["depends_on"]["nodes"]:
            if parent not in project.models or layer(project.models[parent]) != "marts":
                yield exposure["name"], f"depends on {parent}"


def mart_without_exposure(project: Project) -> Iterator[tuple[str, str]]:
    """A mart that nothing exposes is for nobody."""
    exposed = {parent for exposure in project.exposures.values() for parent in exposure["depends_on"]["nodes"]}
    return ((node["name"], "is in no exposure") for key, node in project.models_of("marts") if key not in exposed)


RULES: tuple[Callable[[Project], Iterator[tuple[str, str]]], ...] = (
    direct_join_to_source,
    multiple_sources_joined,
    source_fanout,
    unused_source,
    root_model,
    layer_inversion,
    staging_on_staging,
    rejoining,
    too_many_parents,
    model_fanout,
    chained_views,
    undocumented_model,
    undocumented_column,
    undocumented_source,
    missing_key,
    naming,
    yaml_beside,
    hard_coded_reference,
    bare_boolean,
    exposure_on_other_layer,
    mart_without_exposure,
)


def findings(manifest: dict[str, Any]) -> list[Finding]:
    """What the rules find in a manifest, exceptions included."""
    project = Project(manifest)
    return [Finding(rule.__name__, name, detail) for rule in RULES for name, detail in rule(project)]


def main(manifest: Path = _MANIFEST, exceptions: Path = _EXCEPTIONS) -> int:
    """Print what no exception allows, and exceptions that allow nothing; both fail."""
    found = findings(json.loads(manifest.read_text(encoding="utf-8")))
    with exceptions.open(encoding="utf-8", newline="") as file:
        allowed = [(row["rule"], row["name"]) for row in csv.DictReader(file)]
    used = set()
    complaints = []
    for rule, name, detail in found:
        by = {(of, names) for of, names in allowed if of == rule and fnmatchcase(name, names)}
        used |= by
        if not by:
            complaints.append(f"{rule}: {name} {detail}")
    complaints += [f"{exceptions.name}: {rule}, {name} allows nothing: remove it" for rule, name in {*allowed} - used]
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        return 1
    print(f"project rules: ok, {len(found)} exceptions")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
