"""`metric-store check`: what a run would do with the inbox, file by file, before it does."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import click

from metric_store.words import in_words, printable
from orchestration.configuration import load_configuration
from orchestration.errors import UsageError
from orchestration.home.layout import Home
from orchestration.ingest.checking import CheckedFile, Fault, check_inbox
from orchestration.ingest.contracts import SOURCES, SOURCES_BY_NAME, Source
from orchestration.ingest.intake import IngestContext, Sample
from orchestration.ingest.landing import look
from orchestration.ingest.measured import not_measured
from orchestration.ingest.model import Column, Kind

_LONGEST = 400


def check(home: Home, names: Sequence[str], reads_all: bool) -> bool:
    """Print what a run would do with the files of these sources, or of all; lands nothing.

    Returns whether all of them would land something. Raises UsageError for an unknown source.
    """
    if unknown := [name for name in names if name not in SOURCES_BY_NAME]:
        raise UsageError(f"There is no source {unknown[0]}; sources: {', '.join(SOURCES_BY_NAME)}.")
    configuration = load_configuration(home.config)
    now, sample = datetime.now(UTC).replace(tzinfo=None), None if reads_all else Sample()
    context = IngestContext(
        "check", now, *configuration.calendar_settings, input_limits=configuration.input_limits, sample=sample
    )
    sources = [source for source in SOURCES if not names or source.name in names]
    checked = []
    for file in check_inbox(home, sources, context):
        checked.append(file)
        for line in _lines(file):
            click.echo(printable(line))
    for line in (*_about_sources(sources, checked), *_about_inbox(home)):
        click.echo(printable(line))
    return not any(file.is_refused for file in checked)


def _lines(file: CheckedFile) -> list[str]:
    """What is said of one file, its name first."""
    record = file.record
    name = record.path if file.sql else f"{record.source}/{record.path}"
    some = "the first " if record.is_sample else ""
    more = "; --all reads the others, too" if record.is_sample else ""
    lines = [f"{name}: {file.origin}, {some}{record.rows_read:,} records{more}"]
    if record.status == "failed":
        lines.append(f"  can't be read: {record.error}")
    if file.columns and (record.status != "failed" or record.missing_columns):
        lines.append(f"  columns: {len(file.columns)} of {len(file.source.columns)} taken")
        lines += _about_columns(file)
    if record.status != "failed":
        weeks = f", {_weeks(record.event_weeks)}" if record.event_weeks else ""
        dropped = f"; {record.duplicates:,} dropped as duplicates" if record.duplicates else ""
        lines.append(f"  {record.landed:,} land{weeks}{dropped}")
    if record.reasons:
        lines.append(f"  {record.quarantined:,} rejected: {_counts(record.reasons)}")
    for fault in file.faults:
        if fault.column in file.columns:
            lines += _about_fault(file, fault)
    if file.dates_only:
        lines.append(
            f"  dates without a time: {', '.join(file.dates_only)}; each counts as its midnight in UTC, see "
            "docs/bring-your-own-data.md"
        )
    for example in file.examples:
        lines.append(f"    row {example.row}, {example.reason}, {example.columns}: {_cut(example.original)}")
    if file.first_rows:
        lines.append("  first rows as they land:")
        lines += [f"    {_cut(json.dumps(_filled(row), default=str, ensure_ascii=False))}" for row in file.first_rows]
    return lines


def _about_columns(file: CheckedFile) -> list[str]:
    lines = []
    if missing := [name for name in file.record.missing_columns.split(", ") if name]:
        lines.append(f"  missing: {', '.join(missing)}")
    if file.record.ignored_columns:
        lines.append(f"  unknown: {file.record.ignored_columns}")
    for hint in filter(None, file.record.column_hints.split("; ")):
        lines += [f"  {hint}", *_where(file, hint.partition(":")[0])]
    return lines


def _about_fault(file: CheckedFile, fault: Fault) -> list[str]:
    column = file.source.column(fault.column)
    found = ", ".join(f"{'nothing' if v is None else _cut(repr(v), 60)} ({n:,})" for v, n in fault.values)
    said = f"    {fault.reason}, {fault.column}: {fault.records:,} records; found {found}; wanted {column.takes}"
    return [said + _date_hint(column, fault), *_where(file, fault.column)]


def _date_hint(column: Column, fault: Fault) -> str:
    """What a date in a local format is probably written in, and what reads it in an adapter."""
    if column.kind is not Kind.TIMESTAMP or fault.reason != "bad_type":
        return ""
    parts = [re.match(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{2,4})(.?)", value or "") for value, _ in fault.values]
    dates = [part for part in parts if part]
    if not dates:
        return ""
    sign, year = dates[0][2], "%Y" if len(dates[0][4]) == 4 else "%y"
    if any(int(part[1]) > 12 for part in dates):
        order = f"%d{sign}%m"
    elif any(int(part[3]) > 12 for part in dates):
        order = f"%m{sign}%d"
    else:
        return "; this is a local date: an adapter has to say which number is the day, with strptime()"
    time = " %H:%M" if dates[0][5] else ""
    return f"; this is a local date: in an adapter, strptime(..., '{order}{sign}{year}{time}') reads it"


def _where(file: CheckedFile, name: str) -> list[str]:
    """The line of an adapter that has to be changed."""
    line = file.line_of(name)
    return [f"      {file.record.path}, line {line[0]}: {_cut(line[1], 120)}"] if line else []


def _about_sources(sources: Iterable[Source], checked: Sequence[CheckedFile]) -> list[str]:
    """What no file has: sources, columns of the others, and the metrics that aren't measured without these."""
    lines, absent = [], {}
    by_source = {source.name: [file for file in checked if file.source == source] for source in sources}
    if without := [name for name, files in by_source.items() if not files]:
        lines.append(f"No file of: {', '.join(without)}")
    for name, files in by_source.items():
        missing = [c.name for c in SOURCES_BY_NAME[name].columns if not any(c.name in file.columns for file in files)]
        if files and missing:
            lines.append(f"In no file of {name}: {', '.join(missing)}")
            absent[name] = missing
    return lines + [line[0].upper() + line[1:] for line in not_measured(absent)]


def _about_inbox(home: Home) -> list[str]:
    inbox = look(home)
    lines = [
        f"{path}: can't be used: {why}" for source, path, why in inbox.broken_adapters if source not in SOURCES_BY_NAME
    ]
    if inbox.listing.ignored:
        more = f" and {len(inbox.listing.ignored) - 10} more" if len(inbox.listing.ignored) > 10 else ""
        lines.append(f"Ignored in the inbox: {', '.join(inbox.listing.ignored[:10])}{more}")
    return lines


def _weeks(weeks: dict[date, int]) -> str:
    if len(weeks) > 6:
        return f"in {len(weeks)} weeks, {in_words([min(weeks)])} to {in_words([max(weeks)])}"
    return "in " + ", ".join(f"{week} ({rows:,})" for week, rows in sorted(weeks.items()))


def _counts(reasons: dict[str, int]) -> str:
    return ", ".join(f"{rows:,} {reason}" for reason, rows in Counter(reasons).most_common())


def _filled(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None}


def _cut(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else text[:most] + "..."
