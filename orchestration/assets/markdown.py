"""Tables as Markdown, for people who look at Dagster alone."""

import re
from collections.abc import Iterable, Sequence
from html import escape


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[str] = ()) -> str:
    """A table of texts; the columns named in `numbers` stand to the right."""
    right = set(numbers)
    lines = [heads, ["---:" if head in right else "---" for head in heads], *([_cell(t) for t in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """A text that stays in its cell, and is no markup."""
    return re.sub(r"([\\`*_~|\[\]])", r"\\\1", escape(" ".join(text.splitlines()), quote=False))
