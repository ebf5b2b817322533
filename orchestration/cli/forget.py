"""`metric-store forget`: removes what files or adapters brought, as if they had never been in the inbox."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import click

from metric_store.errors import MetricStoreError
from metric_store.reading import published_weeks
from metric_store.words import in_words, printable
from orchestration.cli.repair import clear_killed_run
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from orchestration.home.lock import writer_lock
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.engine import IngestEngine
from orchestration.ingest.landing import IngestContext, look, remove_unrecorded
from orchestration.ingest.ledger import FileRow, Ledger
from orchestration.ingest.source_reader import SourceReader
from orchestration.ingest.taking_back import TakenBack, counts_in_words, kept_in_words, take_back
from orchestration.limits import DEFAULT_LIMITS
from orchestration.weeks.change import follow_calendar
from orchestration.weeks.planning import state_of


def forget_files(home: Home, names: Sequence[str]) -> None:
    """Take back files, by the paths that `status` shows, and adapters by theirs. All of them or none.

    Raises MetricStoreError for a file that brought nothing, where a run is writing, and where the settings name another
    calendar than the published weeks have.
    """
    configuration = load_configuration(home.config)
    now = datetime.now(UTC).replace(tzinfo=None)
    context = IngestContext("forget", now, *configuration.calendar_settings, input_limits=configuration.input_limits)
    clear_killed_run(home)
    with writer_lock(home, "forget", 0):
        follow_calendar(home, configuration)
        with Ledger(home.ledger) as ledger:
            by_source = _files_named(home, ledger, names)
            done = _take_back(home, ledger, context, by_source)
            due = state_of(ledger, published_weeks(home.published_store)).due
    for line in _lines(home, done, due):
        click.echo(printable(line))


def _take_back(
    home: Home, ledger: Ledger, context: IngestContext, by_source: dict[str, list[FileRow]]
) -> list[TakenBack]:
    inbox = look(home)
    home.scratch.mkdir(parents=True, exist_ok=True)
    done = []
    ids = count(ledger.next_file_id())
    with IngestEngine(home, DEFAULT_LIMITS, ids) as engine, ledger.at_once():
        for name, rows in by_source.items():
            reader = SourceReader(home, SOURCES_BY_NAME[name], context, ledger, engine)
            done.append(take_back(reader, inbox.candidates(name), rows))
            ledger.forget(name, [(row["path"], row["size"], row["mtime_ns"]) for row in rows])
    for name in by_source:
        remove_unrecorded(home, SOURCES_BY_NAME[name], ledger)
    return done


def _files_named(home: Home, ledger: Ledger, names: Iterable[str]) -> dict[str, list[FileRow]]:
    """By source the landed files of these names: a path that was read several times names all that it ever brought."""
    landed: dict[str, list[FileRow]] = {}
    failed: dict[str, str] = {}
    for row in ledger.files():
        name = _shown(row)
        if row["status"] == "landed":
            landed.setdefault(name, []).append(row)
        else:
            failed[name] = row["error"]
    found: dict[str, list[FileRow]] = {}
    for given in dict.fromkeys(names):
        name = _plain(home, given)
        if name in landed:
            for row in landed[name]:
                if row not in (rows := found.setdefault(row["source"], [])):
                    rows.append(row)
        elif name in failed:
            raise MetricStoreError(
                f"{name} brought nothing: it can't be read ({failed[name]}).\nCorrect it, or move it out of the inbox."
            )
        else:
            raise MetricStoreError(f"{given} is no file that landed here.\n{_hint(name, landed)}")
    return found


def _hint(name: str, landed: Iterable[str]) -> str:
    known = sorted(landed)
    near = [other for other in known if other.rpartition("/")[2] == name.rpartition("/")[2]]
    near = near or difflib.get_close_matches(name, known)
    if near:
        return f"Did you mean {' or '.join(near[:3])}?"
    return (
        "Name it by its path under inbox/, such as seller_orders/a.csv, or an adapter such as adapters/sellers/x.sql."
    )


def _shown(row: FileRow) -> str:
    return str(row["path"]) if row["path"].endswith(".sql") else f"{row['source']}/{row['path']}"


def _plain(home: Home, given: str) -> str:
    """A name as `status` shows it; a path on the disk is taken, too."""
    path = Path(given).expanduser().absolute()
    for folder in (home.inbox, home.root):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return given.removeprefix("inbox/")


def _lines(home: Home, done: Sequence[TakenBack], due: Sequence[date]) -> list[str]:
    lines = []
    inbox = look(home)
    for taken in done:
        by_name: dict[str, list[FileRow]] = {}
        for row in taken.gone:
            by_name.setdefault(_shown(row), []).append(row)
        lines += [f"Taken back: {name} ({counts_in_words(rows)})" for name, rows in by_name.items()]
        lines += [
            f"Read again: {_shown(row)} ({record.landed:,} landed, {record.quarantined:,} rejected; "
            f"before {counts_in_words([row])})"
            for row, record in taken.read_again
        ]
        lines += kept_in_words(taken)
        for name, rows in by_name.items():
            keys = {(row["path"], row["size"], row["mtime_ns"]) for row in rows}
            if any(file.key in keys for file in inbox.candidates(rows[0]["source"])):
                lines.append(
                    f"{name} is still there, and is not read again as it is: correct it, which brings it back, or move "
                    "it away."
                )
    if due:
        lines.append(f"Due: {in_words(due)}; metric-store run --home {home.quoted}")
    return lines
