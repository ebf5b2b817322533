"""Lands small files of a source together: for each of them alone, planning takes far longer than what is to be done.

Only files land so whose records are all sound and meet no others. The rest is taken one by one, as large files are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, takewhile
from pathlib import Path

import duckdb

from metric_store.sql import sql_instant, sql_name, sql_names
from orchestration.ingest.columns import Columns
from orchestration.ingest.inbox import InboxFile
from orchestration.ingest.intake import (
    AHEAD,
    MONDAY,
    OUR_SQL,
    Intake,
    Part,
    building_site,
    create_landed,
    name_columns,
    require_unchanged,
    write_parquet,
)
from orchestration.ingest.keys import doubtful_keys_query
from orchestration.ingest.ledger import FileRecord
from orchestration.ingest.readers import ROW, SMALL_BYTES, RawRelation
from orchestration.ingest.records import parsed_query
from orchestration.ingest.source_reader import NewFile, SourceReader
from orchestration.ingest.touches import arrived_weeks
from orchestration.ingest.unreadable import UnreadableFileError

_MOST_FILES = 200
# What is in it is likely to be small, too.
_SMALL_ARCHIVE = SMALL_BYTES // 10
# The number of a record, of which a small file has few, holds the id of its file, too.
_FILE_ID = "(_row >> 32)"


def land_together(reader: SourceReader, files: Sequence[NewFile]) -> dict[NewFile, FileRecord | None]:
    """Land the first of these files, as far as they are small and alike.

    Returns what became of each: its record, which is in the ledger, or None where it has to be taken by itself.
    """
    small = list(takewhile(_is_small, files[:_MOST_FILES]))
    if len(small) < 2 or reader.context.sample or reader.context.on_raw:
        return {}
    together = _Together(reader)
    looked_at = list(takewhile(together.add, small))
    try:
        records = together.land()
    except OUR_SQL:
        raise
    except (duckdb.Error, MemoryError):  # whose fault it is shows where each is taken by itself
        records = {}
    return {file: records.get(file.file_id) for file in looked_at}


def _is_small(file: NewFile) -> bool:
    origin = file.origin
    return isinstance(origin, InboxFile) and file.size <= (_SMALL_ARCHIVE if origin.compression else SMALL_BYTES)


class _Together:
    """The records of small files whose columns are of the same types, as a table that all connections see."""

    def __init__(self, reader: SourceReader) -> None:
        self._reader, self._source = reader, reader.source
        self._columns = sql_names([column.name for column in reader.source.columns])
        self._table = f"together_{reader.source.name}"
        self._week = MONDAY.format(sql_name(reader.source.week_column))
        self._intakes: dict[int, Intake] = {}
        self._failed: list[FileRecord] = []
        self._types: dict[str, str] = {}

    def add(self, file: NewFile) -> bool:
        """Read a file. False where it unpacks to much or isn't like the others: then it isn't among them."""
        origin = file.origin
        assert isinstance(origin, InboxFile)
        reader, record = self._reader, self._reader.new_record(file, "landed")
        try:
            with reader.engine.connection() as connection:
                intake = Intake(reader.home, self._source, reader.context, reader.ledger, connection, record)
                with intake.reading(origin) as (raw, _, _):
                    is_added = raw.is_small and self._append(connection, raw, record)
                require_unchanged(origin)
        except UnreadableFileError as error:
            self._failed.append(reader.new_record(file, "failed", str(error)))
            return True
        except (duckdb.Error, MemoryError):
            return False
        if is_added:
            name_columns(record, raw.columns)
            record.landed = record.rows_read
            self._intakes[record.file_id] = intake
        return is_added

    def _append(self, connection: duckdb.DuckDBPyConnection, raw: RawRelation, record: FileRecord) -> bool:
        # A text that isn't there is as good as one without a letter.
        types = {column.name: raw.types.get(column.name, "VARCHAR") for column in self._source.columns}
        values = ", ".join(
            f"{sql_name(name) if name in raw.types else 'cast(null as varchar)'} as {sql_name(name)}" for name in types
        )
        records = f"select {record.file_id << 32} + {ROW} as {ROW}, {values} from raw"
        if not self._types:
            connection.execute(f"create or replace table {self._table} as {records} limit 0")
            self._types = types
        if types != self._types:
            return False
        record.rows_read = connection.execute(f"insert into {self._table} {records}").fetchall()[0][0]
        return True

    def land(self) -> dict[int, FileRecord]:
        """Land the files of which no record is doubtful.

        Returns the record of each, and of those that can't be read, by file_id; they are in the ledger.
        """
        records = [*(self._land_sound() if self._intakes else []), *self._failed]
        with self._reader.ledger.at_once():
            for record in records:
                self._reader.ledger.record(record)
        return {record.file_id: record for record in records}

    def _land_sound(self) -> list[FileRecord]:
        context = self._reader.context
        scratch = self._reader.home.scratch
        with self._reader.engine.connection() as engine, building_site(scratch / self._table) as site:
            engine.execute("set TimeZone = 'UTC'")
            engine.execute(f"create temp view raw as from {self._table}")
            raw = RawRelation(self._types, Columns(), original="", is_small=True)
            engine.execute(f"create temp table parsed as {parsed_query(self._source, raw)}")
            parts = self._parts(engine, site)
            doubtful = self._doubtful(engine, parts)
            sound = {file_id: intake for file_id, intake in self._intakes.items() if file_id not in doubtful}
            if not sound:
                return []
            engine.execute(
                f"create temp view arrived as select {self._columns}, {_FILE_ID} as file_id from parsed "
                f"where {_FILE_ID} in ({', '.join(map(str, sound))})"
            )
            weeks = arrived_weeks(engine, self._source, context.reporting_timezone, context.calculation_offset_hours)
            for file_id, intake in sound.items():
                for part in parts[file_id]:
                    records = f"from parsed where {_FILE_ID} = {file_id} and {self._week} = date '{part.week}'"
                    write_parquet(engine, f"select {self._columns} {records}", part.file)
                if parts[file_id]:
                    intake.note_weeks(weeks[file_id])
                intake.put_into_landing(parts[file_id])
        return [intake.record for intake in sound.values()]

    def _parts(self, engine: duckdb.DuckDBPyConnection, site: Path) -> dict[int, list[Part]]:
        """By file, the records that are sound by themselves, by landing partition."""
        key, week_column = (sql_name(name) for name in (self._source.key[0], self._source.week_column))
        parts: dict[int, list[Part]] = defaultdict(list)
        for file_id, *part in engine.execute(
            f"select {_FILE_ID}, {self._week}, count(*), cast(min({key}) as varchar), cast(max({key}) as varchar), "
            f"max({week_column}) from parsed where _reason is null group by 1, 2 order by 1, 2"
        ).fetchall():
            parts[file_id].append(replace(Part(*part), file=site / f"{file_id}-{part[0]}.parquet"))
        return parts

    def _doubtful(self, engine: duckdb.DuckDBPyConnection, parts: Mapping[int, Sequence[Part]]) -> set[int]:
        """Files with a record that breaks a rule or meets another of its thing, or with records of too many weeks."""
        reader, source = self._reader, self._source
        landing = reader.home.landing / source.name
        paths = {
            path
            for part in chain.from_iterable(parts.values())
            for path in reader.ledger.partitions_between(
                source.name, part.least_key, part.greatest_key, before=min(self._intakes)
            )
        }
        engine.execute(f"create temp view staged as select {self._columns} from parsed where _reason is null")
        create_landed(engine, source, [landing / path for path in sorted(paths)], "staged")
        engine.execute(f"create temp table doubtful as {doubtful_keys_query(source.identity)}")
        limit = sql_instant(reader.context.now + AHEAD)
        is_future = f"{sql_name(source.event_time)} > {limit}" if source.event_time else "false"
        found = engine.execute(
            f"select {_FILE_ID} from parsed where _reason is not null or {is_future} "
            f"union select {_FILE_ID} from parsed semi join doubtful using ({sql_names(source.identity)})"
        ).fetchall()
        most_weeks = reader.context.input_limits.max_file_weeks
        return {row[0] for row in found}.union(id for id in parts if len(parts[id]) > most_weeks)
