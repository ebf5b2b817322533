"""Whatever lies in the inbox: nothing ends with a traceback, nothing is lost or bent, and sound records beside it land.

Small budgets by default; `make soak` looks longer. Hypothesis prints what it found, and `@seed` repeats it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "unit"))

from orchestration.configuration import ConfigurationError, load_configuration
from orchestration.configuration.files import FILES
from orchestration.ingest.columns import BLANKS
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.model import Kind, Source
from orchestration.transform.warehouse import create_config_tables
from tests.ingest.ingest_kit import FORMATS, Place, Row, encoded, row

#: Sources of which sound records are at hand, and which between them have every kind of column.
SOURCES = ("oms_logs", "seller_orders", "packages", "sellers", "tickets", "inventory_snapshots")
NASTY = (
    *(
        "",
        " ",
        "null",
        "NULL",
        "None",
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "true",
        "[]",
        "{}",
        '""',
        "''",
        '"',
        "'",
        "\\",
        "\\N",
    ),
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1+1", "'=1"),
    *(
        "'; drop table raw; --",
        '"; select 1; --',
        "$1",
        "?",
        "{{ 1 }}",
        "{% raw %}",
        "${HOME}",
        "%s",
        "%00",
        "$(id)",
        "`id`",
    ),
    *("<script>alert(1)</script>", "</td><b>", "&amp;", "../../etc/passwd", "/etc/passwd", "a/b", "file:///etc/passwd"),
    *(
        "0",
        "-0",
        "00",
        "1.0",
        "1.5",
        "1e3",
        "1e400",
        "9" * 30,
        "-" + "9" * 400,
        "0x10",
        "1_000",
        "1,5",
        "٣",
        "１",
        ".5",
        "5.",
        "1e-400",
    ),
    *(
        "9223372036854775807",
        "9223372036854775808",
        "1E999999999",
        "0." + "0" * 400 + "1",
        "170141183460469231731687303715884105728",
    ),
    *(
        "0000-00-00",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00+14:00",
    ),
    *(
        "10000-01-01",
        "2024-02-30",
        "2024-13-01",
        "2024-08-07T24:00:00",
        "2024-08-07T23:59:60Z",
        "2024-08-07 10:00:00.123456789123",
    ),
    *(
        "2024-08-07T10:00:00+99:99",
        "2024-08-07T10:00:00+0000",
        "epoch",
        "infinity",
        "-infinity",
        "now",
        "today",
        "20240807",
        "1722988800",
    ),
    *("294247-01-10", "290309-12-22 (BC) 00:00:00", "2024-08-07T10:00:00[Europe/Berlin]", "2024-08-07T10:00:00 UTC"),
    *(
        "a\nb",
        "a\r\nb",
        "a\rb",
        "a,b",
        'a"b',
        'a""b',
        "a\u2028b",
        "\ufeffa",
        "a\u0000b",
        "\u202eabc",
        "\u200b",
        "e\u0301",
        "é",
        "🚚",
        "\U0010ffff",
    ),
    *("x" * 5000, "é" * 3000, "sun,sun,sun", "mon,tue,wed,thu,fri,sat,sun", "none,mon", "MON", " sun , sat "),
)
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=20),
    st.text(alphabet="0123456789-+:TZ. eE/", max_size=30),
    st.tuples(st.sampled_from(NASTY), st.sampled_from(NASTY)).map("".join),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str, list[Row], set[int]]:
    """A source, a format, its rows, and which of them are hostile."""
    source, ending = draw(st.sampled_from(SOURCES)), draw(st.sampled_from(FORMATS))
    columns = [column.name for column in SOURCES_BY_NAME[source].columns]
    key = SOURCES_BY_NAME[source].key[0]
    rows, hostile = [], set()
    for number in range(draw(st.integers(2, 12))):
        record = {name: row(source).get(name) for name in columns}
        record[key] = f"2024-08-05 00:00:{number:02d}" if key.endswith("_at") else f"ID{number}"
        for name in draw(st.lists(st.sampled_from(columns), max_size=3)):
            record[name] = draw(texts)
            hostile.add(number)
        rows.append(record)
    return source, ending, rows, hostile


def check_hostile_values(case: tuple[str, str, list[Row], set[int]]) -> None:
    """Everything is accounted for; sound records land as they are, texts as they came but for blanks around them."""
    source, ending, rows, hostile = case
    contract = SOURCES_BY_NAME[source]
    with TemporaryDirectory() as folder:
        place = Place(Path(folder) / "home")
        place.put(f"{source}/beside.csv", [row(source, **{contract.key[0]: _other_key(contract.key[0])})])
        place.put(f"{source}/hostile{ending}", _in_format(rows, ending))
        beside, file = place.ingest(source)
        assert beside.landed == 1
        assert (file.status, file.rows_read) == ("landed", len(rows)), file.error
        left: dict[str, list[Row]] = {}  # landed and not found among the records yet, by what is quick to look up
        for record in place.landed(source):
            left.setdefault(_looked_up(contract, record), []).append(record)
        rejected = {record["row_number"]: record for record in place.rejected(source)}
        dropped = 0
        for number, record in enumerate(rows, start=1):
            if number in rejected:
                assert number - 1 in hostile, rejected[number]
                original = json.loads(rejected[number]["original"])
                assert {name: original[name] for name in record} == _as_kept(record, ending)
                continue
            candidates = left.get(_looked_up(contract, record), [])
            found = next((place for place, lies in enumerate(candidates) if _is(contract, record, lies)), None)
            if found is None:
                dropped += 1
            else:
                del candidates[found]
        assert dropped == file.duplicates, "each record landed as it came, or was dropped as a copy"
        assert sum(map(len, left.values())) == 1, "of the file beside"


def _looked_up(contract: Source, record: Row) -> str:
    key = contract.column(contract.key[0])
    return (record[key.name] or "").strip(BLANKS) if key.kind is Kind.TEXT else ""


def _is(contract: Source, record: Row, lies: Row) -> bool:
    """Whether this is what a record should have landed as."""
    for column in contract.columns:
        came = (record[column.name] or "").strip(BLANKS)
        if (lies[column.name] is None) != (came == "") or (came and not _means(column.kind, came, lies[column.name])):
            return False
    return True


def _means(kind: Kind, came: str, lies: Any) -> bool:
    """Whether a landed value is what the text says, read by other means than the engine's."""
    match kind:
        case Kind.WHOLE:
            return Decimal(came) == lies
        case Kind.MONEY:
            return abs(Decimal(came) - lies) <= Decimal("0.005")
        case Kind.TIMESTAMP:
            if came[11:16] == "24:00":  # the end of a day is the start of the next one, which Python doesn't read
                came, lies = came.replace("24:00", "00:00"), lies - timedelta(days=1)
            instant = datetime.fromisoformat(came)
            return instant.astimezone(UTC).replace(tzinfo=None) == lies if instant.tzinfo else instant == lies
        case Kind.BOOLEAN:
            return came.lower() in ({"true", "1"} if lies else {"false", "0"})
        case Kind.WEEKDAYS:
            return {day.strip() for day in came.lower().split(",")} == set(lies.split(","))
    return bool(came == lies)


def _in_format(rows: list[Row], ending: str) -> bytes:
    """As `encoded`, but in CSV a single carriage return is quoted, too."""
    if not ending.startswith(".csv"):
        return encoded(rows, ending)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode()) if ending.endswith(".gz") else text.getvalue().encode()


def _other_key(name: str) -> str:
    return "2024-08-06 00:00:00" if name.endswith("_at") else "BESIDE"


def _as_kept(record: Row, ending: str) -> Row:
    """CSV knows no difference between an empty value and none."""
    return {name: (value or None) if "csv" in ending else value for name, value in record.items()}


def every_nasty_value(source: str, ending: str) -> tuple[str, str, list[Row], set[int]]:
    """A row for each column and nasty value; the key is another one in each."""
    contract = SOURCES_BY_NAME[source]
    columns = [column.name for column in contract.columns]
    key = contract.key[0]
    rows: list[Row] = []
    for name in columns:
        for value in NASTY:
            number = len(rows)
            record = {column: row(source).get(column) for column in columns}
            record[key] = f"2024-08-05 00:00:00.{number:06d}" if key.endswith("_at") else f"ID{number}"
            record[name] = f"{value}#{number}" if name == key and not key.endswith("_at") else value
            rows.append(record)
    return source, ending, rows, set(range(len(rows)))


ALL_PAIRS = [(source, ending) for source in SOURCES for ending in FORMATS]


@pytest.mark.parametrize(("source", "ending"), zip(SOURCES, FORMATS, strict=True))
def test_every_nasty_value_in_every_column(source: str, ending: str) -> None:
    check_hostile_values(every_nasty_value(source, ending))


@pytest.mark.soak
@pytest.mark.parametrize(("source", "ending"), ALL_PAIRS)
def test_every_nasty_value_in_every_column_and_format(source: str, ending: str) -> None:
    check_hostile_values(every_nasty_value(source, ending))


# Budgets. The seed is the same every time, so that a change is to blame for what fails.

_FIXED: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


def budget(examples: int) -> Callable[[Any], Any]:
    """As many examples, always the same ones."""
    return lambda test: seed(20261122)(settings(max_examples=examples, **_FIXED)(test))


@budget(12)
@given(files())
def test_hostile_values(case: tuple[str, str, list[Row], set[int]]) -> None:
    check_hostile_values(case)


@pytest.mark.soak
@budget(1000)
@given(files())
def test_hostile_values_for_long(case: tuple[str, str, list[Row], set[int]]) -> None:
    check_hostile_values(case)


# Bytes

Damage = list[tuple[str, float, bytes]]
damages = st.lists(
    st.tuples(
        st.sampled_from(("over", "in", "out", "twice", "cut")),
        st.floats(0, 1),
        st.one_of(st.binary(min_size=1, max_size=12), st.sampled_from([text.encode() for text in NASTY if text][:60])),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, damage: Damage) -> bytes:
    """The content with bytes overwritten, put in, taken out, repeated, or cut off, each at a part of its length."""
    for kind, part, other in damage:
        at = int(part * len(content))
        head, tail = content[:at], content[at:]
        content = {
            "over": head + other + tail[len(other) :],
            "in": head + other + tail,
            "out": head + tail[len(other) * 3 :],
            "twice": head + tail[:200] + tail,
            "cut": head,
        }[kind]
    return content


def check_damaged_bytes(source: str, ending: str, damage: Damage) -> None:
    """It lands, in parts it is quarantined, or it fails in one line; the file beside it lands, and no other is made."""
    key = SOURCES_BY_NAME[source].key[0]
    rows = [row(source, **{key: f"2024-08-05 00:00:{n:02d}" if key.endswith("_at") else f"ID{n}"}) for n in range(30)]
    with TemporaryDirectory() as folder:
        place = Place(Path(folder) / "home")
        place.put(f"{source}/a-damaged{ending}", damaged(encoded(rows, ending), damage))
        place.put(f"{source}/beside.csv", [row(source, **{key: _other_key(key)})])
        file, beside = place.ingest(source)
        assert (beside.status, beside.rows_read) == ("landed", 1), "one that is like the damaged one may be left"
        assert beside.landed + beside.duplicates + beside.quarantined == 1
        if file.status == "failed":
            assert str(file.error).isprintable()
            assert 0 < len(str(file.error)) <= 400
            assert (file.landed, file.quarantined, file.duplicates) == (0, 0, 0)
        assert [found.name for found in Path(folder).iterdir()] == ["home"]


@budget(20)
@given(st.sampled_from(SOURCES), st.sampled_from(FORMATS), damages)
def test_damaged_bytes(source: str, ending: str, damage: Damage) -> None:
    check_damaged_bytes(source, ending, damage)


@pytest.mark.soak
@budget(2000)
@given(st.sampled_from(SOURCES), st.sampled_from(FORMATS), damages)
def test_damaged_bytes_for_long(source: str, ending: str, damage: Damage) -> None:
    check_damaged_bytes(source, ending, damage)


# Names

_PIECES = (
    *(
        b"..",
        b"*",
        b"?",
        b"[a-z]",
        b"[",
        b"]",
        b"{a,b}",
        b"'",
        b'"',
        b";",
        b"--",
        b"-",
        b"\\",
        b"\n",
        b"\r",
        b"\t",
        b" ",
    ),
    *(b"~", b"$HOME", b"`id`", b"%2e%2e%2f", b"\x1b[31m", b"s3:", b"a=1", b"\xff\xfe"),
    *(text.encode() for text in ("é", "🚚", "\u202e", "\ufeff")),
)
pieces = st.one_of(st.sampled_from(_PIECES), st.binary(min_size=1, max_size=8))
names = (
    st.lists(pieces, min_size=1, max_size=6)
    .map(lambda pieces: b"".join(pieces).replace(b"/", b"").replace(b"\0", b""))
    .filter(lambda name: name and not name.startswith((b".", b"_")) and not name.endswith((b".tmp", b".part")))
)
long_names = st.integers(1, 240).map(lambda length: b"n" * length)
paths = st.lists(st.one_of(names, long_names), min_size=1, max_size=3).map(lambda parts: b"/".join(parts))


def check_names(found: list[bytes]) -> None:
    """A file lands whatever its name is, with its own records and no other's, and can be told from the others."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder) / "home")
        ids = set()
        for number, path in enumerate(found):
            file = place.home.inbox / "packages" / os.fsdecode(path + FORMATS[number % len(FORMATS)].encode())
            try:
                place.put(str(file.relative_to(place.home.inbox)), [row("packages", package_id=f"P{number}")])
            except (NotADirectoryError, FileExistsError, IsADirectoryError):
                continue  # another name is a folder of this one
            ids.add(f"P{number}")
        taken = place.ingest("packages")
        assert {file.status for file in taken} == {"landed"}
        assert set(place.ids("packages")) == ids
        assert len({file.path for file in taken}) == len(taken)
        assert place.ingest("packages") == [], "each is known by its name"
        assert [found.name for found in Path(folder).iterdir()] == ["home"]


@budget(3)
@given(st.lists(paths, min_size=30, max_size=40, unique=True))
def test_names_of_files(found: list[bytes]) -> None:
    check_names(found)


@pytest.mark.soak
@budget(100)
@given(st.lists(paths, min_size=30, max_size=40, unique=True))
def test_names_of_files_for_long(found: list[bytes]) -> None:
    check_names(found)


# Configuration


@st.composite
def configurations(draw: st.DrawFn) -> tuple[str, bytes]:
    """A configuration file: the default one with other cells, other lines, or other bytes."""
    file = draw(st.sampled_from(FILES))
    content = file.default_path.read_bytes()
    lines = [line.split(",") for line in content.decode().splitlines()]
    for _ in range(draw(st.integers(0, 3))):
        line = draw(st.integers(0, len(lines) - 1))
        cell = draw(st.integers(0, len(lines[line]) - 1))
        text = draw(texts)
        lines[line][cell] = text if draw(st.booleans()) else '"' + text.replace('"', '""') + '"'
    for _ in range(draw(st.integers(0, 2))):
        line = draw(st.integers(0, len(lines) - 1))
        lines[line : line + draw(st.integers(0, 2))] = [lines[draw(st.integers(0, len(lines) - 1))]]
    content = "\n".join(map(",".join, lines)).encode("utf-8", "surrogatepass")
    return file.name, damaged(content, draw(st.one_of(st.just([]), damages)))


def check_configuration(name: str, content: bytes) -> None:
    """It is read, and can be stored and hashed; or it is refused in lines that a terminal can show."""
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        try:
            configuration = load_configuration(Path(folder))
        except ConfigurationError as error:
            lines = str(error).splitlines()
            assert any(name in line for line in lines), lines
            assert all(line.isprintable() and len(line) < 2000 for line in lines), lines
            return
        with suppress(ConfigurationError):  # no policy or no weights for this week
            configuration.check_week(date(2026, 1, 5))
        assert len(configuration.config_hash(date(2026, 1, 5))) == 16
        with duckdb.connect() as db:
            create_config_tables(db, configuration)
            for file in FILES:
                assert db.execute(f"select count(*) from config.{file.stem}").fetchall() == [
                    (len(configuration.rows[file.stem]),)
                ]


@budget(60)
@given(configurations())
def test_configuration(case: tuple[str, bytes]) -> None:
    check_configuration(*case)


@pytest.mark.soak
@budget(10_000)
@given(configurations())
def test_configuration_for_long(case: tuple[str, bytes]) -> None:
    check_configuration(*case)
