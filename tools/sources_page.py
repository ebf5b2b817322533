"""`make docs-sources`: writes docs/sources.md from the contract; --check tells whether it is as it would be."""

from __future__ import annotations

import sys
from dataclasses import fields

from orchestration.ingest.contracts import SOURCES, Source
from orchestration.ingest.measured import deciding_columns
from orchestration.limits import InputLimits
from orchestration.project import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "sources.md"
_HEAD = """\
# Sources

<!-- Made by `make docs-sources` from orchestration/ingest/contracts.py, orchestration/limits.py and the
registry in dbt_project/dbt_project.yml (`decided_by`): change these. -->

What the ten sources may send: files under `inbox/<source>/`, or an adapter's result. Columns that aren't listed are
never read. A column that isn't required may be missing, or null. The metrics that it decides aren't measured where no
file of the source has it. How values are read: `bring-your-own-data.md`. `metric-store check` says how a file of yours
compares.

## Limits

A file or adapter that holds or takes more fails; the others land, and the run goes on. A line `key,value` of
`config/settings.csv` sets another limit; then touch the file, because one that failed is read again when it changes. An
engine's memory is that of the run (`--memory-limit`); a file that takes more, alone in an engine, fails likewise.

| key | limit | of what |
| --- | --- | --- |
"""


def page() -> str:
    """The text of docs/sources.md."""
    limits = [f"| `{limit.name}` | {limit.default:,} | {limit.metadata['what']} |" for limit in fields(InputLimits)]
    return "\n".join([_HEAD + "\n".join(limits) + "\n", *map(_section, SOURCES)])


def _section(source: Source) -> str:
    rows = [
        f"| `{column.name}` | {column.sql_type} | {'yes' if column.required else ''} | {column.takes} "
        f"| {', '.join(_decided_by(source.name, column.name))} |"
        for column in source.columns
    ]
    return "\n".join(
        [
            f"## `{source.name}`",
            "",
            f"{_key(source)} {_event(source)}",
            "",
            "| column | type | required | takes | without it, not measured |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _decided_by(source: str, column: str) -> list[str]:
    return [f"`{metric}`" for metric, columns in deciding_columns().items() if (source, column) in columns]


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
