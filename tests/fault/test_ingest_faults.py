"""Files that can't be read, and runs that are killed: named in one line, nothing lost, nothing twice."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.ingest import intake, landing, touches
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.together import land_together
from orchestration.project import PROJECT_ROOT
from tests.ingest.ingest_kit import Place, as_csv, as_jsonl, as_parquet, logs, zstd

MANY = logs(*(f"L{number:06d}" for number in range(3000)))


#: Lines of which a whole number fills a block of the compression.
ALIGNED = b"".join(as_jsonl([record]).rstrip().ljust(511) + b"\n" for record in MANY)


def zstd_blocks(frame: bytes) -> list[int]:
    """Where the blocks of a frame as pyarrow writes it (a window, no size, no checksum) end."""
    ends, position, is_last = [], 6, False
    while not is_last:
        header = int.from_bytes(frame[position : position + 3], "little")
        is_last, position = bool(header & 1), position + 3 + (header >> 3)
        ends.append(position)
    return ends


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "home")


def zipped(content: bytes) -> bytes:
    """The content as gzip, the same bytes at any time: they are part of the names of tests."""
    return gzip.compress(content, mtime=0)


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def flipped(content: bytes, at: float) -> bytes:
    """The content with some bytes in its middle turned over."""
    start = int(len(content) * at)
    return content[:start] + bytes(byte ^ 0xFF for byte in content[start : start + 64]) + content[start + 64 :]


def stored(content: bytes) -> bytes:
    """The content as gzip, not compressed."""
    return gzip.compress(content, compresslevel=0, mtime=0)


def with_page_checksums() -> bytes:
    """Parquet in which values lie as they are, with a checksum for each page."""
    sink = pa.BufferOutputStream()
    table = pa.table({name: [record[name] for record in MANY] for name in MANY[0]})
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def without_checksum(content: bytes) -> bytes:
    return content[:-8]


BROKEN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "truncated parquet": (".parquet", lambda: cut(as_parquet(MANY))),
    "parquet with a broken page": (".parquet", lambda: flipped(as_parquet(MANY), 0.05)),
    "parquet with a broken footer": (".parquet", lambda: as_parquet(MANY)[:-8] + b"\xff\xff\xff\0PAR1"),
    "parquet that is text": (".parquet", lambda: as_csv(MANY)),
    "empty parquet": (".parquet", lambda: b""),
    "short parquet": (".parquet", lambda: b"PAR1PAR1"),
    "truncated gzip of csv": (".csv.gz", lambda: cut(zipped(as_csv(MANY)))),
    "truncated gzip of json": (".jsonl.gz", lambda: cut(zipped(as_jsonl(MANY)))),
    "gzip that breaks off at the end of a line": (".jsonl.gz", lambda: without_checksum(zipped(as_jsonl(MANY)))),
    "gzip of csv that breaks off at the end of a line": (
        ".csv.gz",
        lambda: without_checksum(zipped(as_csv(MANY))),
    ),
    "gzip with broken bytes": (".csv.gz", lambda: flipped(zipped(as_csv(MANY)), 0.5)),
    "gzip of json with broken bytes": (".jsonl.gz", lambda: flipped(zipped(as_jsonl(MANY)), 0.5)),
    "gzip that is text": (".csv.gz", lambda: as_csv(MANY)),
    "gzip of json that is text": (".jsonl.gz", lambda: as_jsonl(MANY)),
    "gzip of nothing at all": (".csv.gz", lambda: b""),
    "gzip with another checksum": (
        ".csv.gz",
        lambda: zipped(as_csv(MANY))[:-8] + b"\0" * 4 + zipped(as_csv(MANY))[-4:],
    ),
    "gzip with another length": (".jsonl.gz", lambda: zipped(as_jsonl(MANY))[:-1] + b"\1"),
    "gzip with an altered byte that still unpacks": (".csv.gz", lambda: stored(as_csv(MANY)).replace(b"R1", b"R9", 1)),
    "gzip with something behind": (".csv.gz", lambda: zipped(as_csv(MANY)) + b"garbage"),
    "gzip whose second member breaks off": (".csv.gz", lambda: zipped(as_csv(MANY)) + cut(zipped(as_csv(MANY)))),
    "zstandard with something behind": (".jsonl.zst", lambda: zstd(ALIGNED) + b"garbage"),
    "parquet with an altered page": (".parquet", lambda: with_page_checksums().replace(b"L000007", b"L000009", 1)),
    "truncated zstandard": (".jsonl.zst", lambda: cut(zstd(as_jsonl(MANY)))),
    "zstandard that breaks off at the end of a line": (
        ".jsonl.zst",
        lambda: zstd(ALIGNED)[: zstd_blocks(zstd(ALIGNED))[1]],
    ),
    "zstandard without its last byte": (".jsonl.zst", lambda: zstd(ALIGNED)[:-1]),
    "one whole zstandard frame and a half": (".jsonl.zst", lambda: zstd(ALIGNED) + cut(zstd(ALIGNED))),
    "zstandard with broken bytes": (".jsonl.zst", lambda: flipped(zstd(as_jsonl(MANY)), 0.5)),
    "zstandard that is text": (".jsonl.zst", lambda: as_jsonl(MANY)),
    "csv that is not utf-8": (".csv", lambda: as_csv(logs("L1", failure_reason="é")).decode().encode("latin-1")),
    "csv in utf-16": (".csv", lambda: as_csv(logs("L1")).decode().encode("utf-16")),
    "json that is not utf-8": (".jsonl", lambda: as_jsonl(logs("L1", failure_reason="é")).decode().encode("latin-1")),
    "json in utf-16": (".jsonl", lambda: as_jsonl(logs("L1")).decode().encode("utf-16")),
    "malformed json line": (".jsonl", lambda: as_jsonl(MANY) + b'{"log_id": "L9", "seller_id"\n'),
    "json that is cut": (".jsonl", lambda: cut(as_jsonl(logs("L1")))),
    "json with something behind a record": (".jsonl", lambda: as_jsonl(logs("L1")).rstrip() + b" x\n"),
    "json that is csv": (".jsonl", lambda: as_csv(MANY)),
    "csv that is json": (".csv", lambda: as_jsonl(MANY)),
    "csv row with too many values": (".csv", lambda: as_csv(MANY) + b"a" + b",b" * 40 + b"\n"),
    "csv row with too few values": (".csv", lambda: as_csv(MANY) + b"a,b\n"),
    "csv with an open quote": (".csv", lambda: as_csv(MANY) + b'"L9,2024'),
    "csv parted by semicolons": (".csv", lambda: as_csv(MANY).replace(b",", b";")),
    "csv parted by tabs": (".csv", lambda: as_csv(MANY).replace(b",", b"\t")),
    "csv without header": (".csv", lambda: as_csv(MANY).split(b"\n", 1)[1]),
    "empty csv": (".csv", lambda: b""),
    "csv of a line feed": (".csv", lambda: b"\n"),
    "csv with a column twice": (".csv", lambda: b"channel,log_id,log_id\noms,a,b\n"),
    "binary": (".csv", lambda: bytes(range(256)) * 50),
    "zeros": (".csv", lambda: b"\0" * 5000),
    "zeros as json": (".jsonl", lambda: b"\0" * 5000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_its_reason_and_others_land(place: Place, name: str) -> None:
    ending, content = BROKEN[name]
    place.put("oms_logs/a.csv", logs("A1"))
    place.put(f"oms_logs/b{ending}", content())
    place.put("oms_logs/c.csv", logs("C1"))
    _, broken, _ = place.ingest("oms_logs")
    assert place.ids("oms_logs") == ["A1", "C1"]
    assert broken.status == "failed"
    assert (broken.rows_read, broken.landed, broken.duplicates, broken.reasons, broken.touches) == (0, 0, 0, {}, [])
    reason = place.failures()[f"b{ending}"]
    assert 8 < len(reason) <= 420
    for noise in ("\n", ".scratch", "Traceback", "LINE 1", str(place.home.root)):
        assert noise not in reason
    assert place.orphans("oms_logs") == set()
    assert place.rejected("oms_logs") == []
    assert list(place.home.scratch.glob("file-*")) == []


@pytest.mark.parametrize("seed", range(12))
def test_a_parquet_file_with_broken_bytes_anywhere_never_lands_in_part(place: Place, seed: int) -> None:
    content = as_parquet(MANY)
    place.put("oms_logs/a.parquet", flipped(content, seed / 12))
    file = place.only("oms_logs")
    assert file.landed in (0, len(MANY)) or file.rows_read == file.landed + file.quarantined + file.duplicates
    if file.status == "failed":
        assert place.ids("oms_logs") == []


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".csv", as_csv(logs("L1")).split(b"\n")[0] + b"\n"),
        (".csv", as_csv(logs("L1")).split(b"\n")[0]),
        (".csv.gz", zipped(as_csv(logs("L1")).split(b"\n")[0] + b"\n")),
        (".jsonl", b""),
        (".jsonl", b"\n\n"),
        (".jsonl.gz", zipped(b"")),
        (".parquet", as_parquet(logs("L1"))[:0] or None),
    ],
)
def test_a_file_without_records_is_read(place: Place, ending: str, content: bytes | None) -> None:
    if content is None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        (place.home.inbox / "oms_logs").mkdir()
        pq.write_table(
            pa.table({name: pa.array([], pa.string()) for name in logs("L1")[0]}),
            place.home.inbox / "oms_logs/a.parquet",
        )
    else:
        place.put(f"oms_logs/a{ending}", content)
    file = place.only("oms_logs")
    assert (file.status, file.error, file.rows_read, file.partitions, file.touches) == ("landed", None, 0, [], [])
    assert place.ingest("oms_logs") == []


@pytest.mark.parametrize("end", [b"", zstd(as_jsonl(logs("L1"))), bytes.fromhex("502a4d1803000000616263")])
def test_a_zstandard_file_of_several_frames_is_whole(place: Place, end: bytes) -> None:
    place.put("oms_logs/a.jsonl.zst", zstd(ALIGNED) + end)
    file = place.only("oms_logs")
    assert (file.status, file.landed) == ("landed", len(MANY) + (1 if b"(" in end[:1] else 0))


def test_a_failed_file_is_tried_again_when_it_changes(place: Place) -> None:
    place.put("oms_logs/a.csv", b"no,header\n1,2\n")
    assert place.only("oms_logs").status == "failed"
    assert place.ingest("oms_logs") == []
    place.put("oms_logs/a.csv", logs("L1"))
    assert place.only("oms_logs").landed == 1
    assert place.failures() == {}


def test_a_failed_file_is_forgotten_when_it_is_moved_away(place: Place) -> None:
    file = place.put("oms_logs/a.csv", b"")
    place.ingest("oms_logs")
    assert list(place.failures()) == ["a.csv"]
    file.unlink()
    assert place.ingest("oms_logs") == []
    assert place.failures() == {}


def test_a_landed_file_that_breaks_keeps_what_landed(place: Place) -> None:
    place.put("oms_logs/a.csv", logs("L1"))
    place.ingest("oms_logs")
    place.put("oms_logs/a.csv", b"\xff")
    assert place.only("oms_logs").status == "failed"
    assert (place.ids("oms_logs"), list(place.failures())) == (["L1"], ["a.csv"])
    place.put("oms_logs/a.csv", logs("L1", "L2"))
    assert (place.only("oms_logs").landed, place.failures()) == (1, {})


def test_a_file_that_goes_away_before_it_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = place.put("oms_logs/a.csv", logs("L1"))
    place.put("oms_logs/b.csv", logs("L2"))

    def late(*arguments: Any) -> object:
        gone.unlink(missing_ok=True)
        return land_together(*arguments)

    monkeypatch.setattr(landing, "land_together", late)
    assert [file.status for file in place.ingest("oms_logs")] == ["failed", "landed"]
    assert (place.ingest("oms_logs"), place.failures()) == ([], {})


@pytest.mark.parametrize("error", [duckdb.IOException("No space left on device"), duckdb.InternalException("bug")])
def test_what_is_wrong_with_the_machine_is_not_held_against_the_file(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: duckdb.Error
) -> None:
    place.put("oms_logs/a.csv", logs("L1"))

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.ingest.readers._read_csv", fail)
        with pytest.raises(type(error)):
            place.ingest("oms_logs")
    with monkeypatch.context() as patch:
        patch.setattr(intake.Intake, "_judge", fail)
        with pytest.raises(type(error)):
            place.ingest("oms_logs")
    assert place.failures() == {}
    assert place.only("oms_logs").landed == 1


def test_landing_that_is_damaged_is_not_held_against_a_new_file(place: Place) -> None:
    place.put("oms_logs/a.csv", logs("L1"))
    place.ingest("oms_logs")
    (landed,) = (place.home.landing / "oms_logs").glob("*/*.parquet")
    content = landed.read_bytes()
    landed.unlink()
    place.put("oms_logs/b.csv", logs("L1"))
    with pytest.raises(duckdb.Error):
        place.ingest("oms_logs")
    landed.write_bytes(content)
    assert (place.only("oms_logs").duplicates, place.failures()) == (1, {})


class TestKilled:
    BAD = (*logs("L9", attempt="0"), *logs("L8", logged_at="2024-06-01"))

    @pytest.mark.parametrize("files_before", [0, 1])
    def test_between_landing_and_ledger(self, place: Place, monkeypatch: pytest.MonkeyPatch, files_before: int) -> None:
        for number in range(files_before):
            place.put(f"oms_logs/0{number}.csv", logs("L0"))
        place.put("oms_logs/a.csv", [*logs("L1", "L2"), *self.BAD])
        place.put("oms_logs/b.csv", logs("L2", "L3"))
        record = Ledger.record

        def die(self: Ledger, file: object) -> None:
            if file.path == "a.csv":  # type: ignore[attr-defined]
                raise KeyboardInterrupt
            record(self, file)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "record", die)
            with pytest.raises(KeyboardInterrupt):
                place.ingest("oms_logs")
        assert len(place.orphans("oms_logs")) == 2
        assert len(place.ids("oms_logs")) == files_before
        first, second = place.ingest("oms_logs")
        assert (first.landed, first.quarantined, second.landed, second.duplicates) == (3, 1, 1, 1)
        self.assert_whole(place)

    def test_and_the_file_is_gone_when_it_comes_back(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        file = place.put("oms_logs/a.csv", [*logs("L1"), *self.BAD])
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "record", self.interrupt)
            with pytest.raises(KeyboardInterrupt):
                place.ingest("oms_logs")
        file.unlink()
        place.put("oms_logs/b.csv", logs("L1", request_id="other"))
        assert place.only("oms_logs").landed == 1
        assert place.rejected("oms_logs") == []
        self.assert_whole(place)

    @pytest.mark.parametrize("step", ["_judge", "_reject", "put_into_landing", "_find_touched_weeks"])
    def test_at_any_step(self, place: Place, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        place.put("oms_logs/a.csv", [*logs("L1", "L1"), *self.BAD])
        with monkeypatch.context() as patch:
            patch.setattr(intake.Intake, step, self.interrupt)
            with pytest.raises(KeyboardInterrupt):
                place.ingest("oms_logs")
        file = place.only("oms_logs")
        assert (file.landed, file.duplicates, file.quarantined) == (2, 1, 1)
        self.assert_whole(place)

    def test_with_kill_minus_nine(self, place: Place, tmp_path: Path) -> None:
        """Killed again and again, wherever it is; the last run ends with what one undisturbed run would have."""
        for number in range(12):
            ids = [f"L{row}" for row in range(number * 50, number * 50 + 60)]
            place.put(f"oms_logs/{number:02d}.csv", [*logs(*ids), *logs(f"bad{number}", attempt="0")])
        script = (
            "import sys; from datetime import datetime; from pathlib import Path\n"
            "from orchestration.ingest.contracts import OMS_LOGS\n"
            "from orchestration.ingest.landing import IngestContext, ingest_source\n"
            "from orchestration.home.layout import Home\n"
            "say = lambda file: print(file.path, flush=True)\n"
            "context = IngestContext('r', datetime(2024, 9, 1), 'UTC', 3)\n"
            f"ingest_source(Home.of({str(place.home.root)!r}), OMS_LOGS, context, say)\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
        for round_ in range(6):
            process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment)
            assert process.stdout
            process.stdout.readline()  # one more file is done
            time.sleep(0.013 * round_)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        place.ingest("oms_logs")
        assert sorted(place.ids("oms_logs")) == sorted(f"L{number}" for number in range(610))
        assert len(place.rejected("oms_logs")) == 12
        self.assert_whole(place)

    def test_while_it_writes_to_the_ledger(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """The ledger takes a file with everything that belongs to it, or not at all."""
        place.put("oms_logs/a.csv", [*logs("L1"), *self.BAD])

        class Interrupted(list):  # type: ignore[type-arg]
            def __iter__(self):  # type: ignore[no-untyped-def]
                raise KeyboardInterrupt

        find = touches.touched_weeks

        def poison(*arguments: Any) -> dict[int, Interrupted]:
            return {file_id: Interrupted(found) for file_id, found in find(*arguments).items()}

        with monkeypatch.context() as patch:
            patch.setattr(touches, "touched_weeks", poison)
            with pytest.raises(KeyboardInterrupt):
                place.ingest("oms_logs")
        assert place.ids("oms_logs") == []
        assert place.only("oms_logs").landed == 2
        self.assert_whole(place)

    @staticmethod
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    @staticmethod
    def assert_whole(place: Place) -> None:
        """No landed file that the ledger doesn't know, none that it misses, no record twice."""
        assert place.orphans("oms_logs") == set()
        ids = place.ids("oms_logs")
        assert len(ids) == len(set(ids))
        assert place.ingest("oms_logs") == []
        with Ledger(place.home.ledger, read_only=True) as ledger:
            counted = sum(file["landed"] for file in ledger.files())
            assert counted == len(ids) == sum(part["rows"] for part in ledger.partitions("oms_logs"))
            assert sum(file["quarantined"] for file in ledger.files()) == len(place.rejected("oms_logs"))
