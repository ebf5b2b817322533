"""Taking back what files and adapters brought: afterwards the landing is as if they had never been there.

A file that was read later may have met their records: it dropped some as duplicates, rejected others, or its versions
changed less than they would have. Such a file is read again, in its old place in the order and as of its old time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from metric_store.sql import sql_instant, sql_names, sql_parquet
from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter
from orchestration.ingest.ledger import FileRecord, FileRow, Ledger, Partition
from orchestration.ingest.source_reader import NewFile, SourceReader
from orchestration.ingest.touches import week_of
from orchestration.ingest.unreadable import UnreadableFileError


@dataclass
class TakenBack:
    """What became of files: gone with what they brought; read again, (as it was, as it is); kept as they were.

    kept: files that may have dropped or rejected records because of those that are gone, and can't be read again.
    """

    gone: list[FileRow]
    read_again: list[tuple[FileRow, FileRecord]] = field(default_factory=list)
    kept: list[FileRow] = field(default_factory=list)


def take_back(reader: SourceReader, candidates: Sequence[NewFile], gone: Sequence[FileRow]) -> TakenBack:
    """Take back landed files of a source, within a transaction of the ledger. What lies on disk is removed by others.

    candidates: what the inbox has of the source.
    """
    taken = TakenBack(list(gone))
    if not gone:
        return taken
    ledger = reader.ledger
    ids = {row["file_id"] for row in gone}
    later = [
        row
        for row in ledger.files(status="landed")
        if row["source"] == reader.source.name
        and row["file_id"] not in ids
        and row["read_order"] > min(row["read_order"] for row in gone)
    ]
    sharing = _sharing_a_thing(reader, ids, {row["file_id"] for row in later})
    weeks = _judged_weeks(reader, gone)
    ledger.take_back(ids)
    present = {file.key: file for file in candidates}
    for row in sorted(later, key=lambda row: int(row["read_order"])):
        reasons = ledger.reasons(row["file_id"])
        has_lost = bool(row["duplicates"]) or "duplicate_key" in reasons
        if not has_lost and row["file_id"] not in sharing:
            continue
        file = present.get((row["path"], row["size"], row["mtime_ns"]))
        record = _read_again(reader, file, row) if file else None
        if record is None:
            parts = _partitions(ledger, reader, {row["file_id"]})
            if parts:
                ledger.replace_touches(row["file_id"], reader.find_touches_again(row, parts))
            if has_lost:
                taken.kept.append(row)
            continue
        if record.reasons != reasons:
            weeks |= _judged_weeks(reader, [row])
        ledger.take_back([row["file_id"]])
        ledger.record(record)
        if record.reasons != reasons:
            weeks |= _judged_weeks(reader, [{**row, "file_id": record.file_id}])
        taken.read_again.append((row, record))
    ledger.void_attempts(weeks)
    return taken


def _read_again(reader: SourceReader, file: NewFile, row: FileRow) -> FileRecord | None:
    try:
        return reader.read(file, row)
    except UnreadableFileError:
        return None


def _partitions(ledger: Ledger, reader: SourceReader, ids: Iterable[int]) -> list[Partition]:
    wanted = set(ids)
    return [
        Partition(date.fromisoformat(row["week"]), *(row[n] for n in ("path", "rows", "least_key", "greatest_key")))
        for row in ledger.partitions(reader.source.name)
        if row["file_id"] in wanted
    ]


def _sharing_a_thing(reader: SourceReader, ids: set[int], others: set[int]) -> set[int]:
    """Those of the other files that have a version of a thing of which these have one: they touch other weeks."""
    if not reader.source.is_versioned:
        return set()
    landing = reader.home.landing / reader.source.name
    ours, theirs = ([landing / part.path for part in _partitions(reader.ledger, reader, of)] for of in (ids, others))
    if not ours or not theirs:
        return set()
    identity = sql_names(reader.source.identity)
    with reader.engine.connection() as connection:
        found = connection.execute(
            "select distinct cast(split_part(parse_filename(filename), '-', 1) as bigint) "
            f"from {sql_parquet(theirs, ', filename = true')} "
            f"semi join (select {identity} from {sql_parquet(ours)}) as gone using ({identity})"
        ).fetchall()
    return {row[0] for row in found}


def _judged_weeks(reader: SourceReader, rows: Sequence[FileRow]) -> set[date]:
    """The weeks in which the gate counts rejected records of these files, or all, where a source has no event time."""
    quarantine = reader.home.quarantine / reader.source.name
    files = [
        file
        for row in rows
        if row["quarantined"] and (file := quarantine / f"{row['file_id']:08d}-1.parquet").is_file()
    ]
    instants = [f"select coalesce(event_at, ingested_at) as instant from {sql_parquet(files)}"] if files else []
    if reader.source.event_time is None:
        instants += [f"select {sql_instant(datetime.fromisoformat(row['ingested_at']))}" for row in rows]
    if not instants:
        return set()
    week = week_of("instant", reader.context.reporting_timezone)
    with reader.engine.connection() as connection:
        found = connection.execute(f"select distinct {week} from ({' union all '.join(instants)}) as t(instant)")
        return {row[0] for row in found.fetchall()}


@dataclass(frozen=True)
class EarlierResults:
    """What an adapter brought by other SQL than it has now.

    replaceable: made of files that are all still there as they were. staying: the others. absent: files that aren't.
    """

    path: str
    replaceable: list[FileRow]
    staying: list[FileRow]
    absent: list[str]

    def in_words(self, taken: TakenBack) -> str:
        """What became of them, for people."""
        said = []
        if self.replaceable:
            said.append(
                f"its SQL has changed: what it brought before is replaced ({counts_in_words(self.replaceable)})"
            )
        if self.staying:
            named = ", ".join(self.absent[:3]) + (f" and {len(self.absent) - 3} more" if len(self.absent) > 3 else "")
            said.append(
                f"what earlier SQL brought from files that aren't there as they were ({named}) stays: "
                f"{counts_in_words(self.staying)}; metric-store forget {self.path} takes it back"
            )
        return "; ".join([*said, *kept_in_words(taken)])


def earlier_results(home: Home, ledger: Ledger, adapter: Adapter) -> EarlierResults | None:
    """What an adapter brought by other SQL, None for nothing. Results of releases that didn't note it are left out."""
    rows = [
        row
        for row in ledger.files(status="landed")
        if row["path"] == adapter.path and row["sql_digest"] not in ("", adapter.sql_digest)
    ]
    if adapter.error or not rows:
        return None
    absent = {row["file_id"]: _absent(home, ledger.inputs(row["file_id"])) for row in rows}
    return EarlierResults(
        adapter.path,
        [row for row in rows if not absent[row["file_id"]]],
        [row for row in rows if absent[row["file_id"]]],
        sorted({path for paths in absent.values() for path in paths}),
    )


def _absent(home: Home, files: Iterable[tuple[str, int, int]]) -> list[str]:
    """Those of the files under the inbox that aren't there as they were."""
    absent = []
    for path, size, mtime_ns in files:
        try:
            found = (home.inbox / path).stat()
        except OSError:
            absent.append(path)
            continue
        if (found.st_size, found.st_mtime_ns) != (size, mtime_ns):
            absent.append(path)
    return absent


def counts_in_words(rows: Sequence[FileRow]) -> str:
    """How many records of files landed, and were rejected."""
    landed, rejected = (sum(row[name] for row in rows) for name in ("landed", "quarantined"))
    return f"{landed:,} landed, {rejected:,} rejected"


def kept_in_words(taken: TakenBack) -> list[str]:
    """For each file that would have to be read again, and can't be."""
    return [
        f"{row['source']}/{row['path']} isn't there as it was, so it can't be read again: of its records, "
        f"{row['duplicates']:,} were dropped as duplicates and {row['quarantined']:,} rejected; put it back and change "
        "it, if some of them are missing now"
        for row in taken.kept
    ]
