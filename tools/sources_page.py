"""`make docs-sources`: writes docs/sources.md from the contract; --check tells whether it is as it would be."""

from __future__ import annotations

import sys

from orchestration.ingest.contracts import SOURCES, Source
from orchestration.project import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "sources.md"
_HEAD = """\
# Sources

<!-- Made from orchestration/ingest/contracts.py by `make docs-sources`: change it there. -->

What the ten sources may send: files under `inbox/<source>/`, or an adapter's result. Columns that aren't listed are
never read. A column that isn't required may be missing, or null. How values are read: `bring-your-own-data.md`.
`metric-store check` says how a file of yours compares.
"""


def page() -> str:
    """The text of docs/sources.md."""
    return "\n".join([_HEAD, *map(_section, SOURCES)])


def _section(source: Source) -> str:
    rows = [
        f"| `{column.name}` | {column.sql_type} | {'yes' if column.required else ''} | {column.takes} |"
        for column in source.columns
    ]
    return "\n".join(
        [
            f"## `{source.name}`",
            "",
            f"{_key(source)} {_event(source)}",
            "",
            "| column | type | required | takes |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _key(source: Source) -> str:
    key = ", ".join(f"`{name}`" for name in source.key)
    if source.newest_wins:
        return f"Key: {key}; of several versions the newest counts."
    return f"Key: {key}; a version holds from its `updated_at` on." if source.is_versioned else f"Key: {key}."


def _event(source: Source) -> str:
    if source.event_time is None:
        return "Belongs to no week."
    return f"Belongs to the week of `{source.event_time}`."


def main() -> int:
    """Write or check the page; the status of the process."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
    elif not PAGE.is_file() or PAGE.read_text() != page():
        print("docs/sources.md isn't what the contract says: make docs-sources", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
