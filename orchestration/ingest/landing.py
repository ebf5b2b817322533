"""Files in, landed Parquet out: finds what is new in the inbox and takes it, one file after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter, find_adapters
from orchestration.ingest.contracts import Source
from orchestration.ingest.inbox import InboxFile, InboxListing, list_inbox
from orchestration.ingest.intake import IngestContext, Intake
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import engine_config

__all__ = ["Inbox", "IngestContext", "NewFile", "ingest_source", "look", "new_files"]


@dataclass(frozen=True)
class NewFile:
    """Something to read: a file of the inbox, or an adapter with the files it names."""

    path: str
    size: int
    mtime_ns: int
    origin: InboxFile | Adapter


@dataclass
class Inbox:
    """The inbox of a home at one moment, without any file opened."""

    listing: InboxListing
    adapters: dict[str, list[Adapter]]
    broken_adapters: list[tuple[str, str, str]] = field(default_factory=list)

    def candidates(self, source: str) -> list[NewFile]:
        """Plain files in byte order of their path, then adapters."""
        plain = [NewFile(file.path, file.size, file.mtime_ns, file) for file in self.listing.files.get(source, [])]
        adapted = [NewFile(a.path, a.size, a.state, a) for a in self.adapters.get(source, [])]
        return plain + adapted


def look(home: Home) -> Inbox:
    """List the inbox of a home: plain files by source, and adapters with theirs."""
    adapters, broken = find_adapters(home)
    claimed = frozenset(file for several in adapters.values() for adapter in several for file in adapter.files)
    return Inbox(list_inbox(home.inbox.resolve(), claimed), adapters, broken)


def new_files(inbox: Inbox, ledger: Ledger, source: str) -> list[NewFile]:
    """What the ledger doesn't know as it is; a failed file comes back when it changes."""
    known = ledger.known(source)
    return [file for file in inbox.candidates(source) if (file.path, file.size, file.mtime_ns) not in known]


def ingest_source(
    home: Home, source: Source, context: IngestContext, on_file: Callable[[FileRecord], None] | None = None
) -> list[FileRecord]:
    """Read every new file of a source. A file that can't be read is recorded as failed and left in place.

    Returns what became of each file, in the order they were read. Each is in the ledger when the next one starts, so
    that a run that is killed has lost nothing and parses no landed file again.
    """
    done: list[FileRecord] = []
    inbox = look(home)
    home.scratch.mkdir(parents=True, exist_ok=True)
    with Ledger(home.ledger) as ledger:
        ledger.forget_failed(source.name, [(f.path, f.size, f.mtime_ns) for f in inbox.candidates(source.name)])
        files = new_files(inbox, ledger, source.name)
        if not files:
            return done
        _remove_unrecorded(home, source, ledger)
        with duckdb.connect(config=engine_config(home, context.limits)) as engine:
            for file in files:
                record = _take(home, source, context, ledger, engine, file)
                ledger.record(record)
                done.append(record)
                if on_file:
                    on_file(record)
    return done


def _take(
    home: Home, source: Source, context: IngestContext, ledger: Ledger, engine: duckdb.DuckDBPyConnection, file: NewFile
) -> FileRecord:
    def record(status: str, error: str | None = None) -> FileRecord:
        place = (source.name, file.path, file.size, file.mtime_ns)
        return FileRecord(*place, status, context.now, context.run_id, ledger.next_file_id(), error)

    landed = record("landed")
    with engine.cursor() as connection:
        try:
            Intake(home, source, context, ledger, connection).take(file.origin, landed)
        except UnreadableFileError as error:
            return record("failed", str(error))
    return landed


def _remove_unrecorded(home: Home, source: Source, ledger: Ledger) -> None:
    """Remove what a killed run left behind: landed or quarantined files that the ledger never took."""
    landing, quarantine = home.landing / source.name, home.quarantine / source.name
    recorded = {landing / row["path"] for row in ledger.partitions(source.name)}
    recorded |= {quarantine / f"{file_id:08d}-1.parquet" for file_id in ledger.quarantine_files(source.name)}
    for file in (*landing.glob("*/*.parquet"), *quarantine.glob("*.parquet")):
        if file not in recorded:
            file.unlink()
