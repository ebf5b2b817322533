"""The record of files: what was read, what became of it, and which weeks it touches. SQLite, so that `status` can read
while a run writes. A landed file counts from the moment its row is committed here; nothing else is shared state.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
create table if not exists files (
    file_id integer primary key autoincrement,
    source text not null,
    path text not null,
    size integer not null,
    mtime_ns integer not null,
    status text not null check (status in ('landed', 'failed')),
    error text,
    rows_read integer not null default 0,
    landed integer not null default 0,
    quarantined integer not null default 0,
    duplicates integer not null default 0,
    late integer not null default 0,
    backwards integer not null default 0,
    ignored_columns text not null default '',
    missing_columns text not null default '',
    column_hints text not null default '',
    ingested_at text not null,
    run_id text not null,
    read_order integer not null default 0,
    sql_digest text not null default '',
    note text not null default ''
);
create index if not exists files_by_path on files (source, path);
create table if not exists partitions (
    file_id integer not null references files,
    week text not null,
    path text not null,
    rows integer not null,
    least_key text not null,
    greatest_key text not null
);
create table if not exists event_weeks (
    file_id integer not null references files,
    week_start text not null,
    rows integer not null
);
create table if not exists quarantined (
    file_id integer not null references files,
    reason text not null,
    rows integer not null
);
create table if not exists quarantine_weeks (
    file_id integer not null references files,
    week text not null
);
create index if not exists quarantine_weeks_by_week on quarantine_weeks (week);
create table if not exists touches (
    file_id integer not null references files,
    first_week text not null,
    last_week text not null,
    rows integer not null
);
create table if not exists adapter_inputs (
    file_id integer not null references files,
    path text not null,
    size integer not null,
    mtime_ns integer not null
);
create table if not exists forgotten (
    source text not null,
    path text not null,
    size integer not null,
    mtime_ns integer not null,
    primary key (source, path, size, mtime_ns)
);
create table if not exists attempts (
    week_start text primary key,
    fingerprint text not null,
    run_id text not null,
    attempted_at text not null,
    withheld_by text not null
);
create table if not exists unmoved (
    week_start text primary key,
    build_id text not null,
    fingerprint text not null
);
create table if not exists calendars (
    subject text primary key check (subject in ('landed', 'published')),
    reporting_timezone text not null,
    calculation_offset_hours integer not null
);
"""


#: A row of the table `files`, by column.
FileRow = dict[str, Any]


@dataclass(frozen=True)
class Partition:
    """One landed Parquet file: `week` is a UTC Monday, `path` is relative to `landing/<source>`.

    UTC, so that it stays where it is when the reporting time zone is changed.
    """

    week: date
    path: str
    rows: int
    least_key: str
    greatest_key: str


@dataclass(frozen=True)
class Touch:
    """So many records of a file change what the weeks first_week..last_week read."""

    first_week: date
    last_week: date
    rows: int


@dataclass
class FileRecord:
    """One file of the inbox, or one result of an adapter, and what became of its records.

    ignored_columns: the file's columns that the contract doesn't know; missing_columns: the contract's that the file
        lacks, both as "a, b". column_hints: "shiped_at: did you mean shipped_at?", parted by semicolons.
    read_order: its place in the order of reading, which a file that is read again keeps; 0: the file_id.
    sql_digest, inputs: of an adapter, what it was, and (path, size, mtime_ns) of each file it read. note: a sentence
        about what became of earlier results of an adapter.
    is_sample: only the beginning of the file was read, to check it.
    """

    source: str
    path: str
    size: int
    mtime_ns: int
    status: str
    ingested_at: datetime
    run_id: str
    file_id: int = 0
    error: str | None = None
    rows_read: int = 0
    landed: int = 0
    duplicates: int = 0
    late: int = 0
    backwards: int = 0
    ignored_columns: str = ""
    missing_columns: str = ""
    column_hints: str = ""
    read_order: int = 0
    sql_digest: str = ""
    note: str = ""
    is_sample: bool = False
    inputs: tuple[tuple[str, int, int], ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    partitions: list[Partition] = field(default_factory=list)
    event_weeks: dict[date, int] = field(default_factory=dict)
    quarantine_weeks: list[str] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)

    @property
    def quarantined(self) -> int:
        return sum(self.reasons.values())

    @property
    def unreconciled(self) -> int:
        """Records read that neither landed nor were quarantined nor dropped as duplicates; 0 unless there is a bug."""
        return self.rows_read - self.landed - self.quarantined - self.duplicates


_FILE_COLUMNS = (
    "file_id, source, path, size, mtime_ns, status, error, rows_read, landed, quarantined, duplicates, late, "
    "backwards, ignored_columns, missing_columns, column_hints, ingested_at, run_id, read_order, sql_digest, note"
)
_OF_A_FILE = ("partitions", "event_weeks", "quarantined", "quarantine_weeks", "touches", "adapter_inputs")
_FORGET_FAILED = "delete from files where source = ? and path = ? and status = 'failed'"


class Ledger:
    """The ledger of a home. One process writes (the run holds its lock), a connection for each thread; any may read."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the ledger; a missing one is made, unless `read_only`: then it is empty."""
        self._is_at_once = False
        if read_only and not path.is_file():
            self._connection = sqlite3.connect(":memory:")
            self._connection.executescript(_SCHEMA)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        uri = f"{path.resolve().as_uri()}?mode=ro" if read_only else path.resolve().as_uri()
        self._connection = sqlite3.connect(uri, uri=True, timeout=30)
        if not read_only:
            self._connection.execute("pragma journal_mode = wal")
            self._connection.executescript(_SCHEMA)
        if self._lacking_columns():
            if read_only:  # looked at as it would be, without a change to the file
                copy = sqlite3.connect(":memory:")
                self._connection.backup(copy)
                self._connection.close()
                self._connection = copy
                copy.executescript(_SCHEMA)
            for name in self._lacking_columns():
                kind = "integer not null default 0" if name == "read_order" else "text not null default ''"
                self._connection.execute(f"alter table files add column {name} {kind}")
            with self._connection as db:
                db.execute("update files set read_order = file_id where read_order = 0")

    def _lacking_columns(self) -> list[str]:
        """Columns of `files` that a ledger of an earlier release doesn't have; all, where its making was killed."""
        present = {row["name"] for row in self._rows("select name from pragma_table_info('files')")}
        return [name for name in _FILE_COLUMNS.split(", ") if name not in present]

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All changes within count together, or none of them where an exception ends it or the process is killed."""
        with self._connection as db:
            db.execute("begin immediate")
            self._is_at_once = True
            try:
                yield
            finally:
                self._is_at_once = False

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with nullcontext(self._connection) if self._is_at_once else self._connection as db:
            yield db

    def _rows(self, query: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def next_file_id(self) -> int:
        """The first id that no recorded file has had: those of files that are read from now on begin here."""
        rows = self._rows("select seq from sqlite_sequence where name = 'files'")
        return int(rows[0]["seq"]) + 1 if rows else 1

    def record(self, file: FileRecord) -> None:
        """Take a file: from here on its partitions count. One transaction; a failed record of the path gives way."""
        with self._change() as db:
            db.execute(_FORGET_FAILED, (file.source, file.path))
            db.execute(
                f"insert into files ({_FILE_COLUMNS}) values ({', '.join('?' * 21)})",
                (
                    *(file.file_id, file.source, file.path, file.size, file.mtime_ns, file.status, file.error),
                    *(file.rows_read, file.landed, file.quarantined, file.duplicates, file.late, file.backwards),
                    *(file.ignored_columns, file.missing_columns, file.column_hints),
                    *(file.ingested_at.isoformat(sep=" "), file.run_id),
                    *(file.read_order or file.file_id, file.sql_digest, file.note),
                ),
            )
            db.executemany(
                "insert into adapter_inputs values (?, ?, ?, ?)", [(file.file_id, *found) for found in file.inputs]
            )
            db.executemany(
                "insert into partitions values (?, ?, ?, ?, ?, ?)",
                [
                    (file.file_id, part.week.isoformat(), part.path, part.rows, part.least_key, part.greatest_key)
                    for part in file.partitions
                ],
            )
            _insert_weeks(db, file.file_id, file.event_weeks, file.touches)
            db.executemany(
                "insert into quarantined values (?, ?, ?)", [(file.file_id, *item) for item in file.reasons.items()]
            )
            db.executemany(
                "insert into quarantine_weeks values (?, ?)", [(file.file_id, week) for week in file.quarantine_weeks]
            )

    def take_back(self, file_ids: Iterable[int]) -> None:
        """Let landed files go, with all that is known of what they brought."""
        ids = json.dumps(sorted(file_ids))
        with self._change() as db:
            for table in (*_OF_A_FILE, "files"):
                db.execute(f"delete from {table} where file_id in (select value from json_each(?))", (ids,))

    def replace_touches(self, file_id: int, touches: Iterable[Touch]) -> None:
        """What a file touches now, because others that it met are gone."""
        with self._change() as db:
            db.execute("delete from touches where file_id = ?", (file_id,))
            _insert_touches(db, file_id, touches)

    def forget(self, source: str, files: Iterable[tuple[str, int, int]]) -> None:
        """Files (path, size, mtime_ns) that aren't read again as they are."""
        with self._change() as db:
            db.executemany("insert or ignore into forgotten values (?, ?, ?, ?)", [(source, *file) for file in files])

    def forgotten(self, source: str) -> set[tuple[str, int, int]]:
        """(path, size, mtime_ns) of the files of a source that were forgotten."""
        rows = self._rows("select path, size, mtime_ns from forgotten where source = ?", (source,))
        return {(row["path"], row["size"], row["mtime_ns"]) for row in rows}

    def inputs(self, file_id: int) -> set[tuple[str, int, int]]:
        """(path under the inbox, size, mtime_ns) of the files that an adapter read for a result."""
        rows = self._rows("select path, size, mtime_ns from adapter_inputs where file_id = ?", (file_id,))
        return {(row["path"], row["size"], row["mtime_ns"]) for row in rows}

    def reasons(self, file_id: int) -> dict[str, int]:
        """reason -> records of a file in quarantine."""
        rows = self._rows("select reason, rows from quarantined where file_id = ?", (file_id,))
        return {row["reason"]: int(row["rows"]) for row in rows}

    def known(self, source: str) -> dict[tuple[str, int, int], str]:
        """(path, size, mtime_ns) -> status, of every file of a source that was read or failed as it is."""
        rows = self._rows("select path, size, mtime_ns, status from files where source = ?", (source,))
        return {(row["path"], row["size"], row["mtime_ns"]): row["status"] for row in rows}

    def forget_failed(self, source: str, present: Iterable[tuple[str, int, int]]) -> None:
        """Drop failed files that are no longer there as they were: corrected, moved away or changed."""
        keep = set(present)
        gone = [key[0] for key, status in self.known(source).items() if status == "failed" and key not in keep]
        with self._change() as db:
            db.executemany(_FORGET_FAILED, [(source, path) for path in gone])

    def files(self, *, status: str | None = None, run_id: str | None = None) -> list[dict[str, Any]]:
        """Rows of the table `files`, by source, the oldest first."""
        return self._rows(
            f"select {_FILE_COLUMNS} from files where (? is null or status = ?) and (? is null or run_id = ?) "
            "order by source, file_id",
            (status, status, run_id, run_id),
        )

    def partitions(self, source: str) -> list[dict[str, Any]]:
        """Landed Parquet files of a source: week, path, rows, least_key, greatest_key, file_id."""
        return self._rows(
            "select p.* from partitions p join files f using (file_id) where f.source = ? "
            "order by p.file_id, p.week, p.path",
            (source,),
        )

    def partitions_between(self, source: str, least_key: str, greatest_key: str, before: int) -> list[str]:
        """Paths of the landed Parquet files of a source, read before this place, whose keys could meet a range."""
        rows = self._rows(
            "select p.path from partitions p join files f using (file_id) where f.source = ? and f.read_order < ? "
            "and p.least_key <= ? and ? <= p.greatest_key order by p.file_id, p.week, p.path",
            (source, before, greatest_key, least_key),
        )
        return [row["path"] for row in rows]

    def quarantine_files(self, source: str, weeks: Iterable[str] | None = None, before: int | None = None) -> list[int]:
        """Ids of the files of a source with records in quarantine.

        All, or those with one in any of these weeks; all, or those read before this place.
        """
        within = None if weeks is None else json.dumps(sorted(weeks))
        rows = self._rows(
            "select distinct file_id from quarantine_weeks join files using (file_id) where source = ? "
            "and (? is null or week in (select value from json_each(?))) and (? is null or read_order < ?) order by 1",
            (source, within, within, before, before),
        )
        return [int(row["file_id"]) for row in rows]

    def landed_rows_by_week(self, sources: Sequence[str]) -> dict[date, int]:
        """Week of the reporting time zone -> landed records of these sources."""
        marks = ", ".join("?" * len(sources))
        rows = self._rows(
            "select e.week_start, sum(e.rows) as rows from event_weeks e join files f using (file_id) "
            f"where f.source in ({marks}) group by 1 order by 1",
            list(sources),
        )
        return {date.fromisoformat(row["week_start"]): int(row["rows"]) for row in rows}

    def quarantine_counts(self) -> dict[str, dict[str, int]]:
        """source -> reason -> records, over everything that was ever read."""
        rows = self._rows(
            "select f.source, q.reason, sum(q.rows) as rows from quarantined q join files f using (file_id) "
            "group by 1, 2 order by 1, 2"
        )
        counts: dict[str, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["source"], {})[row["reason"]] = int(row["rows"])
        return counts

    def weeks_of_files(self, weeks: Iterable[date]) -> list[tuple[int, date]]:
        """(file_id, week) of these weeks in which a file landed a record; without event times, of its `updated_at`."""
        rows = self._rows(
            "select file_id, week_start as week from event_weeks union select file_id, week from partitions "
            "where file_id not in (select file_id from event_weeks) order by 1, 2"
        )
        asked = {week.isoformat() for week in weeks}
        return [(int(row["file_id"]), date.fromisoformat(row["week"])) for row in rows if row["week"] in asked]

    def touches(self) -> list[tuple[date, date, int]]:
        """(first_week, last_week, file_id) of everything that landed, by file."""
        rows = self._rows("select first_week, last_week, file_id from touches order by file_id, first_week, last_week")
        return [
            (date.fromisoformat(row["first_week"]), date.fromisoformat(row["last_week"]), int(row["file_id"]))
            for row in rows
        ]

    def calendar(self, subject: str) -> tuple[str, int] | None:
        """The time zone and the hours from E to A by which weeks have `landed`, or are `published`; None if unknown."""
        rows = self._rows("select * from calendars where subject = ?", (subject,)) if self._has("calendars") else []
        return (rows[0]["reporting_timezone"], rows[0]["calculation_offset_hours"]) if rows else None

    def _has(self, table: str) -> bool:
        """Whether there is the table, which a ledger of an earlier release that is only read may lack."""
        return bool(self._rows("select 1 from sqlite_master where name = ?", (table,)))

    def keep_calendar(self, subject: str, calendar: tuple[str, int]) -> None:
        """From now on the weeks have landed, or are published, by this time zone and these hours."""
        with self._change() as db:
            db.execute("insert or replace into calendars values (?, ?, ?)", (subject, *calendar))

    def rename_weeks(
        self, weeks: Mapping[int, tuple[Mapping[date, int], Sequence[Touch]]], calendar: tuple[str, int]
    ) -> None:
        """file_id -> its records by week, and the weeks that read them: all of them anew, by another calendar."""
        with self._change() as db:
            db.execute("delete from event_weeks")
            db.execute("delete from touches")
            for file_id, (rows, touches) in weeks.items():
                _insert_weeks(db, file_id, rows, touches)
            db.execute("insert or replace into calendars values ('landed', ?, ?)", calendar)

    def keep_unmoved(self, weeks: Iterable[tuple[date, str, str]]) -> None:
        """(week, build_id, fingerprint): all weeks whose build comes out the same from other records than it was of."""
        with self._change() as db:
            db.execute("delete from unmoved")
            db.executemany("insert into unmoved values (?, ?, ?)", [(w.isoformat(), *marks) for w, *marks in weeks])

    def unmoved(self) -> dict[date, tuple[str, str]]:
        """Week -> (build_id, fingerprint): the build comes out the same from the records of this fingerprint."""
        rows = self._rows("select * from unmoved") if self._has("unmoved") else []
        return {date.fromisoformat(row["week_start"]): (row["build_id"], row["fingerprint"]) for row in rows}

    def record_attempts(self, attempts: Iterable[tuple[date, str, str, datetime, str]]) -> None:
        """(week, fingerprint, run_id, when, rules that withheld it, comma-separated or '') of finished weeks."""
        with self._change() as db:
            db.executemany(
                "insert or replace into attempts values (?, ?, ?, ?, ?)",
                [
                    (week.isoformat(), mark, run_id, when.isoformat(sep=" "), rules)
                    for week, mark, run_id, when, rules in attempts
                ],
            )

    def void_attempts(self, weeks: Iterable[date]) -> None:
        """Let the last attempts of these weeks say nothing any more: what they were judged by has changed."""
        with self._change() as db:
            db.executemany(
                "update attempts set fingerprint = '', withheld_by = '' where week_start = ?",
                [(week.isoformat(),) for week in weeks],
            )

    def attempts(self) -> dict[date, dict[str, Any]]:
        """The last finished attempt of every week that was ever tried."""
        return {date.fromisoformat(row["week_start"]): row for row in self._rows("select * from attempts order by 1")}


def _insert_weeks(db: sqlite3.Connection, file_id: int, rows: Mapping[date, int], touches: Sequence[Touch]) -> None:
    db.executemany(
        "insert into event_weeks values (?, ?, ?)",
        [(file_id, week.isoformat(), count) for week, count in rows.items()],
    )
    _insert_touches(db, file_id, touches)


def _insert_touches(db: sqlite3.Connection, file_id: int, touches: Iterable[Touch]) -> None:
    db.executemany(
        "insert into touches values (?, ?, ?, ?)",
        [(file_id, t.first_week.isoformat(), t.last_week.isoformat(), t.rows) for t in touches],
    )
