"""`evidence`: what is published of a seller, whatever it holds, and what is missing."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import Result

import metric_store.sellers
import orchestration.cli.evidence
from tests.conftest import EVIDENCE_METRICS, SAMPLE_WEEKS, evidence_of
from tests.unit.cli_kit import as_text, call, ends


def most_evidence(home: Path) -> tuple[str, str, int]:
    """Metric and seller with the most evidence in the first week, and how much that is."""
    counts = Counter((row[1], row[2]) for row in evidence_of(home)[date.fromisoformat(SAMPLE_WEEKS[0])])
    [((metric, seller), count)] = counts.most_common(1)
    return metric, seller, count


def evidence(home: Path, metric: str, seller: str, *options: str) -> Result:
    return call("evidence", metric, "--seller", seller, "--week", SAMPLE_WEEKS[0], "--home", home, *options)


@pytest.fixture
def with_evidence(sample_home: Path, tmp_path: Path) -> Callable[[list[tuple]], Path]:
    """Makes a home of the sample's store whose evidence of the first week holds these rows alone.

    A row is seller_id, unit_id, order_id, happened_at, detail, of a sub-order that counts against o2d_ratio; without
    incident_id, which an earlier release didn't have.
    """

    def make(rows: list[tuple]) -> Path:
        home = tmp_path / "home"
        shutil.copytree(sample_home / "published", home / "published")
        [file] = (home / "published" / "evidence" / f"week_start={SAMPLE_WEEKS[0]}").glob("*/*.parquet")
        with duckdb.connect() as db:
            db.execute(
                "create table evidence (week_start date, metric_id text, seller_id text, unit_id text, unit text, "
                "order_id text, happened_at timestamp, due_at timestamp, detail text)"
            )
            for seller, unit, order, happened_at, detail in rows:
                db.execute(
                    "insert into evidence values (?, 'o2d_ratio', ?, ?, 'sub_order', ?, ?, null, ?)",
                    [SAMPLE_WEEKS[0], seller, unit, order, happened_at, detail],
                )
            db.execute(f"copy evidence to '{file}' (format parquet)")
        return home

    return make


def test_evidence_is_what_is_published(sample_home: Path) -> None:
    """As JSON and as CSV it is every row and column; as a table it has as many lines."""
    columns = [
        *("week_start", "metric_id", "seller_id", "unit_id", "unit", "order_id"),
        *("happened_at", "due_at", "detail", "incident_id"),
    ]
    rows = evidence_of(sample_home)[date.fromisoformat(SAMPLE_WEEKS[0])]
    asked = Counter((row[1], row[2]) for row in rows)
    assert {metric for metric, _ in asked} <= set(EVIDENCE_METRICS)
    for metric in EVIDENCE_METRICS:
        for seller in sorted({seller for of, seller in asked if of == metric})[:2]:
            expected = [[as_text(value) for value in row] for row in rows if row[1:3] == (metric, seller)]
            as_json = json.loads(evidence(sample_home, metric, seller, "--json").stdout)
            assert [list(row) for row in as_json] == [columns] * len(expected)
            assert [[as_text(value) for value in row.values()] for row in as_json] == expected
            as_csv = list(csv.reader(io.StringIO(evidence(sample_home, metric, seller, "--csv").stdout)))
            assert as_csv == [columns, *expected]
            lines = evidence(sample_home, metric, seller).stdout.splitlines()
            assert lines[0].split() == columns[3:]
            assert [line.split()[0] for line in lines[1:]] == [row[3] for row in expected]


def test_nothing_that_counts_against_a_seller_is_no_error(sample_home: Path, with_evidence: Any) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([])
    shown = evidence(home, "o2d_ratio", seller)
    assert (shown.exit_code, shown.stdout) == (
        0,
        f"Nothing counts against {seller} in o2d_ratio of {SAMPLE_WEEKS[0]}.\n",
    )
    assert json.loads(evidence(home, "o2d_ratio", seller, "--json").stdout) == []
    assert len(list(csv.reader(io.StringIO(evidence(home, "o2d_ratio", seller, "--csv").stdout)))) == 1


def test_evidence_that_cannot_be_shown(sample_home: Path) -> None:
    seller = most_evidence(sample_home)[1]
    ends(evidence(sample_home, "o2d_ration", seller), 1, "There is no metric o2d_ration. Did you mean o2d_ratio?")
    said = "tickets_raised has no evidence", "Metrics with evidence: acceptance_failure_rate, "
    ends(evidence(sample_home, "tickets_raised", seller), 1, *said)
    ends(evidence(sample_home, "o2d_ratio", f"{seller}x"), 1, f"There is no seller {seller}x in", "Did you mean S")
    ends(evidence(sample_home, "o2d_ratio", "' or 1=1 --"), 1, "There is no seller ' or 1=1 -- in")
    ends(evidence(sample_home, "o2d_ratio", "\x1b[2J"), 1, "There is no seller \\x1b[2J in")
    ends(evidence(sample_home, "o2d_ratio", ""), 1, "There is no seller  in")


def test_a_seller_that_no_record_describes_is_known_by_its_figures(sample_home: Path, with_evidence: Any) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([])
    with duckdb.connect(str(home / "published" / "metric_store.duckdb")) as db:
        db.execute("delete from marts.dim_seller")
    assert evidence(home, "o2d_ratio", seller).stdout.startswith("Nothing counts against")
    ends(evidence(home, "o2d_ratio", "S?"), 1, "There is no seller S?")


def test_evidence_that_is_missing(with_evidence: Any, sample_home: Path) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([])
    for file in (home / "published" / "evidence").glob("*/*/*.parquet"):
        file.unlink()
    again = f"Make it again: metric-store run --home {home} --weeks {SAMPLE_WEEKS[0]}"
    ends(evidence(home, "o2d_ratio", seller), 1, f"The evidence of {SAMPLE_WEEKS[0]} is missing", again)


def test_evidence_that_is_broken(with_evidence: Any, sample_home: Path) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([])
    for file in (home / "published" / "evidence").glob("*/*/*.parquet"):
        file.write_bytes(b"half")
    remove = f"Remove {home}/published/evidence/week_start={SAMPLE_WEEKS[0]} and make it again: metric-store run --home"
    ends(evidence(home, "o2d_ratio", seller), 1, f"The evidence of {SAMPLE_WEEKS[0]} can't be read: ", remove)


HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\n=1", "＝1", "＋1", "－1", "＠1"),
    *("'quoted", "''", "plain", "a=b", 'with "quotes"', "a,b;=c", "line\nbreak\r", "[bold]x[/bold]", "[/]", ":smile:"),
    *("\x1b[31mred", "%s{}", "日本", "' or '1'='1"),
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_whatever_ids_and_reasons_hold_is_shown_and_harmless(
    hostile: str, sample_home: Path, with_evidence: Any
) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence(
        [(seller, hostile, hostile, datetime(2026, 1, 6, 1, 2, 3), hostile), (hostile, *"123"[:2], None, None)]
    )
    [row] = json.loads(evidence(home, "o2d_ratio", seller, "--json").stdout)
    assert (row["unit_id"], row["order_id"], row["detail"]) == (hostile, hostile, hostile)

    done = evidence(home, "o2d_ratio", seller, "--csv")
    [_, cells] = csv.reader(io.StringIO(done.stdout, newline=""))
    for place in (3, 5, 8):
        cell = cells[place]
        assert cell[0] not in "=+-@\t\r\n＝＋－＠"
        assert (cell[1:] if cell[0] == "'" else cell) == hostile, "a reader takes an apostrophe off the front"
    assert cells[6:8] == ["2026-01-06 01:02:03", ""]

    shown = evidence(home, "o2d_ratio", seller).stdout
    assert len(shown.splitlines()) == 2
    assert set(shown) & {"\x1b", "\t", "\r"} == set()
    if hostile.isprintable():
        assert hostile in shown


def test_a_seller_whose_id_is_sql_is_bound(sample_home: Path, with_evidence: Any) -> None:
    seller = "x' or '1'='1"
    home = with_evidence([(seller, "1", "1", None, None), ("other", "2", "2", None, None)])
    with duckdb.connect(str(home / "published" / "metric_store.duckdb")) as db:
        db.execute(
            "update marts.dim_seller set seller_id = ? where seller_id = (select min(seller_id) from marts.dim_seller)",
            [seller],
        )
    assert [row["unit_id"] for row in json.loads(evidence(home, "o2d_ratio", seller, "--json").stdout)] == ["1"]


def test_a_table_ends_somewhere_and_says_so(
    sample_home: Path, with_evidence: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([(seller, str(number), "o", None, None) for number in range(7)])
    monkeypatch.setattr(orchestration.cli.evidence, "_TABLE_ROWS", 5)
    monkeypatch.setattr(orchestration.cli.evidence, "_BATCH", 2)
    lines = evidence(home, "o2d_ratio", seller).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list("01234")
    assert lines[-1] == "and 2 more; --csv and --json have all of them"
    assert len(json.loads(evidence(home, "o2d_ratio", seller, "--json").stdout)) == 7


def test_evidence_that_is_replaced_while_it_is_looked_for_is_looked_for_again(
    sample_home: Path, with_evidence: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = most_evidence(sample_home)[1]
    home = with_evidence([(seller, "1", "1", None, None)])
    real, calls = metric_store.sellers.evidence_relation, []

    def too_late(*arguments: Any) -> str:
        calls.append(arguments)
        return real(*arguments) if len(calls) > 1 else "read_parquet('/gone/*.parquet')"

    monkeypatch.setattr(metric_store.sellers, "evidence_relation", too_late)
    assert len(json.loads(evidence(home, "o2d_ratio", seller, "--json").stdout)) == 1
    assert len(calls) == 2
