"""What the ingest's tests share: a small home, rows of every source, and files in every format."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.landing import IngestContext, ingest_source
from orchestration.ingest.ledger import FileRecord, Ledger
from orchestration.limits import DEFAULT_INPUT_LIMITS, DEFAULT_LIMITS

FORMATS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".jsonl.zst")
NOW = datetime(2024, 9, 1)
Row = dict[str, Any]
#: Reads what has landed: one for all tests, because a new engine costs more than what it reads. It remembers no file,
#: because homes have files of the same name one after the other.
_ENGINE = duckdb.connect(config={"enable_external_file_cache": False})

_BASE: dict[str, Row] = {
    "oms_logs": {
        "log_id": "L1",
        "logged_at": "2024-08-07 10:00:00",
        "event_name": "order_create",
        "request_id": "R1",
        "oms_client": "unicart",
        "seller_id": "S1",
        "sub_order_id": "SO1",
        "flow": "acceptance",
        "channel": "oms",
        "call_status": "success",
        "attempt": "1",
    },
    "seller_orders": {
        "sub_order_id": "SO1",
        "order_id": "O1",
        "seller_id": "S1",
        "sku_id": "K1",
        "shipment_type": "drop_shipping",
        "quantity": "1",
        "item_value": "10.50",
        "ordered_at": "2024-08-07 10:00:00",
        "shipped_at": None,
        "cancelled_at": None,
        "cancelled_by": None,
        "cancellation_reason": None,
        "promised_ship_at": None,
        "updated_at": "2024-08-07 10:00:00",
    },
    "packages": {"package_id": "P1", "order_id": "O1", "seller_id": "S1", "shipped_at": "2024-08-07 10:00:00"},
    "sellers": {
        "seller_id": "S1",
        "seller_name": "One",
        "mall_segment": "anchor",
        "is_cross_border": "false",
        "onboarded_at": "2024-01-01",
        "weekend_days": "sun",
        "updated_at": "2024-08-07 10:00:00",
    },
    "claims": {
        "claim_id": "C1",
        "sub_order_id": "SO1",
        "raised_at": "2024-08-07 10:00:00",
        "verdict": None,
        "updated_at": "2024-08-07 10:00:00",
    },
    "tickets": {
        "ticket_id": "T1",
        "seller_id": "S1",
        "channel": "seller_panel",
        "raised_at": "2024-08-07 10:00:00",
        "resolved_at": None,
        "updated_at": "2024-08-07 10:00:00",
    },
    "inventory_snapshots": {
        "snapshot_at": "2024-08-07 10:00:00",
        "seller_id": "S1",
        "sku_id": "K1",
        "system": "oms",
        "quantity": "3",
    },
    "products": {
        "sku_id": "K1",
        "seller_id": "S1",
        "listed_at": "2024-08-01",
        "logo_image_status": "accurate",
        "updated_at": "2024-08-07 10:00:00",
    },
}


def row(source: str, **values: Any) -> Row:
    """A sound record of a source, with these values changed."""
    return {**_BASE[source], **values}


def logs(*ids: str, **values: Any) -> list[Row]:
    """Sound log records with these ids."""
    return [row("oms_logs", log_id=log_id, **values) for log_id in ids]


def without(record: Row, *names: str) -> Row:
    """The record without some of its columns."""
    return {name: value for name, value in record.items() if name not in names}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """CSV with a header; None is an empty value."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object per line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in rows).encode()


def as_parquet(rows: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType] | None = None) -> bytes:
    """Parquet; a column is text unless `types` says otherwise."""
    columns = {
        name: pa.array([record[name] for record in rows], (types or {}).get(name, pa.string())) for name in rows[0]
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def encoded(rows: Sequence[Mapping[str, Any]], ending: str) -> bytes:
    """The rows as a file of a format, by its ending."""
    if ending == ".parquet":
        return as_parquet(rows)
    content = as_csv(rows) if ending.startswith(".csv") else as_jsonl(rows)
    if ending.endswith(".gz"):
        return gzip.compress(content)
    return zstd(content) if ending.endswith(".zst") else content


def zstd(content: bytes) -> bytes:
    """The content, compressed."""
    return bytes(pa.compress(content, "zstd", asbytes=True)) if not content else _zstd_frame(content)


def _zstd_frame(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


class Place:
    """A home for one test."""

    def __init__(self, folder: Path, zone: str = "UTC", offset_hours: int = 3) -> None:
        self.home = Home.of(folder)
        self.home.inbox.mkdir(parents=True)
        self.zone, self.offset_hours = zone, offset_hours
        self.limits, self.input_limits = DEFAULT_LIMITS, DEFAULT_INPUT_LIMITS
        self.runs = 0

    def put(self, path: str, content: bytes | Sequence[Mapping[str, Any]]) -> Path:
        """A file under the inbox; rows are written in the format of its name."""
        file = self.home.inbox / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            ending = next(ending for ending in sorted(FORMATS, key=len, reverse=True) if path.endswith(ending))
            content = encoded(content, ending)
        file.write_bytes(content)
        return file

    def adapter(self, path: str, sql: str) -> Path:
        """An adapter `<source>/<name>.sql`."""
        file = self.home.adapters / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sql)
        return file

    def ingest(self, source: str, now: datetime = NOW, published: Iterable[date] = ()) -> list[FileRecord]:
        """Run the ingest of a source; every file must reconcile with what lies in landing and quarantine."""
        self.runs += 1
        context = IngestContext(
            *(f"run-{self.runs}", now, self.zone, self.offset_hours, frozenset(published)),
            limits=self.limits,
            input_limits=self.input_limits,
        )
        files = ingest_source(self.home, SOURCES_BY_NAME[source], context)
        landed = _rows_by_file(sorted((self.home.landing / source).glob("*/*.parquet")))
        rejected = _rows_by_file(sorted((self.home.quarantine / source).glob("*.parquet")))
        for file in files:
            assert file.unreconciled == 0, file
            assert (file.landed, file.quarantined) == (landed[file.file_id], rejected[file.file_id]), file
        return files

    def only(self, source: str) -> FileRecord:
        """Run the ingest; there must be one new file."""
        (file,) = self.ingest(source)
        return file

    def landed(self, source: str) -> list[Row]:
        """Landed records that the ledger knows: file by file, week by week, in the order in which they came."""
        with Ledger(self.home.ledger, read_only=True) as ledger:
            paths = [self.home.landing / source / part["path"] for part in ledger.partitions(source)]
        return _read(paths, "parse_filename(filename), file_row_number")

    def rejected(self, source: str) -> list[Row]:
        """Records in quarantine."""
        return _read(sorted((self.home.quarantine / source).glob("*.parquet")), "_file_id, row_number")

    def ids(self, source: str) -> list[str]:
        """The first key column of what landed, in the order in which it came."""
        return [record[SOURCES_BY_NAME[source].key[0]] for record in self.landed(source)]

    def reasons(self, source: str) -> list[str]:
        """The reasons of what is in quarantine, in the order in which it came."""
        return [record["reason"] for record in self.rejected(source)]

    def failures(self) -> dict[str, str]:
        """Path -> reason of the files that can't be read."""
        with Ledger(self.home.ledger, read_only=True) as ledger:
            return {file["path"]: file["error"] for file in ledger.files(status="failed")}

    def orphans(self, source: str) -> set[str]:
        """Landed files that the ledger doesn't know."""
        with Ledger(self.home.ledger, read_only=True) as ledger:
            known = {part["path"] for part in ledger.partitions(source)}
        folder = self.home.landing / source
        return {str(file.relative_to(folder)) for file in folder.glob("*/*.parquet")} - known

    def touched(self, source: str, published: Iterable[date], **options: Any) -> set[date]:
        """Run the ingest: which of these weeks read something new in it."""
        touches = [touch for file in self.ingest(source, **options) for touch in file.touches]
        assert all(touch.first_week <= touch.last_week for touch in touches)
        return {week for week in published for touch in touches if touch.first_week <= week <= touch.last_week}


def _read(files: Sequence[Path], order: str) -> list[Row]:
    return _select(f"* from {{files}} order by {order}", files)


def _rows_by_file(files: Sequence[Path]) -> Counter[int]:
    """File id -> records in its Parquet files, which are named by it."""
    rows = _select("parse_filename(filename)[:8]::int as file, count(*) as rows from {files} group by 1", files)
    return Counter({row["file"]: row["rows"] for row in rows})


def _select(query: str, files: Sequence[Path]) -> list[Row]:
    if not files:
        return []
    read = "read_parquet(?, hive_partitioning = false, union_by_name = true)"
    with _ENGINE.cursor() as cursor:
        cursor.execute(f"select {query.format(files=read)}", [[glob.escape(str(file)) for file in files]])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
