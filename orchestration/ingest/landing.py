"""Files in, landed Parquet out: reads each new file of a source once, checks and deduplicates its records, writes
landing and quarantine, and hands the file to the ledger. The engine does it all; no record becomes a Python object.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.ingest.adapters import Adapter, find_adapters, run_adapter
from orchestration.ingest.contracts import Source
from orchestration.ingest.inbox import InboxFile, InboxListing, list_inbox
from orchestration.ingest.ledger import FileRecord, Ledger, Partition, Touch
from orchestration.ingest.readers import UnreadableFileError, read_raw, sql_name, sql_text
from orchestration.ingest.records import content, parsed_query, runs_backwards
from orchestration.ingest.touches import touches_query
from orchestration.settings import Home


@dataclass(frozen=True)
class IngestContext:
    """What a run tells the ingest. `now` is UTC; late means landed in one of `published_weeks`."""

    run_id: str
    now: datetime
    reporting_timezone: str
    calculation_offset_hours: int
    published_weeks: frozenset[date] = frozenset()
    memory_limit: str | None = None
    threads: int | None = None


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
        adapted = [NewFile(a.path, a.size, a.state, a) for a in self.adapters.get(source, []) if a.files]
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
        with _engine(home, context) as engine:
            for file in files:
                record = FileRecord(
                    source.name, file.path, file.size, file.mtime_ns, "landed", context.now, context.run_id, ledger.next_file_id()
                )
                try:
                    # A connection of its own: what the steps make of a file is gone with it.
                    with engine.cursor() as connection:
                        connection.execute("set TimeZone = 'UTC'")
                        _Landing(home, source, context, connection, ledger, record).land(file.origin)
                except UnreadableFileError as error:
                    record.status, record.error = "failed", str(error)
                ledger.record(record)
                done.append(record)
                if on_file:
                    on_file(record)
    return done


def _engine(home: Home, context: IngestContext) -> duckdb.DuckDBPyConnection:
    spill = home.scratch / "spill"
    config: dict[str, str | int] = {"temp_directory": str(spill)}
    if context.memory_limit:
        config["memory_limit"] = context.memory_limit
    if context.threads:
        config["threads"] = context.threads
    return duckdb.connect(config=config)


def _remove_unrecorded(home: Home, source: Source, ledger: Ledger) -> None:
    """Remove what a killed run left behind: landed or quarantined files that the ledger never took."""
    recorded = {home.landing / source.name / row["path"] for row in ledger.partitions(source.name)}
    for file in (home.landing / source.name).glob("*/*.parquet"):
        if file not in recorded:
            file.unlink()
    known = {int(row["file_id"]) for row in ledger.files() if row["source"] == source.name}
    for file in (home.quarantine / source.name).glob("*.parquet"):
        if int(file.stem.split("-")[0]) not in known:
            file.unlink()


class _Landing:
    """One file on its way in: the steps between its raw records and its row in the ledger."""

    def __init__(
        self,
        home: Home,
        source: Source,
        context: IngestContext,
        engine: duckdb.DuckDBPyConnection,
        ledger: Ledger,
        record: FileRecord,
    ) -> None:
        self.home, self.source, self.context, self.engine, self.ledger, self.record = home, source, context, engine, ledger, record
        self.columns = ", ".join(sql_name(column.name) for column in source.columns)
        self.key = ", ".join(sql_name(name) for name in source.key)

    def land(self, origin: InboxFile | Adapter) -> None:
        with self._readable(origin) as (location, file_format, compression):
            self.raw = read_raw(self.engine, self.source, location, file_format, compression)
            try:
                self._parse(file_format)
                self._judge_keys()
                self._count()
                self._write_landing()
                self._write_quarantine()
                self._find_touched_weeks()
            except duckdb.Error as error:
                # Parquet is read where it lies: a page that is broken shows only now. Nothing is recorded yet.
                if not isinstance(error, (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException)):
                    raise
                raise UnreadableFileError(str(error).splitlines()[0][:300].replace(str(location), "the file")) from error
        self.record.ignored_columns = ", ".join(self.raw.ignored)

    def _readable(self, origin: InboxFile | Adapter) -> _Readable:
        return _Readable(self, origin)

    def _rows(self, query: str) -> list[tuple]:
        return self.engine.execute(query).fetchall()

    def _parse(self, file_format: str) -> None:
        # A text file is typed once, into a table; Parquet columns are cheap to read again, a copy of them is not.
        kind = "view" if file_format == "parquet" else "table"
        self.engine.execute(f"create temp {kind} parsed as {parsed_query(self.source, self.raw)}")

    def _landed(self) -> list[str]:
        """Landed files whose keys could meet those of this file."""
        first = sql_name(self.source.key[0])
        least, greatest = self._rows(f"select cast(min({first}) as varchar), cast(max({first}) as varchar) from parsed where _reason is null")[0]
        if least is None:
            return []
        folder = self.home.landing / self.source.name
        return [
            str(folder / row["path"])
            for row in self.ledger.partitions(self.source.name)
            if row["least_key"] <= greatest and least <= row["greatest_key"]
        ]

    def _judge_keys(self) -> None:
        """Make `verdicts` (_row, outcome) of the records whose key landed before or repeats within the file.

        The landed record stays, else the first of the file: the same content again is a `duplicate`, other content
        breaks the rule `duplicate_key`.
        """
        landed = self._landed()
        source = f"read_parquet([{', '.join(map(sql_text, landed))}], hive_partitioning = false)" if landed else "(select * from parsed limit 0)"
        self.engine.execute(f"create temp view landed as select {self.columns} from {source}")
        self.engine.execute(
            f"""
            create temp table verdicts as
            with
                sound as (select _row, {self.key} from parsed where _reason is null),
                repeated as (select {self.key} from sound group by all having count(*) > 1),
                met as (select {self.key} from landed semi join sound using ({self.key})),
                suspects as (
                    select parsed.*, row_number() over (partition by {self.key} order by _row) as place
                    from parsed
                    where _reason is null and ({self.key}) in (select ({self.key}) from repeated union all select ({self.key}) from met)
                ),
                kept as (
                    select {self.key}, {content(self.source, "landed")} as kept_content, 0 as kept_row
                    from landed where ({self.key}) in (select ({self.key}) from met)
                    union all
                    select {self.key}, {content(self.source, "suspects")}, _row
                    from suspects where place = 1 and ({self.key}) not in (select ({self.key}) from met)
                )
            select
                suspects._row,
                case when {content(self.source, "suspects")} is not distinct from kept.kept_content then 'duplicate' else 'duplicate_key' end
                    as outcome
            from suspects inner join kept using ({self.key})
            where suspects._row <> kept.kept_row
            """
        )
        event_time = self.source.event_time
        limit = f"timestamp {sql_text(self.context.now.isoformat(sep=' '))} + interval '24' hour"
        future = f"when {sql_name(event_time)} > {limit} then 'future_event'" if event_time else ""
        self.engine.execute(
            f"""
            create temp view judged as
            select parsed.*, case when _reason is not null then _reason when verdicts.outcome is not null then verdicts.outcome {future} end as outcome
            from parsed left join verdicts using (_row)
            """
        )

    def _count(self) -> None:
        outcomes = dict(self._rows("select coalesce(outcome, 'landed'), count(*) from judged group by 1"))
        self.record.rows_read = self._rows("select count(*) from raw")[0][0]
        self.record.landed = outcomes.pop("landed", 0)
        self.record.duplicates = outcomes.pop("duplicate", 0)
        self.record.reasons = dict(sorted(outcomes.items()))

    def _write_landing(self) -> None:
        if not self.record.landed:
            return
        folder = self.home.landing / self.source.name
        building = self.home.scratch / f"landing-{self.record.file_id}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        week = f"cast(date_trunc('week', {sql_name(self.source.week_column)}) as date)"
        self.engine.execute(
            f"copy (select {self.columns}, cast({self.record.file_id} as bigint) as _file_id, cast(_row as bigint) as _row, "
            f"{week} as week from judged where outcome is null) "
            f"to {sql_text(str(building))} (format parquet, partition_by (week), overwrite_or_ignore)"
        )
        first = sql_name(self.source.key[0])
        for number, built in enumerate(sorted(building.glob("*/*.parquet")), start=1):
            path = Path(built.parent.name, f"{self.record.file_id:08d}-{number}.parquet")
            rows, least, greatest = self._rows(
                f"select count(*), cast(min({first}) as varchar), cast(max({first}) as varchar) "
                f"from read_parquet({sql_text(str(built))}, hive_partitioning = false)"
            )[0]
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            built.replace(folder / path)
            monday = date.fromisoformat(path.parent.name.removeprefix("week="))
            self.record.partitions.append(Partition(monday, str(path), rows, least, greatest))
        shutil.rmtree(building)

    def _write_quarantine(self) -> None:
        if not self.record.reasons:
            return
        folder = self.home.quarantine / self.source.name
        folder.mkdir(parents=True, exist_ok=True)
        building = self.home.scratch / f"quarantine-{self.record.file_id}.parquet"
        event_time = sql_name(self.source.event_time) if self.source.event_time else "cast(null as timestamp)"
        # The key rules name no single column: the whole key is at fault.
        detail = f"case outcome when 'duplicate_key' then {sql_text(', '.join(self.source.key))} when 'future_event' then {sql_text(str(self.source.event_time))} else _detail end"
        self.engine.execute(
            f"copy (select {sql_text(self.source.name)} as source, judged.outcome as reason, {detail} as columns, "
            f"{sql_text(self.record.path)} as source_file, judged._row as row_number, raws.original, judged.{event_time} as event_at, "
            f"timestamp {sql_text(self.context.now.isoformat(sep=' '))} as ingested_at, cast({self.record.file_id} as bigint) as _file_id "
            f"from judged inner join (select _row, {self.raw.original} as original from raw) as raws using (_row) "
            f"where judged.outcome is not null and judged.outcome <> 'duplicate' order by row_number) "
            f"to {sql_text(str(building))} (format parquet)".replace("judged.cast(", "cast(")
        )
        building.replace(folder / f"{self.record.file_id:08d}-1.parquet")

    def _find_touched_weeks(self) -> None:
        """Count the file's landed records by week, those that are late, and the weeks that read something new in them."""
        if not self.record.landed:
            return
        written = [str(self.home.landing / self.source.name / partition.path) for partition in self.record.partitions]
        files = f"read_parquet([{', '.join(map(sql_text, written))}], hive_partitioning = false)"
        zone = sql_text(self.context.reporting_timezone)
        local_week = f"cast(date_trunc('week', timezone({zone}, timezone('UTC', {sql_name(self.source.week_column)}))) as date)"
        weeks = self._rows(f"select {local_week}, count(*), count(*) filter (where {runs_backwards(self.source)}) from {files} group by 1 order by 1")
        if self.source.event_time:
            self.record.event_weeks = {week: rows for week, rows, _ in weeks}
            self.record.late = sum(rows for week, rows, _ in weeks if week in self.context.published_weeks)
        self.record.backwards = sum(backwards for _, _, backwards in weeks)
        self.engine.execute(f"create temp view arrived as select {self.columns} from {files}")
        query = touches_query(self.source, self.context.reporting_timezone, self.context.calculation_offset_hours)
        self.record.touches = [Touch(*row) for row in self._rows(query)]


class _Readable:
    """A file under a name of ours: user's names hold quotes and glob signs. An adapter's result is made on entry."""

    def __init__(self, landing: _Landing, origin: InboxFile | Adapter) -> None:
        self._landing, self._origin = landing, origin

    def __enter__(self) -> tuple[Path, str, str]:
        scratch = self._landing.home.scratch
        if isinstance(self._origin, Adapter):
            self._link = scratch / f"adapter-{self._landing.record.file_id}.parquet"
            self._link.unlink(missing_ok=True)
            run_adapter(self._origin, self._landing.home, self._link, self._landing.context.memory_limit)
            return self._link, "parquet", "none"
        self._link = scratch / f"file-{self._landing.record.file_id}"
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self._origin.location)
        return self._link, self._origin.format, self._origin.compression

    def __exit__(self, *_: object) -> None:
        self._link.unlink(missing_ok=True)
