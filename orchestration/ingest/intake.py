"""One file on its way in: staged as typed Parquet, judged against what landed before, put into landing and quarantine.

The engine does it all; no record becomes a Python object. Nothing is in landing before the whole file is read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from metric_store.sql import sql_instant, sql_name, sql_names, sql_parquet, sql_text
from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter, run_adapter
from orchestration.ingest.archives import unpack
from orchestration.ingest.columns import Columns
from orchestration.ingest.contracts import Source
from orchestration.ingest.inbox import InboxFile, require_inside
from orchestration.ingest.keys import doubtful_keys_query, verdicts_query
from orchestration.ingest.ledger import FileRecord, Ledger, Partition, Touch
from orchestration.ingest.readers import ROW, RawRelation, read_raw
from orchestration.ingest.records import (
    clean_columns_query,
    lands_unchanged,
    parsed_query,
    rejected_query,
)
from orchestration.ingest.text_files import cut_behind_record
from orchestration.ingest.touches import ArrivedWeeks, arrived_weeks, touched_weeks
from orchestration.ingest.unreadable import UnreadableFileError, unreadable
from orchestration.limits import DEFAULT_INPUT_LIMITS, DEFAULT_LIMITS, EngineLimits, InputLimits, raise_limit

#: How far after the ingestion an event may lie.
AHEAD = timedelta(days=1)
#: Errors of a statement that no file's content can cause.
OUR_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
# Ids hardly repeat: a dictionary of them would cost time and save no space.
_PARQUET = "format parquet, compression zstd, compression_level 1, dictionary_size_limit 5000, write_bloom_filter false"
_FEW_WEEKS = 4
MONDAY = "cast(date_trunc('week', {0}) as date)"


@dataclass(frozen=True)
class Sample:
    """How much of a large file is read to check it: so many bytes of text, unpacked; of Parquet, so many rows."""

    text_bytes: int = 16 * 1024 * 1024
    rows: int = 100_000


@dataclass(frozen=True)
class IngestContext:
    """What a run tells the ingest. `now` is UTC; late means landed in one of `published_weeks`.

    sample: of a check, how much of a file is enough. on_raw: is given each file while its `raw` can be asked.
    """

    run_id: str
    now: datetime
    reporting_timezone: str
    calculation_offset_hours: int
    published_weeks: frozenset[date] = frozenset()
    limits: EngineLimits = DEFAULT_LIMITS
    input_limits: InputLimits = DEFAULT_INPUT_LIMITS
    sample: Sample | None = None
    on_raw: Callable[[duckdb.DuckDBPyConnection, RawRelation, FileRecord], None] | None = None


@dataclass(frozen=True)
class Part:
    """The records of one landing partition, and the staged Parquet file that has them."""

    week: date
    rows: int
    least_key: str
    greatest_key: str
    latest: datetime
    file: Path = Path()


class Intake:
    """The steps between one file's raw records and its row in the ledger; they fill `record`."""

    def __init__(
        self,
        home: Home,
        source: Source,
        context: IngestContext,
        ledger: Ledger,
        engine: duckdb.DuckDBPyConnection,
        record: FileRecord,
    ) -> None:
        """Take a file of a source. `engine` is a connection for it alone: what the steps make is gone with it."""
        self._home, self._source, self._context, self._ledger, self._engine = home, source, context, ledger, engine
        self.record = record
        self._columns = sql_names([column.name for column in source.columns])
        self._landing, self._quarantine = home.landing / source.name, home.quarantine / source.name

    def take(self, origin: InboxFile | Adapter) -> None:
        """Land the file and fill its record. Raises UnreadableFileError; then nothing has landed."""
        record = self.record
        with self.reading(origin) as (raw, location, site):
            try:
                raw = self._with_clean_columns(raw)
                parts, dropped = self._judge(raw, location, site)
                rejected, replayed = self._reject(raw, record, site)
                record.rows_read = self._rows("select count(*) from raw")[0][0]
                if self._context.on_raw:
                    self._context.on_raw(self._engine, raw, record)
            except duckdb.Error as error:
                # Parquet is read where it lies: a page that is broken shows only now.
                if isinstance(error, OUR_SQL) or str(self._landing) in str(error):
                    raise
                raise unreadable(error, location) from error
            if isinstance(origin, InboxFile):
                require_unchanged(origin)
            name_columns(record, raw.columns)
            record.duplicates = dropped + replayed
            record.landed = sum(part.rows for part in parts)
            if parts:
                self._find_touched_weeks([part.file for part in parts])
            self.put_into_landing(parts)
            if rejected:
                self._quarantine.mkdir(parents=True, exist_ok=True)
                rejected.replace(self._quarantine / f"{record.file_id:08d}-1.parquet")

    @contextmanager
    def reading(self, origin: InboxFile | Adapter) -> Iterator[tuple[RawRelation, Path, Path]]:
        """Make the relation `raw`: what it is, the file under a name of ours, and a folder for what is made of it.

        Raises UnreadableFileError.
        """
        self._engine.execute("set TimeZone = 'UTC'")
        with building_site(self._home.scratch / f"file-{self.record.file_id}") as site:
            try:
                location, file_format = self._at_hand(origin, site)
                raw = read_raw(self._engine, self._source, location, file_format, self._context.input_limits)
                if self._context.sample and file_format == "parquet":
                    raw = self._beginning_of(raw, self._context.sample.rows)
            except (FileNotFoundError, PermissionError) as error:
                raise UnreadableFileError(f"it can't be opened: {error.strerror}") from error
            yield raw, location, site

    def _beginning_of(self, raw: RawRelation, rows: int) -> RawRelation:
        """The first rows of Parquet, of which no copy may land as it lies."""
        self._engine.execute("alter view raw rename to whole")
        self._engine.execute(f"create temp view raw as select * from whole limit {rows}")
        self.record.is_sample = self._rows("select count(*) from whole")[0][0] > rows
        return replace(raw, has_landed_form=False)

    def find_touches_again(self, partitions: Sequence[Partition]) -> list[Touch]:
        """The weeks that read something in what has landed of the file, whatever it was when it landed."""
        self._engine.execute("set TimeZone = 'UTC'")
        self._create_arrived([self._landing / part.path for part in partitions])
        self._look_at_landed(partitions, "arrived")
        return self._touches()

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._engine.execute(query).fetchall()

    def _at_hand(self, origin: InboxFile | Adapter, site: Path) -> tuple[Path, str]:
        """The file under a name of ours: user's names hold quotes and glob signs. An adapter's result is made here."""
        location, sample = site / "raw", self._context.sample
        if isinstance(origin, Adapter):
            # One more than is looked at, which tells whether there are more.
            most_rows = sample.rows + 1 if sample else None
            run_adapter(origin, self._home, location, self._context.limits, self._context.input_limits, most_rows)
            return location, "parquet"
        file = require_inside(origin.location, self._home.inbox.resolve())
        most = sample.text_bytes if sample and origin.format != "parquet" else None
        if origin.compression:
            archive = site / "archive"
            archive.symlink_to(file)
            self.record.is_sample = unpack(archive, origin.compression, location, self._context.input_limits, most)
        elif most is not None and origin.size > most:
            with file.open("rb") as stream:
                location.write_bytes(stream.read(most))
            self.record.is_sample = True
        else:
            location.symlink_to(file)
        if self.record.is_sample:
            cut_behind_record(location, has_quotes=origin.format == "csv")
        return location, origin.format

    def _with_clean_columns(self, raw: RawRelation) -> RawRelation:
        if (raw.is_small and not raw.has_landed_form) or not raw.texts:
            return raw
        are_clean = self._rows(clean_columns_query(raw))[0]
        return replace(
            raw, clean=frozenset(name for name, is_clean in zip(raw.texts, are_clean, strict=True) if is_clean)
        )

    def _judge(self, raw: RawRelation, location: Path, site: Path) -> tuple[list[Part], int]:
        """Stage the typed records and make `rejected`. The files of the records that land, and how many were dropped.

        Judging needs all keys at once, so what is sound by itself is staged first; only where some of it doesn't land
        after all is it staged anew.
        """
        # Typing costs much unless the file is as it lands; and weeks are written one after the other.
        self._engine.execute(
            f"create temp {'view' if raw.has_landed_form else 'table'} parsed as {parsed_query(self._source, raw)}"
        )
        found, are_all_sound = self._weeks_of("parsed")
        if len(found) > (most := self._context.input_limits.max_file_weeks):
            weeks = f"it has records of {len(found):,} weeks, and may have {most:,}"
            raise UnreadableFileError(raise_limit("max_file_weeks", weeks))
        if raw.has_landed_form and len(found) > _FEW_WEEKS:
            self._engine.execute("create temp table parsed_once as from parsed")
            self._engine.execute("drop view parsed")
            self._engine.execute("alter table parsed_once rename to parsed")
        broken = f"select _row, _reason as rule from parsed where {'false' if are_all_sound else '_reason is not null'}"
        self._engine.execute(f"create temp table rejected as {broken}")
        if lands_unchanged(self._source, raw) and are_all_sound and len(found) == 1:
            staged = [self._copy(location, found[0], site)]
        else:
            staged = self._stage("parsed", found, are_all_sound, site / "typed")
        if not staged or not self._has_verdicts(staged):
            return staged, 0
        self._engine.execute("insert into rejected select _row, outcome from verdicts where outcome <> 'duplicate'")
        dropped, judged = self._rows("select count(*) filter (where outcome = 'duplicate'), count(*) from verdicts")[0]
        if judged == sum(part.rows for part in staged):
            return [], dropped
        self._engine.execute("create temp view landing as select * from parsed anti join verdicts using (_row)")
        return self._stage("landing", *self._weeks_of("landing"), site / "judged"), dropped

    def _weeks_of(self, relation: str) -> tuple[list[Part], bool]:
        """The typed records that have no reason, by landing partition, and whether these are all."""
        week_column, key = sql_name(self._source.week_column), sql_name(self._source.key[0])
        found = self._rows(
            f"select case when _reason is null then {MONDAY.format(week_column)} end as week, count(*), "
            f"cast(min({key}) as varchar), cast(max({key}) as varchar), max({week_column}) "
            f"from {relation} group by 1 order by 1"
        )
        parts = [Part(*of_week) for of_week in found if of_week[0]]
        return parts, len(parts) == len(found)

    def _stage(self, relation: str, parts: Sequence[Part], are_all_sound: bool, folder: Path) -> list[Part]:
        """Write the records that have no reason as Parquet, a file for each landing partition.

        Looking first and writing then takes less than half the time of one statement that writes by partition.
        """
        folder.mkdir()
        week = MONDAY.format(sql_name(self._source.week_column))
        staged = [replace(part, file=folder / f"{part.week}.parquet") for part in parts]
        for part in staged:
            is_all = are_all_sound and len(parts) == 1
            is_here = "true" if is_all else f"_reason is null and {week} = date '{part.week}'"
            records = f"select {self._columns} from {relation} where {is_here}"
            write_parquet(self._engine, records, part.file)
        return staged

    def _copy(self, location: Path, part: Part, site: Path) -> Part:
        """Parquet that would be written again just as it lies; a copy, because the inbox is not ours."""
        file = site / "as_it_lies.parquet"
        shutil.copyfile(location, file)
        return replace(part, file=file)

    def _has_verdicts(self, staged: Sequence[Part]) -> bool:
        """Make `landed` and `staged`, and `verdicts` where a key meets another or an event lies in the future."""
        self._engine.execute(
            f"create temp view staged as select {self._columns} from {sql_parquet([part.file for part in staged])}"
        )
        self._look_at_landed(staged, "staged")
        self._engine.execute(f"create temp table doubtful as {doubtful_keys_query(self._source.key)}")
        is_doubtful = self._rows("select count(*) > 0 from doubtful")[0][0]
        limit = self._context.now + AHEAD
        is_dated = self._source.event_time is not None
        if not is_doubtful and not (is_dated and any(part.latest > limit for part in staged)):
            return False
        self._engine.execute("create temp view sound as select * from parsed where _reason is null")
        self._engine.execute(f"create temp table verdicts as {verdicts_query(self._source, limit)}")
        return bool(self._rows("select count(*) > 0 from verdicts")[0][0])

    def _look_at_landed(self, parts: Sequence[Part] | Sequence[Partition], relation: str) -> None:
        """Make `landed`: the records of files read before whose keys could meet those of these parts, the relation."""
        least, greatest = min(part.least_key for part in parts), max(part.greatest_key for part in parts)
        paths = self._ledger.partitions_between(self._source.name, least, greatest, self.record.read_order)
        create_landed(self._engine, self._source, [self._landing / path for path in paths], relation)

    def _reject(self, raw: RawRelation, record: FileRecord, site: Path) -> tuple[Path | None, int]:
        """Write the rejected records; those that are in quarantine already are dropped: the file, and how many."""
        count = self._rows("select count(*) from rejected")[0][0]
        if not count:
            return None, 0
        self._engine.execute(f"create temp table bad as {rejected_query(self._source, raw)}")
        weeks = [row[0] for row in self._rows("select distinct week from bad order by 1")]
        found = self._ledger.quarantine_files(self._source.name, weeks, record.read_order)
        names = [f"{file_id:08d}-1.parquet" for file_id in found]
        earlier = [self._quarantine / name for name in names if (self._quarantine / name).is_file()]
        self._engine.execute(
            "delete from bad where _row not in (select min(_row) from bad group by content)"
            + (f" or content in (select content from {sql_parquet(earlier)})" if earlier else "")
        )
        record.quarantine_weeks = [row[0] for row in self._rows("select distinct week from bad order by 1")]
        if not record.quarantine_weeks:
            return None, count
        file = site / "rejected.parquet"
        self._engine.execute(
            f"copy (select {sql_text(self._source.name)} as source, rule as reason, columns, "
            f"{sql_text(record.path)} as source_file, _row as row_number, original, event_at, "
            f"{sql_instant(self._context.now)} as ingested_at, cast({record.file_id} as bigint) as _file_id, content, "
            "record_key "
            f"from bad inner join (select {ROW} as _row, {raw.original} as original from raw) using (_row) "
            f"order by row_number) to {sql_text(str(file))} (format parquet)"
        )
        record.reasons = dict(self._rows(f"select reason, count(*) from {sql_parquet([file])} group by 1 order by 1"))
        return file, count - self._rows("select count(*) from bad")[0][0]

    def put_into_landing(self, parts: Sequence[Part]) -> None:
        """Put staged records where they count as soon as the ledger has the file."""
        record = self.record
        for number, part in enumerate(parts, start=1):
            path = Path(f"week={part.week}", f"{record.file_id:08d}-{number}.parquet")
            (self._landing / path).parent.mkdir(parents=True, exist_ok=True)
            part.file.replace(self._landing / path)
            record.partitions.append(Partition(part.week, str(path), part.rows, part.least_key, part.greatest_key))

    def _create_arrived(self, files: Sequence[Path]) -> None:
        self._engine.execute(
            f"create temp view arrived as select {self._columns}, {self.record.file_id} as file_id "
            f"from {sql_parquet(files)}"
        )

    def _find_touched_weeks(self, files: Sequence[Path]) -> None:
        self._create_arrived(files)
        found = arrived_weeks(
            self._engine, self._source, self._context.reporting_timezone, self._context.calculation_offset_hours
        )
        self.note_weeks(found[self.record.file_id])

    def note_weeks(self, found: ArrivedWeeks) -> None:
        """Note the landed records by week, those that are late, and the weeks that read something new in them."""
        record = self.record
        record.event_weeks, record.backwards, record.touches = found.rows, found.backwards, found.touches
        record.late = sum(rows for week, rows in found.rows.items() if week in self._context.published_weeks)

    def _touches(self) -> list[Touch]:
        context = self._context
        found = touched_weeks(self._engine, self._source, context.reporting_timezone, context.calculation_offset_hours)
        return found.get(self.record.file_id, [])


def write_parquet(engine: duckdb.DuckDBPyConnection, records: str, file: Path) -> None:
    """Write records, given as SQL, as they land."""
    engine.execute(f"copy ({records}) to {sql_text(str(file))} ({_PARQUET})")


def create_landed(engine: duckdb.DuckDBPyConnection, source: Source, files: Sequence[Path], relation: str) -> None:
    """Make `landed` of Parquet files; of none it is empty, with the columns of the relation."""
    records = f"from {sql_parquet(files)}" if files else f"from {relation} limit 0"
    columns = sql_names([column.name for column in source.columns])
    engine.execute(f"create temp view landed as select {columns} {records}")


def name_columns(record: FileRecord, columns: Columns) -> None:
    """Note which columns of its own a file has, and which of the contract it lacks."""
    record.ignored_columns = ", ".join(columns.ignored)
    record.missing_columns = ", ".join(columns.missing)
    record.column_hints = "; ".join(f"{theirs}: did you mean {name}?" for name, theirs in columns.hints.items())


def require_unchanged(origin: InboxFile) -> None:
    """Several looks at a file are only worth something if they all saw the same."""
    try:
        found = origin.location.stat()
    except FileNotFoundError:
        raise UnreadableFileError("it was taken away while it was read") from None
    if (found.st_size, found.st_mtime_ns) != (origin.size, origin.mtime_ns):
        raise UnreadableFileError(
            "it changed while it was read: write files under another name and rename them when complete"
        )


@contextmanager
def building_site(folder: Path) -> Iterator[Path]:
    """An empty folder for as long as a file is being taken."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
