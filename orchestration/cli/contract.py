"""`metric-store contract`: the contracts of inputs and published tables, and what changed against an older one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from metric_store.errors import MetricStoreError
from orchestration.contract.comparison import changes
from orchestration.contract.document import Element, contract
from orchestration.home.layout import Home


def show_contract(home: Home, names: Sequence[str]) -> None:
    """Print the contract as YAML."""
    click.echo(yaml.safe_dump(contract(home, names), sort_keys=False, allow_unicode=True, width=120), nl=False)


def show_changes(home: Home, names: Sequence[str], older: Path) -> bool:
    """Print what changed since the contract in a file; returns whether nothing of it is breaking.

    names: those to compare. Raises MetricStoreError where the file holds no contract.
    """
    before, after = _read(older), contract(home, names)
    if names:
        before = {**before, "schema": [found for found in before["schema"] if found["name"] in names]}
    found = changes(before, after)
    for change in found:
        click.echo(str(change))
    broken = sum(change.is_breaking for change in found)
    click.echo(f"{before.get('version')} to {after['version']}: {broken} breaking, {len(found) - broken} compatible")
    return not broken


def _read(file: Path) -> Element:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        for element in found["schema"]:
            element["name"]
            for column in element.get("properties") or ():
                column["name"]
                for value in column.get("enum") or ():
                    value["value"]
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as error:
        raise MetricStoreError(
            f"{file} is no data contract: {type(error).__name__}: {str(error).splitlines()[0]}\n"
            "Give a file that metric-store contract wrote, or another of the Open Data Contract Standard."
        ) from error
    assert isinstance(found, dict)
    return found
