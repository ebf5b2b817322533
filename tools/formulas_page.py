"""`make docs-formulas`: writes the table of formulas in docs/data-model.md; --check tells whether it is up to date."""

from __future__ import annotations

import csv
import sys

from dbt_project.registry import PROJECT_DIR, formula_places, registry
from orchestration.project import DEFAULT_CONFIG_DIR, PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "data-model.md"
_BEGIN, _END = "<!-- formulas: made by `make docs-formulas` -->\n", "<!-- end of formulas -->\n"


def page() -> str:
    """The text of docs/data-model.md with the table as the registry and the models have it."""
    before, rest = PAGE.read_text(encoding="utf-8").split(_BEGIN)
    return before + _BEGIN + _table() + _END + rest.split(_END)[1]


def _table() -> str:
    with (DEFAULT_CONFIG_DIR / "metric_catalog.csv").open(encoding="utf-8", newline="") as file:
        words = {line["metric_id"]: line["formula"] for line in csv.DictReader(file)}
    rows = [
        f"| `{metric_id}` | {words[metric_id]} | {', '.join(map(_link, places))} |"
        for metric_id, places in formula_places(PROJECT_DIR, registry().metrics).items()
    ]
    return "\n".join(["| metric | formula | SQL |", "| --- | --- | --- |", *rows, ""])


def _link(place: str) -> str:
    path, line = place.split(":")
    name = path.rsplit("/", 1)[-1]
    return f"[{name}:{line}](../{PROJECT_DIR.name}/{path}#L{line})"


def main() -> int:
    """Write or check the page; the status of the process."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        print("docs/data-model.md doesn't have the formulas where they stand: make docs-formulas", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
