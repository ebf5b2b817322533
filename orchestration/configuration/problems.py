"""What is wrong with a configuration, in words for the analyst who wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metric_store.errors import MetricStoreError
from metric_store.words import printable

# As many as fit on a screen; the next run shows the rest.
SHOWN = 10
_LONGEST = 1500  # signs of a line; the names of all metrics are fewer


@dataclass(frozen=True)
class Problem:
    """One thing to correct.

    `row` is the line in the file (the header is line 1), or the lines, where several rows are wrong together; None
    where the whole file is meant. `message` says what is wrong and what to do.
    """

    file: str
    row: int | tuple[int, ...] | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(_rows_text((self.row,) if isinstance(self.row, int) else self.row))
        if self.column is not None:
            place.append(self.column)
        return _on_a_line(f"{', '.join(place)}: {self.message}")


class ConfigurationError(MetricStoreError, ValueError):
    """The configuration cannot be used; `problems` holds all that was found, in every file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


def shown(text: str) -> str:
    """A value as an error shows it: quoted, on one line, cut where it is long."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _on_a_line(text: str) -> str:
    """A text with what nobody sees, or a terminal would obey, as escapes: keys are named as they were written."""
    line = printable(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _rows_text(rows: Sequence[int]) -> str:
    """[2, 3, 4, 7] as "rows 2-4, 7"."""
    spans: list[list[int]] = []
    for row in sorted(set(rows)):
        if spans and row == spans[-1][-1] + 1:
            spans[-1].append(row)
        else:
            spans.append([row])
    texts = [str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans]
    return ("row " if len(set(rows)) == 1 else "rows ") + ", ".join(texts)
