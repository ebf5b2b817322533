"""What a run would do with the inbox: the ingest itself reads all of it, into a temporary home."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from metric_store.sql import sql_parquet
from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter
from orchestration.ingest.contracts import Kind, Source
from orchestration.ingest.inbox import leads_out
from orchestration.ingest.intake import Intake, name_columns
from orchestration.ingest.landing import IngestContext, NewFile, ingest_source, look
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.ingest.readers import RawRelation
from orchestration.ingest.records import faults_query, times_query
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import engine_config

_EXAMPLES = 3
_FIRST_ROWS = 3


@dataclass(frozen=True)
class Fault:
    """A rule that records break by a column, whatever they broke before. values: (as it came, records), most first."""

    reason: str
    column: str
    records: int
    values: list[tuple[str | None, int]]


@dataclass(frozen=True)
class Example:
    """A rejected record as it came, as JSON text; `row` counts as in quarantine."""

    reason: str
    columns: str
    row: int
    original: str


@dataclass
class CheckedFile:
    """What a run would do with a file or an adapter.

    dates_only: timestamps all of whose values are midnights, as of an export without times. sql: of an adapter, as it
    is written. first_rows: as they land.
    """

    source: Source
    record: FileRecord
    origin: str
    faults: list[Fault] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    first_rows: list[dict[str, Any]] = field(default_factory=list)
    dates_only: list[str] = field(default_factory=list)
    sql: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it would land, though there is something."""
        return self.record.status == "failed" or is_rejected_whole(self.record.rows_read, self.record.quarantined)

    @property
    def columns(self) -> list[str]:
        """The columns of the contract that it has."""
        missing = self.record.missing_columns.split(", ")
        return [column.name for column in self.source.columns if column.name not in missing]

    def line_of(self, name: str) -> tuple[int, str] | None:
        """The line of an adapter that is about a column: number and text; None where none names it."""
        is_about, names_it = rf'\bas\s+"?{re.escape(name)}\b', rf"\b{re.escape(name)}\b"
        lines = [(number, line) for number, line in enumerate(self.sql.splitlines(), start=1)]
        for pattern in (is_about, names_it):
            found = [line for line in lines if re.search(pattern, line[1].partition("--")[0], re.IGNORECASE)]
            if found:
                return found[-1][0], found[-1][1].strip()
        return None


def is_rejected_whole(rows_read: int, quarantined: int) -> bool:
    """Whether all that was read went to quarantine."""
    return 0 < rows_read == quarantined


def check_inbox(home: Home, sources: Sequence[Source], context: IngestContext) -> Iterator[CheckedFile]:
    """Read what the inbox has of these sources, one file after the other, as if nothing had landed."""
    with tempfile.TemporaryDirectory(prefix="metric-store-check-", ignore_cleanup_errors=True) as folder:
        place = Home(Path(folder))
        for name in ("inbox", "adapters"):
            if (home.root / name).is_dir():
                (place.root / name).symlink_to((home.root / name).resolve())
        for source in sources:
            yield from _Check(place, source, context).files()


class _Check:
    """The check of one source in a home that is thrown away."""

    def __init__(self, home: Home, source: Source, context: IngestContext) -> None:
        self._home, self._source = home, source
        self._context = replace(context, on_raw=self._look_at)
        self._faults: dict[int, list[Fault]] = {}
        self._dates_only: dict[int, list[str]] = {}

    def files(self) -> list[CheckedFile]:
        """All files of the source: what was read lies in landing and quarantine until all are done."""
        files = {file.path: file for file in look(self._home).candidates(self._source.name)}
        records = ingest_source(self._home, self._source, self._context)
        return [self._checked(record, files[record.path]) for record in records if record.path in files]

    def _look_at(self, engine: duckdb.DuckDBPyConnection, raw: RawRelation, record: FileRecord) -> None:
        found = engine.execute(faults_query(self._source, raw)).fetchall()
        self._faults[record.file_id] = [
            Fault(reason, column, records, [(value["value"], value["records"]) for value in values])
            for reason, column, records, values in found
        ]
        if self._source.event_time:
            counts = engine.execute(times_query(self._source, raw)).fetchall()[0]
            names = [column.name for column in self._source.columns if column.kind is Kind.TIMESTAMP]
            of_columns = zip(names, counts[::2], counts[1::2], strict=True)
            self._dates_only[record.file_id] = [name for name, all_, midnights in of_columns if 1 < all_ == midnights]

    def _checked(self, record: FileRecord, file: NewFile) -> CheckedFile:
        if record.status == "failed":
            self._look_past_missing_columns(record, file)
        checked = CheckedFile(self._source, record, _origin(file), self._faults.get(record.file_id, []))
        checked.dates_only = self._dates_only.get(record.file_id, [])
        if isinstance(file.origin, Adapter):
            sql = self._home.root / record.path
            is_ours = not leads_out(sql, self._home.adapters.resolve()) and sql.is_file()
            checked.sql = sql.read_text("utf-8", "replace") if is_ours else ""
        with duckdb.connect() as engine:
            if record.quarantined:
                quarantine = self._home.quarantine / self._source.name / f"{record.file_id:08d}-1.parquet"
                found = engine.execute(
                    f"select reason, columns, row_number, original from {sql_parquet([quarantine])} "
                    f"qualify row_number() over (partition by reason order by row_number) <= {_EXAMPLES} order by all"
                ).fetchall()
                checked.examples = [Example(*row) for row in found]
            if record.partitions and checked.sql:
                landed = [self._home.landing / self._source.name / part.path for part in record.partitions]
                cursor = engine.execute(f"select * from {sql_parquet(landed)} limit {_FIRST_ROWS}")
                names = [column[0] for column in cursor.description]
                checked.first_rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return checked

    def _look_past_missing_columns(self, record: FileRecord, file: NewFile) -> None:
        """Of a file that lacks a required column, the other columns can be looked at all the same."""
        columns = tuple(replace(column, required=False) for column in self._source.columns)
        lenient = replace(self._source, columns=columns)
        with (
            duckdb.connect(config=engine_config(self._home, self._context.limits)) as engine,
            Ledger(self._home.ledger) as ledger,
        ):
            intake = Intake(self._home, lenient, self._context, ledger, engine, record)
            try:
                with intake.reading(file.origin) as (raw, _, _):
                    name_columns(record, raw.columns)
                    record.rows_read = engine.execute("select count(*) from raw").fetchall()[0][0]
                    self._look_at(engine, raw, record)
            except (UnreadableFileError, duckdb.Error):
                return


def _origin(file: NewFile) -> str:
    if isinstance(file.origin, Adapter):
        return f"adapter of {len(file.origin.files)} file{'s' if len(file.origin.files) != 1 else ''}"
    if file.origin.leads_out:
        return "link"
    name = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet"}[file.origin.format]
    return f"{name}, {file.origin.compression}" if file.origin.compression else name
