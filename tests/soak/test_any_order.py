"""Whatever the batches in which records come, and whatever is computed in between, the same tables are published.

What must not matter: the order of files, their names and times, whether they are split, how many runs there are between
them, and whether these name weeks or take what is new or due. What the specification lets matter, and is kept alike:

- A source counts as present from its first file on, also for weeks without a record of it: the first batch has a file
  of each.
- A record that is rejected makes no published week due, so the share of rejected ones in a verdict is that of the
  build: the sample has none.
- A verdict is a matter of its time: a week that passed with half of its records stays published when the rest would
  have withheld it. The sample passes as a whole.
- The list of builds, and of what later builds changed, is history, and left out.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from orchestration.sample import write_sample
from tests.conftest import run
from tests.ingest import test_ingest_orders as orders
from tests.soak.campaign import REPORT, SEED, State, differing, files_of, numbers

pytestmark = pytest.mark.soak

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
_HISTORY = {"publication", "fct_restatement"}
EXAMPLES = int(os.environ.get("SOAK_EXAMPLES") or 6)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks that come and are computed at once."""
    home = tmp_path_factory.mktemp("whole") / "home"
    write_sample(home, weeks=3, sellers=12, orders_per_week=150, seed=11)
    ended = run(home)
    assert ended.status == 0, ended.text
    assert not (home / "quarantine").exists()
    return home


def halves(path: Path) -> list[tuple[str, bytes]]:
    """A file as two, by their names' beginnings."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        parts = []
        for rows in (table.slice(0, len(table) // 2), table.slice(len(table) // 2)):
            sink = pa.BufferOutputStream()
            pq.write_table(rows, sink)
            parts.append(sink.getvalue().to_pybytes())
    elif path.suffix == ".zst":
        return [("", content)]
    else:
        is_zipped = path.suffix == ".gz"
        lines = (gzip.decompress(content) if is_zipped else content).splitlines(keepends=True)
        header, rest = (lines[:1], lines[1:]) if ".csv" in path.name else ([], lines)
        both = (b"".join(header + rest[: len(rest) // 2]), b"".join(header + rest[len(rest) // 2 :]))
        parts = [gzip.compress(part) if is_zipped else part for part in both]
    return [("1-", parts[0]), ("2-", parts[1])]


@pytest.mark.parametrize("number", range(EXAMPLES))
def test_any_batches_publish_the_same_tables(number: int, whole: Path, tmp_path: Path) -> None:
    draw = numbers(f"batches-{number}")
    home, inbox = tmp_path / "home", whole / "inbox"
    files = sorted(path.relative_to(inbox) for path in inbox.rglob("*") if path.is_file())
    seen: set[str] = set()
    deliveries: list[list[tuple[Path, bytes]]] = [[] for _ in range(draw.randint(2, 3))]
    for path in draw.sample(files, len(files)):
        parts = halves(inbox / path) if draw.random() < 0.5 else [("", (inbox / path).read_bytes())]
        for beginning, content in parts:
            batch = draw.randrange(len(deliveries)) if path.parts[0] in seen else 0
            seen.add(path.parts[0])
            deliveries[batch].append((path.with_name(draw.choice("a~Z") + beginning + path.name), content))
    said = []
    for delivery in deliveries:
        for path, content in delivery:
            target = home / "inbox" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        weeks = draw.choice([None, None, *WEEKS, f"{WEEKS[0]}..{WEEKS[2]}"])
        ended = run(home, weeks)
        no_record = ended.status == 1 and "No order and no log landed" in ended.err
        assert ended.status in (0, 3) or no_record, ended.text
        said.append((weeks, len(delivery), ended.status))
    last = run(home)
    assert last.status == 0, last.text
    expected, found = State.of(whole), State.of(home)
    assert set(differing(found.figures, expected.figures)) <= _HISTORY, said
    assert found.evidence == expected.evidence
    assert not [name for name in files_of(home) if name.startswith((".scratch", ".spill"))]
    REPORT.append(f"batches-{number} (weeks named, files, status): {said}, then 0; the tables of one run")


@pytest.mark.parametrize(
    ("check", "source"),
    [
        *((orders.check_any_delivery, source) for source in orders.SOURCES),
        *((orders.check_contradictions, source) for source in ("oms_logs", "packages", "sellers")),
        *((orders.check_touched_weeks, source) for source in orders.SOURCES),
    ],
)
def test_deliveries_of_random_records(check, source: str) -> None:
    """The properties of the ingest, which `make test` tries a few examples of."""

    @settings(max_examples=EXAMPLES * 20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @seed(int(SEED))
    @given(data=st.data())
    def examples(data: st.DataObject) -> None:
        check(source, data)

    examples()
