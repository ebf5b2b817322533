"""Reads the files and adapters of a source one by one; the caller decides what happens to the record of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter
from orchestration.ingest.contracts import Source
from orchestration.ingest.engine import IngestEngine
from orchestration.ingest.inbox import InboxFile
from orchestration.ingest.intake import IngestContext, Intake
from orchestration.ingest.ledger import FileRecord, FileRow, Ledger, Partition, Touch


@dataclass(frozen=True)
class NewFile:
    """Something to read: a file of the inbox, or an adapter with the files it names. file_id: 0 before it has one."""

    path: str
    size: int
    mtime_ns: int
    origin: InboxFile | Adapter
    file_id: int = 0

    @property
    def key(self) -> tuple[str, int, int]:
        """What the ledger knows it by, as it is."""
        return self.path, self.size, self.mtime_ns


class SourceReader:
    """Reads files of one source into the landing; what it returns counts once it is in the ledger."""

    def __init__(
        self, home: Home, source: Source, context: IngestContext, ledger: Ledger, engine: IngestEngine
    ) -> None:
        self.home, self.source, self.context, self.ledger, self.engine = home, source, context, ledger, engine

    def read(self, file: NewFile, row: FileRow | None = None) -> FileRecord:
        """Land a file. Raises UnreadableFileError; then nothing has landed.

        row: that of the ledger, of a file that is read again: it keeps its place in the order, and its time.
        """
        record = self.new_record(file, "landed")
        context = self.context
        if isinstance(file.origin, Adapter):
            record.sql_digest, record.inputs = file.origin.sql_digest, file.origin.inputs
        if row is not None:
            record.read_order, record.run_id = row["read_order"], row["run_id"]
            record.ingested_at = datetime.fromisoformat(row["ingested_at"])
            context = replace(context, now=record.ingested_at, run_id=record.run_id)
        with self.engine.connection() as connection:
            Intake(self.home, self.source, context, self.ledger, connection, record).take(file.origin)
        if row is not None:
            record.late, record.note = row["late"], row["note"]
        return record

    def new_record(self, file: NewFile, status: str, error: str | None = None) -> FileRecord:
        """A record of a file that is read now, without what became of its records."""
        place = (self.source.name, *file.key)
        file_id = file.file_id or next(self.engine.ids)
        return FileRecord(*place, status, self.context.now, self.context.run_id, file_id, error, read_order=file_id)

    def find_touches_again(self, row: FileRow, parts: Sequence[Partition]) -> list[Touch]:
        """The weeks that read something in what landed of a file, given what landed before it."""
        place = (row["source"], row["path"], row["size"], row["mtime_ns"], row["status"])
        record = FileRecord(*place, self.context.now, row["run_id"], row["file_id"], read_order=row["read_order"])
        with self.engine.connection() as connection:
            intake = Intake(self.home, self.source, self.context, self.ledger, connection, record)
            return intake.find_touches_again(parts)
