"""Reads the bytes of one configuration file into typed rows, and collects what cannot be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from orchestration.configuration.files import ConfigFile, Row
from orchestration.configuration.problems import Problem, shown
from orchestration.configuration.values import one_of_text

#: On average, where the rows of a file are limited.
BYTES_OF_ROW = 1000
#: A bound of a number, as pydantic names it, and the word for it.
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}

R = TypeVar("R", bound=Row)


@dataclass
class Content:
    """What a file holds: the rows that could be read, and what was wrong with the others."""

    file: ConfigFile
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every row is there: only then can be said what is missing."""
        return not self.problems

    def rows_of(self, model: type[R]) -> list[R]:
        """The rows, as those of the file's model."""
        return [row for row in self.rows if isinstance(row, model)]

    def report(self, row: int | tuple[int, ...] | None, column: str | None, message: str) -> None:
        """Adds a problem of this file."""
        self.problems.append(Problem(self.file.name, row, column, message))


def wrong_values(error: ValidationError, columns: Mapping[str, FieldInfo]) -> Iterator[tuple[str, str]]:
    """Column and message of each value that a model refused."""
    for found in error.errors(include_url=False):
        context = found.get("ctx", {})
        column = str(found["loc"][0])
        if found["type"] == "missing":
            yield column, "is empty; give a value"
        elif found["type"] == "value_error":
            yield column, str(context["error"])
        elif found["type"] == "string_pattern_mismatch":
            yield (
                column,
                f"{shown(found['input'])} holds a line break or a control character; put it on one line, and look for a"
                " missing quote",
            )
        else:
            bounds = [
                f"{word} {getattr(bound, name)}"
                for bound in columns[column].metadata
                for name, word in _BOUNDS.items()
                if hasattr(bound, name)
            ]
            yield column, f"{found['input']} is out of range; it must be {' and '.join(bounds)}"


def read_content(file: ConfigFile, raw: bytes, most_rows: int | None = None) -> Content:
    """The rows of a file, of which it may have `most_rows`, with 1,000 bytes each.

    Never raises: whatever the bytes are, what is wrong with them is in `problems`.
    """
    content = Content(file)
    if most_rows is not None and (len(raw) > most_rows * BYTES_OF_ROW or raw.count(b"\n") > most_rows + 1):
        content.report(
            None,
            None,
            f"holds more than {most_rows:,} rows, of {BYTES_OF_ROW:,} bytes on average; if that is right, raise "
            "max_configuration_rows in settings.csv",
        )
        return content
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        content.report(line, None, "is not UTF-8 text; save the file as CSV with the encoding UTF-8")
        return content
    records = _records(text, content)
    header = next(records, None)
    if header is None:
        if content.is_clean:
            content.report(1, None, f"the file is empty; its first line must be {_header_text(file)}")
        return content
    if names := _read_header(header[1], content):
        for line, cells in records:
            _read_row(line, cells, names, content)
    return content


def _records(text: str, content: Content) -> Iterator[tuple[int, list[str]]]:
    """The records of the file that are not blank, with the line each starts on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            content.report(line, None, f"cannot be read as CSV ({error}); look for a quote that is missing or too many")
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _read_header(cells: list[str], content: Content) -> list[str] | None:
    """The column of each field, or None where the header is not that of the file."""
    known = tuple(content.file.columns)
    names = [cell.strip() for cell in cells]
    if len(names) == 1 and any(separator in names[0] for separator in ";\t|"):
        content.report(
            1, None, f"the columns are not separated by commas; the first line must be {_header_text(content.file)}"
        )
        return None
    for number, name in enumerate(names, 1):
        if not name:
            content.report(1, f"column {number}", "has no name; name it or remove it, with its values")
        elif name not in known:
            content.report(
                1, shown(name), f"is not a column of this file; rename it or remove it; {one_of_text(name, known)}"
            )
        elif name in names[: number - 1]:
            content.report(1, name, "is there twice; keep one of the columns")
    for name in known:
        if name not in names:
            content.report(1, name, f"the column is missing; the first line must be {_header_text(content.file)}")
    return names if content.is_clean else None


def _read_row(line: int, cells: list[str], names: list[str], content: Content) -> None:
    """Adds the row, or what is wrong with it."""
    if len(cells) != len(names):
        content.report(
            line,
            None,
            f"has {len(cells)} values for {len(names)} columns; add or remove commas, and put a value that holds"
            " a comma in double quotes",
        )
        return
    # An empty cell is left out: a column without a default then misses its value.
    values = {name: text for name, cell in zip(names, cells, strict=True) if (text := cell.strip())}
    try:
        row = content.file.model.model_validate({"line": line, **values})
        wrong = list(row.wrong())
    except ValidationError as error:
        wrong = list(wrong_values(error, content.file.columns))
    for column, message in wrong:
        content.report(line, column, message)
    if not wrong:
        content.rows.append(row)


def _header_text(file: ConfigFile) -> str:
    return ",".join(file.columns)
