"""What is said about a file that can't be read: the row, the line, the names, and what to do."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.ingest.archives import unpack
from orchestration.ingest.parquet_files import has_page_checksums
from orchestration.ingest.unreadable import UnreadableFileError
from tests.ingest.ingest_kit import Place, as_csv, as_jsonl, row, zstd

ROWS = [row("packages", package_id=f"P{number}") for number in range(1, 6)]
TABLE, LINES = as_csv(ROWS), as_jsonl(ROWS)
HEADER, *RECORDS = TABLE.splitlines(keepends=True)
WIDE = HEADER.replace(b"\n", b",retry\n")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home")


def crlf(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TABLE.replace(b"P3,", b"P3,x,"), "row 4 has 5 values, the header 4"),
        (TABLE.replace(b"P3,", b""), "row 4 has 3 values, the header 4"),
        (TABLE + b"\n\nP6\n", "row 9 has 1 values, the header 4"),
        (TABLE.replace(b"P2,", b'"P\n2",') + RECORDS[0] + b"x\n", "row 8 has 1 values, the header 4"),
        (TABLE + RECORDS[0] * 40_000 + b"a,b\n", "row 40007 has 2 values, the header 4"),
        # the engine takes empty values at the end of a row, however many
        (TABLE.replace(b":00\n", b":00,\n", 1), "row 2 has 5 values, the header 4"),
        (crlf(TABLE).replace(b":00\r\nP4", b":00,,\r\nP4", 1), "row 4 has 6 values, the header 4"),
        (TABLE[:-1] + b',""', "row 6 has 5 values, the header 4"),
        (WIDE + TABLE.replace(HEADER, b"").replace(b":00\n", b":00,\n", 1), "row 3 has 4 values, the header 5"),
        (crlf(HEADER) + RECORDS[0], "row 2 ends in LF, row 1 in CRLF"),
        (crlf(HEADER + RECORDS[0] * 30_000) + RECORDS[0], "row 30002 ends in LF, row 1 in CRLF"),
        (HEADER + crlf(RECORDS[0]), "row 2 ends in CRLF, row 1 in LF"),
        (TABLE.replace(b"S1", b"S\r1", 1), "row 2 ends in CR, row 1 in LF"),
        (b"\r\n" + TABLE, "row 2 ends in LF, row 1 in CRLF"),
        (codecs.BOM_UTF8 + b"\r\n\n" + TABLE, "row 2 ends in LF, row 1 in CRLF"),
        (TABLE.replace(b"P3", b'"P3'), "row 4 has a quote that isn't closed, or something behind a closing quote"),
        (TABLE.replace(b"P3", b'"P"3'), "row 4 has a quote that isn't closed, or something behind a closing quote"),
        (TABLE.replace(b"P3", b"\xe9"), "row 4 is not UTF-8"),
        (TABLE.replace(b"order_id", b"\xe9"), "row 1 is not UTF-8"),
        (TABLE.replace(b"P3", b"x" * 2_100_000), "row 4 is longer than 2 MB"),
        (TABLE.replace(b",", b";"), "its values are parted by semicolons instead of commas"),
        (TABLE.replace(b",", b"\t"), "its values are parted by tabs instead of commas"),
        (TABLE.replace(b",", b"|"), "its values are parted by vertical bars instead of commas"),
        (TABLE.decode().encode("utf-16"), "it is UTF-16: save it as UTF-8"),
        (TABLE.decode().encode("utf-16-le"), "it is UTF-16: save it as UTF-8"),
        (TABLE.decode().encode("utf-16-be"), "it is UTF-16: save it as UTF-8"),
        (b"", "it is empty: there is no header"),
        (b"\r\n\r\n", "it is empty: there is no header"),
        (
            TABLE.replace(HEADER, b""),
            "required column missing: package_id, order_id, seller_id, shipped_at; the file has: P1",
        ),
    ],
)
def test_csv(place: Place, content: bytes, said: str) -> None:
    place.put("packages/a.csv", content)
    assert str(place.only("packages").error).startswith(said)
    assert place.landed("packages") == []


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        crlf(TABLE),
        TABLE.replace(b"\n", b"\r"),
        b"\n\n" + TABLE,
        crlf(b"\n" + TABLE),
        TABLE.replace(b"P3", b'"P3"'),
        codecs.BOM_UTF8 + TABLE,
        2 * codecs.BOM_UTF8 + TABLE,
        3 * codecs.BOM_UTF8 + TABLE,
        codecs.BOM_UTF8 + b"\n" + TABLE,
        TABLE.replace(b"\n", b",\n"),  # a column without a name
        WIDE + b"".join(record.replace(b"\n", b",\n") for record in RECORDS),
        WIDE + b"".join(record.replace(b"\n", b',""\n') for record in RECORDS),
    ],
)
def test_csv_that_lands(place: Place, content: bytes) -> None:
    place.put("packages/a.csv", content)
    file = place.only("packages")
    assert (file.error, place.ids("packages")) == (None, ["P1", "P2", "P3", "P4", "P5"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"package_id"\n' + LINES, "line 1 is no JSON record: unexpected end of data"),
        (LINES + b'{"package_id": }\n', "line 6 is no JSON record: unexpected character"),
        (b"\n \n" + LINES + b"\n{}x\n" + LINES, "line 9 is no JSON record: unexpected content after document"),
        (LINES * 8000 + b"{\n" + LINES, "line 40001 is no JSON record: unexpected end of data"),
        (b"[" + LINES, "line 1 is no JSON record: "),
        (LINES + b'{"package_id": "\xe9"}\n', "line 6 is no JSON record: invalid UTF-8"),
        (codecs.BOM_UTF8 + LINES, "line 1 is no JSON record: byte order mark"),
        (LINES.decode().encode("utf-16"), "it is UTF-16: save it as UTF-8"),
    ],
)
def test_json(place: Place, content: bytes, said: str) -> None:
    place.put("packages/a.jsonl", content)
    assert str(place.only("packages").error).startswith(said)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv.gz", gzip.compress(TABLE, mtime=0)[:-4], "broken gzip: Truncated compressed stream"),
        ("a.csv.gz", gzip.compress(TABLE.replace(b"P3", b"\xe9"), mtime=0), "row 4 is not UTF-8"),
        ("a.jsonl.gz", gzip.compress(LINES + b"{\n", mtime=0), "line 6 is no JSON record"),
        ("a.jsonl.zst", zstd(LINES)[:-4], "broken zstd: Truncated compressed stream"),
    ],
)
def test_archives(place: Place, name: str, content: bytes, said: str) -> None:
    place.put(f"packages/{name}", content)
    assert str(place.only("packages").error).startswith(said)


#: One block as it is, and a checksum behind it; made with `zstd --check`.
FRAME = bytes.fromhex("28b52ffd0400890000") + b'{"log_id": "L1"}\n' + bytes.fromhex("9105e65e")


def test_a_zstandard_frame_with_a_checksum_is_checked(tmp_path: Path) -> None:
    for content, is_sound in ((FRAME, True), (FRAME.replace(b"L1", b"L9"), False)):
        (tmp_path / "archive").write_bytes(content)
        if is_sound:
            unpack(tmp_path / "archive", "zstd", tmp_path / "unpacked")
            assert (tmp_path / "unpacked").read_bytes() == b'{"log_id": "L1"}\n'
        else:
            with pytest.raises(UnreadableFileError, match="broken zstd"):
                unpack(tmp_path / "archive", "zstd", tmp_path / "unpacked")


@pytest.mark.parametrize("has_checksums", [True, False])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_page_checksums_are_found(tmp_path: Path, has_checksums: bool, version: str, compression: str) -> None:
    table = pa.table({"package_id": [f"P{number}" for number in range(5000)]})
    options = {"compression": compression, "data_page_version": version, "write_page_checksum": has_checksums}
    for use_dictionary in (True, False):
        pq.write_table(table, tmp_path / "a.parquet", use_dictionary=use_dictionary, **options)
        column = pq.read_metadata(tmp_path / "a.parquet").row_group(0).column(0)
        first_page = column.dictionary_page_offset or column.data_page_offset
        assert has_page_checksums(tmp_path / "a.parquet", first_page) == has_checksums
