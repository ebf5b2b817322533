"""What a publication writes: the weeks' rows, which build of a week counts, and what changed between two of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from metric_store.reading import published_weeks
from orchestration.home.layout import Home
from orchestration.publication.store import publish
from orchestration.publication.tables import mart_tables
from orchestration.transform.project import manifest_path
from tests.conftest import evidence_of, published_tables, query
from tests.publication.publication_kit import (
    NOW,
    W1,
    W2,
    W3,
    change,
    currents,
    planned,
    publish_as,
    store_of,
)


def test_the_same_inputs_publish_identical_tables_row_by_row(home: Path) -> None:
    before = published_tables(home, "publication")
    assert sum(map(len, before.values())) > 1000
    assert publish_as(home, "again", [W1, W2, W3]) == 0
    assert published_tables(home, "publication") == before
    publish_as(home, "one", [W2])
    assert published_tables(home, "publication") == before


def test_a_store_made_anew_week_by_week_is_the_same(home: Path) -> None:
    expected = published_tables(home, "publication")
    evidence = evidence_of(home)
    store_of(home).unlink()
    for week in (W3, W1, W2):
        publish_as(home, f"of {week}", [week])
    assert evidence_of(home) == evidence
    found = published_tables(home, "publication")
    for name in expected:
        assert found[name] == expected[name], name


def test_each_published_week_has_one_current_build(home: Path) -> None:
    assert len(set(currents(home).values())) == 1
    publish_as(home, "second", [W2])
    publish_as(home, "third", [W2, W3])
    publish_as(home, "none", [], judged=[W1])
    assert {week: build for week, build in currents(home).items() if week != W1} == {W2: "third", W3: "third"}
    per_week = query(
        home,
        "select week_start, count(*) filter (where is_current), count(*) from marts.publication group by 1 order by 1",
    )
    assert per_week == [(W1, 1, 1), (W2, 1, 3), (W3, 1, 2)]
    assert {week: published.build_id for week, published in published_weeks(store_of(home)).items()} == currents(home)


def test_a_withheld_restatement_keeps_the_published_rows(home: Path) -> None:
    before = published_tables(home, "publication", "fct_restatement", "fct_data_quality_week")
    change(home, 777, W2, ["fct_null_request_id_week"])  # what stands in fct_metric_week for W2 is up to its model
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute(
            "update marts.fct_data_quality_week set passed = false, message = 'withheld' "
            "where week_start = ? and rule_id = 'weights'",
            [W2],
        )
    assert publish_as(home, "withholding", [W1], judged=[W1, W2]) == 0
    assert published_tables(home, "publication", "fct_restatement", "fct_data_quality_week") == before
    judged = (
        "select distinct passed, message from marts.fct_data_quality_week where rule_id = 'weights' and week_start = ?"
    )
    assert query(home, judged, [W2]) == [(False, "withheld")], "a withheld week shows why"
    assert query(home, judged, [W3])[0][0] is True
    assert W2 in currents(home)
    assert currents(home)[W2] != "withholding"


@pytest.mark.parametrize(
    ("marks", "cause"),
    [
        ({"raw_fingerprint": "other"}, "records"),
        ({"code_version": "other", "raw_fingerprint": "other"}, "records,code"),
        ({"code_version": "other", "config_hash": "other"}, "configuration,code"),
    ],
)
def test_the_cause_of_a_restatement_is_what_differs_between_the_builds(
    home: Path, marks: dict[str, str], cause: str
) -> None:
    publish_as(home, "one", [W2])
    change(home, 777, W2)
    week = replace(planned(W2, "one"), **marks)
    publish(Home(home), mart_tables(manifest_path(Home.of())), [week], [W2], "two", NOW)
    assert query(home, "select distinct cause from marts.fct_restatement where build_id = 'two'") == [(cause,)]


def test_a_restatement_lists_each_changed_figure_once(home: Path) -> None:
    old = query(
        home, "select metric_id, dimension, member, numerator from marts.fct_metric_week where week_start = ?", [W2]
    )
    change(home, 777, W2)
    restated = publish_as(home, "restating", [W1, W2])
    listed = query(
        home,
        "select key, old_value, new_value from marts.fct_restatement "
        "where table_name = 'fct_metric_week' and column_name = 'numerator'",
    )
    expected = [
        (f"metric_id={metric}, dimension={dimension}, member={member}", None if value is None else str(value), "777")
        for metric, dimension, member, value in old
        if value != 777
    ]
    assert sorted(listed, key=str) == sorted(expected, key=str)
    assert query(
        home,
        "select count(*), min(build_id), max(build_id), min(week_start), max(week_start) from marts.fct_restatement",
    ) == [(restated, "restating", "restating", W2, W2)]
    assert publish_as(home, "no change", [W2]) == 0
    assert query(home, "select count(*) from marts.fct_restatement") == [(restated,)]


def test_to_fill_in_the_week_before_is_no_restatement(home: Path) -> None:
    """Another figure in place of one that was published is."""
    tables = {"fct_metric_week": "previous_value", "fct_seller_grade_week": "previous_grade"}
    expected = {table: query(home, f"from marts.{table} where week_start = ?", [W2]) for table in tables}
    for told, restated in (("null", False), ("0.07", True)):
        with duckdb.connect(str(store_of(home))) as db:
            figures = {
                table: db.execute(
                    f"update marts.{table} set {previous} = {told}, change = {told} where week_start = ? "
                    f"and {previous} is not null and change is not null and {previous} <> 0.07 and change <> 0.07",
                    [W2],
                ).fetchall()[0][0]
                for table, previous in tables.items()
            }
        assert min(figures.values()) > 0
        assert publish_as(home, told, [W2]) == (2 * sum(figures.values()) if restated else 0)
        assert {table: query(home, f"from marts.{table} where week_start = ?", [W2]) for table in tables} == expected


@pytest.mark.parametrize("table", ["fct_metric_change_week", "fct_metric_driver_week", "fct_o2d_settling_week"])
def test_a_table_over_the_store_is_written_whole_and_is_no_restatement(table: str, home: Path) -> None:
    figure = {"fct_metric_change_week": "usual_weeks", "fct_metric_driver_week": "driver_rank"}.get(
        table, "settled_weeks"
    )
    with duckdb.connect(str(home / "warehouse.duckdb")) as db:
        db.execute(f"update marts.{table} set {figure} = 777")
        db.execute(f"delete from marts.{table} where week_start = ?", [W1])
        expected = db.execute(f"select * from marts.{table} order by all").fetchall()
    assert {row[0] for row in expected} == {W2, W3}
    assert publish_as(home, "one", [W2]) == 0
    assert query(home, f"select * from marts.{table} order by all") == expected
    assert publish_as(home, "none", [], judged=[W1]) == 0
    assert query(home, f"select * from marts.{table} order by all") == expected


def test_a_column_that_the_old_store_lacks_is_filled_with_nulls(home: Path) -> None:
    """A release may add columns: the weeks it doesn't compute keep what they had."""
    with duckdb.connect(str(store_of(home))) as db:
        db.execute("alter table marts.fct_metric_week drop column interval_high")
    change(home, 777, W3)
    assert publish_as(home, "newer", [W3]) > 0
    assert query(home, "select distinct column_name from marts.fct_restatement order by 1") == [
        ("numerator",),
        ("records",),
    ]
    assert query(home, "select count(interval_high) from marts.fct_metric_week where week_start < ?", [W3]) == [(0,)]
    assert query(home, "select count(interval_high) > 0 from marts.fct_metric_week where week_start = ?", [W3]) == [
        (True,)
    ]
