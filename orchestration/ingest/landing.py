"""Lands files: finds the new ones in the inbox and takes them in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import count

import duckdb

from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter, find_adapters
from orchestration.ingest.contracts import Source
from orchestration.ingest.engine import IngestEngine
from orchestration.ingest.inbox import InboxListing, list_inbox
from orchestration.ingest.intake import IngestContext
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.ingest.source_reader import NewFile, SourceReader
from orchestration.ingest.taking_back import earlier_results, take_back
from orchestration.ingest.together import land_together
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.stopping import stop_and_wait

__all__ = ["Inbox", "IngestContext", "NewFile", "ingest_source", "ingest_sources", "look", "new_files"]


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
    """What the ledger doesn't know as it is; a failed file comes back when it changes, a forgotten one too."""
    known = ledger.known(source).keys() | ledger.forgotten(source)
    return [file for file in inbox.candidates(source) if file.key not in known]


def ingest_sources(
    home: Home,
    sources: Sequence[Source],
    context: IngestContext,
    on_source: Callable[[Source, list[FileRecord]], None],
) -> list[FileRecord]:
    """Read every new file of these sources as `ingest_source` does, several sources side by side.

    Their engine shares its memory among them. A source that finds too little is read by itself afterwards, and so is
    one with adapters, whose engines take memory of their own. on_source: is given what became of a source's files as
    soon as it is known, in the thread that called.
    """
    done: dict[str, list[FileRecord]] = {source.name: [] for source in sources}
    adapters = look(home).adapters
    by_itself = [source for source in sources if adapters.get(source.name)]
    with Ledger(home.ledger) as ledger:
        ids = count(ledger.next_file_id())
    with IngestEngine(home, context.limits, ids) as shared, ThreadPoolExecutor(context.limits.cores) as threads:
        reading = {
            threads.submit(ingest_source, home, source, context, done[source.name].append, shared): source
            for source in sources
            if source not in by_itself
        }
        try:
            for ended in as_completed(reading):
                try:
                    ended.result()
                except (duckdb.OutOfMemoryException, MemoryError):
                    by_itself.append(reading[ended])
                else:
                    on_source(reading[ended], done[reading[ended].name])
        except BaseException:
            stop_and_wait(reading, shared.stop)
            raise
    for source in by_itself:
        ingest_source(home, source, context, done[source.name].append)
        on_source(source, done[source.name])
    return [file for files in done.values() for file in files]


def ingest_source(
    home: Home,
    source: Source,
    context: IngestContext,
    on_file: Callable[[FileRecord], None] | None = None,
    shared: IngestEngine | None = None,
) -> list[FileRecord]:
    """Read every new file of a source. A file that can't be read is recorded as failed and left in place.

    Returns what became of each file, in the order they were read. Each is in the ledger when the next one starts, so
    that a run that is killed has lost nothing and parses no landed file again.

    shared: an engine that others use, too; then it raises OutOfMemoryException or MemoryError where these left too
    little.
    """
    done: list[FileRecord] = []
    inbox = look(home)
    home.scratch.mkdir(parents=True, exist_ok=True)
    with Ledger(home.ledger) as ledger:
        ledger.forget_failed(source.name, [file.key for file in inbox.candidates(source.name)])
        files = new_files(inbox, ledger, source.name)
        if not files:
            return done
        remove_unrecorded(home, source, ledger)
        own = nullcontext(shared) if shared else IngestEngine(home, context.limits, count(ledger.next_file_id()))
        with own as engine:
            reader = SourceReader(home, source, context, ledger, engine)
            numbered = [replace(file, file_id=next(engine.ids)) for file in files]
            for record in _taken(reader, inbox, numbered, _take_once if shared else _take):
                done.append(record)
                if on_file:
                    on_file(record)
        if any(record.note for record in done):
            remove_unrecorded(home, source, ledger)
    return done


def _taken(
    reader: SourceReader,
    inbox: Inbox,
    files: Sequence[NewFile],
    take: Callable[[SourceReader, Inbox, NewFile], FileRecord],
) -> Iterator[FileRecord]:
    """Take files in their order: small ones together where nothing is wrong with them, the others one by one."""
    while files:
        together = land_together(reader, files) or {files[0]: None}
        for file, record in together.items():
            yield record or take(reader, inbox, file)
        files = files[len(together) :]


def _take(reader: SourceReader, inbox: Inbox, file: NewFile) -> FileRecord:
    """Read a file and record it; again, in an engine of its own, where memory wasn't enough: then it is the file's."""
    try:
        return _take_once(reader, inbox, file)
    except (duckdb.OutOfMemoryException, MemoryError):
        limits = reader.context.limits
        with IngestEngine(reader.home, limits, reader.engine.ids) as engine:
            alone = SourceReader(reader.home, reader.source, reader.context, reader.ledger, engine)
            try:
                return _take_once(alone, inbox, file)
            except (duckdb.OutOfMemoryException, MemoryError):
                why = f"it takes more memory than the engine has ({limits.memory}): part it, or raise --memory-limit"
                record = reader.new_record(file, "failed", why)
                reader.ledger.record(record)
                return record


def _take_once(reader: SourceReader, inbox: Inbox, file: NewFile) -> FileRecord:
    """Read a file and record it. An adapter whose SQL has changed takes the place of its earlier results."""
    ledger = reader.ledger
    earlier = earlier_results(reader.home, ledger, file.origin) if isinstance(file.origin, Adapter) else None
    try:
        if earlier is None:
            record = reader.read(file)
            ledger.record(record)
        else:
            with ledger.at_once():
                taken = take_back(reader, inbox.candidates(reader.source.name), earlier.replaceable)
                record = reader.read(file)
                record.note = earlier.in_words(taken)
                ledger.record(record)
    except UnreadableFileError as error:
        record = reader.new_record(file, "failed", str(error))
        ledger.record(record)
    return record


def remove_unrecorded(home: Home, source: Source, ledger: Ledger) -> None:
    """Remove landed or quarantined files that the ledger doesn't know: of a killed run, or of what was taken back."""
    landing, quarantine = home.landing / source.name, home.quarantine / source.name
    recorded = {landing / row["path"] for row in ledger.partitions(source.name)}
    recorded |= {quarantine / f"{file_id:08d}-1.parquet" for file_id in ledger.quarantine_files(source.name)}
    for file in (*landing.glob("*/*.parquet"), *quarantine.glob("*.parquet")):
        if file not in recorded:
            file.unlink()
