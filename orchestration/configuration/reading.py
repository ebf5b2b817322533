"""Reads the bytes of one configuration file into typed rows, and collects what cannot be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from orchestration.configuration.files import LIMIT_SETTINGS, Column, ConfigFile
from orchestration.configuration.problems import Problem, shown
from orchestration.configuration.values import Value, one_of_text, read_value

#: On average, where the rows of a file are limited.
BYTES_OF_ROW = 1000


@dataclass(frozen=True)
class Row:
    """One row: its line in the file (the header is line 1) and its values by column."""

    line: int
    values: dict[str, Value | None]

    def __getitem__(self, column: str) -> Value | None:
        return self.values[column]

    def text(self, column: str) -> str:
        """The value of a text column that is never empty."""
        return str(self.values[column])

    def number(self, column: str) -> Decimal:
        """The value of a number column that is never empty."""
        value = self.values[column]
        assert isinstance(value, Decimal | int)
        return Decimal(value)

    @property
    def starts(self) -> date:
        """The first day on which the row holds."""
        value = self.values["valid_from"]
        assert isinstance(value, date)
        return value

    @property
    def ends(self) -> date:
        """The first day on which the row no longer holds; the last day there is, where it is open."""
        value = self.values["valid_to"]
        return value if isinstance(value, date) else date.max

    def holds_on(self, day: date) -> bool:
        """Whether the row is valid on the day."""
        return self.starts <= day < self.ends


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

    @property
    def limits(self) -> dict[str, int]:
        """The limits that a file of settings names, as far as they can be read."""
        named = {row.text("key"): row.text("value") for row in self.rows if row["key"] in LIMIT_SETTINGS}
        return {name: int(value) for name, value in named.items() if value.isdecimal()}

    def report(self, row: int | tuple[int, ...] | None, column: str | None, message: str) -> None:
        """Adds a problem of this file."""
        self.problems.append(Problem(self.file.name, row, column, message))


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
    columns = _read_header(header[1], content)
    if columns is None:
        return content
    for line, cells in records:
        _read_row(line, cells, columns, content)
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


def _read_header(cells: list[str], content: Content) -> list[Column] | None:
    """The declared column of each field, or None where the header is not that of the file."""
    file = content.file
    names = [cell.strip() for cell in cells]
    known = tuple(column.name for column in file.columns)
    if len(names) == 1 and any(separator in names[0] for separator in ";\t|"):
        content.report(1, None, f"the columns are not separated by commas; the first line must be {_header_text(file)}")
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
            content.report(1, name, f"the column is missing; the first line must be {_header_text(file)}")
    return [file.column(name) for name in names] if content.is_clean else None


def _read_row(line: int, cells: list[str], columns: list[Column], content: Content) -> None:
    """Adds the row, or what is wrong with it."""
    if len(cells) != len(columns):
        content.report(
            line,
            None,
            f"has {len(cells)} values for {len(columns)} columns; add or remove commas, and put a value that holds"
            " a comma in double quotes",
        )
        return
    values: dict[str, Value | None] = {}
    for column, cell in zip(columns, cells, strict=True):
        try:
            values[column.name] = read_value(column, cell)
        except ValueError as error:
            content.report(line, column.name, str(error))
    if len(values) == len(columns):
        content.rows.append(Row(line, values))


def _header_text(file: ConfigFile) -> str:
    return ",".join(column.name for column in file.columns)
