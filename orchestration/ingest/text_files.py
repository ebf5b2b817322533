"""Inspects a text file before the engine reads it (encoding, header), and its rows where the engine failed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from orchestration.ingest.columns import BLANKS, require_few
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import InputLimits

_HEAD, _CHUNK, _LONGEST = 1024 * 1024, 1024 * 1024, 64 * 1024 * 1024
_ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Header:
    """The first row of a CSV. `lines_before` are empty; `other_separator` parts more names than the comma does."""

    names: tuple[str, ...]
    lines_before: int
    other_separator: str | None = None


def require_text(file: Path) -> bytes:
    """The beginning of a file. Raises UnreadableFileError for UTF-16 and for what isn't text."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    start = head[:64]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or (
        any(start) and (not any(start[1::2]) or not any(start[::2])) and len(start) > 1
    ):
        raise UnreadableFileError("it is UTF-16: save it as UTF-8")
    if b"\0" in start:
        raise UnreadableFileError("it is no text: there are zero bytes at its beginning")
    return head


def read_header(file: Path, listed: frozenset[str], limits: InputLimits) -> Header:
    """The header of a CSV. Raises UnreadableFileError where there is none, it isn't UTF-8, or is too wide."""
    head = require_text(file).removeprefix(codecs.BOM_UTF8)
    whole = head[: head.rfind(b"\n") + 1] or head if len(head) == _HEAD else head
    text = whole.decode("utf-8", "replace")
    lines = io.StringIO(text, newline="").readlines()
    lines_before = next((number for number, line in enumerate(lines) if line.strip("\r\n")), None)
    if lines_before is None:
        raise UnreadableFileError("it is empty: there is no header")
    # The engine takes the end of the first line for that of all: it would find no row.
    if said := _another_end(enumerate(lines[: lines_before + 1], start=1)):
        raise UnreadableFileError(said)
    names = _first_row(lines[lines_before:], ",")
    require_few(names, limits)
    if any("\ufffd" in name for name in names):
        raise UnreadableFileError("row 1 is not UTF-8")
    found = {",": _listed(names, listed)}
    found |= {mark: _listed(_first_row(lines[lines_before:], mark), listed) for mark in _SEPARATORS}
    best = max(found, key=lambda mark: found[mark])
    return Header(names, lines_before, _SEPARATORS[best] if found[best] > found[","] else None)


def _first_row(lines: list[str], separator: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader(lines, delimiter=separator)))
    except csv.Error as error:
        raise UnreadableFileError(f"row 1 is no header: {error}") from error


def _listed(names: tuple[str, ...], listed: frozenset[str]) -> int:
    return len(listed.intersection(name.strip(BLANKS).lower() for name in names))


def may_end_in_empty_values(file: Path) -> bool:
    """Whether some row of a CSV ends in an empty value: the engine takes any number of those too many."""
    ends = (b",\n", b",\r", b'""\n', b'""\r')
    last = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            last = last[-3:] + chunk
            if any(end in last for end in ends):
                return True
    return last.endswith((b",", b'""'))


def row_with_more_values(file: Path, width: int) -> str | None:
    """The first row of a CSV with more values than its header, as a sentence."""
    for number, row in _rows(file):
        values = re.sub(r'"[^"]*"', "", row).count(",") + 1
        if values > width:
            return f"row {number} has {values} values, the header {width}"
    return None


def row_with_another_end(file: Path) -> str | None:
    """The first row of a CSV that ends in another way than its first, as a sentence."""
    return _another_end(_rows(file))


def _another_end(rows: Iterable[tuple[int, str]]) -> str | None:
    first = None
    for number, row in rows:
        end = row[len(row.rstrip("\r\n")) :]
        first = first or end
        if end and end != first:
            return f"row {number} ends in {_ENDS.get(end, 'several line ends')}, row 1 in {_ENDS.get(first, first)}"
    return None


def _rows(file: Path) -> Iterator[tuple[int, str]]:
    """Rows of a CSV with their line end, counted from 1 with the header and empty ones. Slow: for errors only."""
    parts: list[str] = []
    quotes = number = 0
    with file.open(encoding="latin-1", newline="") as lines:
        while line := lines.readline(_LONGEST):
            parts.append(line)
            if sum(map(len, parts)) >= _LONGEST:  # too long to show, and memory is limited
                return
            quotes += line.count('"')
            if quotes % 2 == 0:
                number += 1
                yield number, "".join(parts)
                parts.clear()


def line_of_record(file: Path, record: int) -> int | None:
    """The line of a JSON lines file that holds its so manieth record; lines without anything hold none."""
    with file.open("rb") as lines:
        numbered = enumerate(iter(partial(lines.readline, _LONGEST), b""), start=1)
        filled = (number for number, line in numbered if line.strip())
        return next(islice(filled, record - 1, None), None)


def cut_behind_record(file: Path, has_quotes: bool) -> None:
    """Cut the beginning of a text file behind the last record that is whole in it; of a CSV, quotes hold line ends."""
    content = file.read_bytes()
    end = len(content)
    while (end := max(content.rfind(b"\n", 0, end), content.rfind(b"\r", 0, end))) > 0:
        if not has_quotes or content.count(b'"', 0, end) % 2 == 0:
            file.write_bytes(content[: end + 1])
            return
