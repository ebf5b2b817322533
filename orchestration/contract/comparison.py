"""What changed between two contracts, and whom it breaks: who delivers an input, or who reads an output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.contract.document import INPUT, Element


@dataclass(frozen=True)
class Change:
    """One difference. `where`: object, or object.column. is_breaking: what worked with the older contract may fail."""

    where: str
    what: str
    is_breaking: bool

    def __str__(self) -> str:
        return f"{'breaking' if self.is_breaking else 'compatible'}: {self.where}: {self.what}"


def changes(older: Element, newer: Element) -> list[Change]:
    """What the newer contract changes, breaking changes first; objects go by their name, columns too."""
    before, after = _named(older.get("schema")), _named(newer.get("schema"))
    found: list[Change] = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        is_input = INPUT in ((new or old or {}).get("tags") or ())
        if old is None:
            found.append(Change(name, "added", False))
        elif new is None:
            found.append(Change(name, "no longer read" if is_input else "removed", not is_input))
        else:
            found += _object_changes(name, old, new, is_input)
    return sorted(found, key=lambda change: not change.is_breaking)


def _object_changes(name: str, old: Element, new: Element, is_input: bool) -> Iterator[Change]:
    if old.get("physicalName") != new.get("physicalName"):
        yield Change(name, f"is at {new.get('physicalName')}, was at {old.get('physicalName')}", True)
    if _key(old) != _key(new):
        yield Change(name, f"the key is {', '.join(_key(new))}, was {', '.join(_key(old))}", True)
    yield from _description(name, old, new)
    before, after = _named(old.get("properties")), _named(new.get("properties"))
    for column in dict.fromkeys((*before, *after)):
        where = f"{name}.{column}"
        if column not in before:
            is_required = is_input and bool(after[column].get("required"))
            yield Change(where, "added, required" if is_required else "added", is_required)
        elif column not in after:
            yield Change(where, "no longer read" if is_input else "removed", not is_input)
        else:
            yield from _column_changes(where, before[column], after[column], is_input)


def _column_changes(where: str, old: Element, new: Element, is_input: bool) -> Iterator[Change]:
    for kind in ("logicalType", "physicalType"):
        if old.get(kind) != new.get(kind):
            yield Change(where, f"{kind} is {new.get(kind)}, was {old.get(kind)}", True)
    was_required, is_required = bool(old.get("required")), bool(new.get("required"))
    if was_required != is_required:
        # Who delivers must fill it from now on; who reads must bear nulls.
        yield Change(where, "required" if is_required else "may be null", is_required == is_input)
    gone, more = _values(old), _values(new)
    if gone != more:
        yield from _values_changes(where, gone, more, is_input)
    yield from _bound_changes(where, old, new, is_input)
    yield from _description(where, old, new)


def _values_changes(
    where: str, old: frozenset[str] | None, new: frozenset[str] | None, is_input: bool
) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(where, "takes a closed set" if new else "takes any value", (new is not None) == is_input)
        return
    if removed := sorted(old - new):
        yield Change(where, f"no longer {', '.join(removed)}", is_input)
    if added := sorted(new - old):
        yield Change(where, f"also {', '.join(added)}", not is_input)


def _bound_changes(where: str, old: Element, new: Element, is_input: bool) -> Iterator[Change]:
    for bound, is_upper in (("minimum", False), ("maximum", True)):
        before, after = ((side.get("logicalTypeOptions") or {}).get(bound) for side in (old, new))
        if before == after:
            continue
        is_narrower = before is None or (after is not None and ((after < before) == is_upper))
        yield Change(where, f"{bound} is {after}, was {before}", is_narrower == is_input)


def _description(where: str, old: Element, new: Element) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(where, "described in other words", False)


def _named(elements: Sequence[Mapping[str, Any]] | None) -> dict[str, Element]:
    return {str(element["name"]): dict(element) for element in elements or ()}


def _key(element: Element) -> list[str]:
    columns = [column for column in element.get("properties") or () if column.get("primaryKey")]
    return [str(column["name"]) for column in sorted(columns, key=lambda column: column.get("primaryKeyPosition") or 0)]


def _values(column: Element) -> frozenset[str] | None:
    found = column.get("enum")
    return None if found is None else frozenset(str(one["value"]) for one in found)
