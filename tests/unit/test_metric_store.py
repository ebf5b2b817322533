"""`metric_store`, the readers' package: what its frames hold, what it refuses, and that it sees what is published."""

from __future__ import annotations

import ast
import resource
import shutil
import subprocess
import sys
import warnings
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas
import pytest

import metric_store
from metric_store.store import Store
from tests.conftest import PROJECT
from tests.store_kit import FIRST, SECOND, WAIVER, WITHHELD, make_store


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing but the store. Tests read it."""
    return make_store(tmp_path_factory.mktemp("readers") / "home").parent.parent


@pytest.fixture
def store(home: Path) -> Store:
    return metric_store.open(home)


def rows(frame: pandas.DataFrame, *columns: str) -> list[tuple]:
    """These columns of a frame, row by row; None where a value is missing."""
    found = frame[list(columns)].astype(object)
    return [tuple(row) for row in found.where(found.notna(), None).itertuples(index=False)]


def test_a_figure_has_its_counts_interval_build_and_waiver(store: Store) -> None:
    frame = store.metric("o2d_ratio")
    assert list(frame) == [
        *("metric_id", "week_start", "dimension", "member", "numerator", "denominator", "value", "display_value"),
        *("previous_value", "change", "is_small_sample", "interval_low", "interval_high"),
        *("is_signal", "usual_low", "usual_high", "is_unusual", "build_id", "waiver"),
    ]
    assert rows(frame, "week_start", "numerator", "denominator", "value", "interval_low", "build_id", "waiver") == [
        (datetime(2026, 1, 5), 82, 145, 56.55, 48.42, "b1", None),
        (datetime(2026, 1, 12), 100, 172, 58.14, 50.67, "b2", WAIVER),
    ]
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert (kinds["numerator"], kinds["value"], kinds["is_signal"]) == ("int64", "float64", "boolean")
    assert kinds["week_start"].startswith("datetime64")


def test_figures_by_a_dimension_of_some_weeks_and_of_several_metrics(store: Store) -> None:
    by_segment = store.metric("o2d_ratio", by="mall_segment", weeks=(FIRST, date(2026, 1, 12)))
    assert rows(by_segment, "week_start", "member", "value") == [
        (datetime(2026, 1, 5), "anchor", None),
        (datetime(2026, 1, 12), "anchor", 0.13),
        (datetime(2026, 1, 12), "focus", 100),
    ]
    both = store.metric(["return_rate", "o2d_ratio"], weeks=pandas.Timestamp(SECOND))
    assert both.equals(store.metric(["return_rate", "o2d_ratio"], weeks=both["week_start"].to_numpy()[0]))
    assert rows(both, "metric_id", "seller_id", "member", "denominator") == [
        *[("return_rate", seller, None, 8) for seller in ("007", "=1+1", "S0001")],
        ("o2d_ratio", None, "mall", 172),
    ]


@pytest.mark.parametrize(
    ("metric", "figures"),
    [
        ("return_rate", [("007", 1, 8, 12.5), ("=1+1", 1, 8, 12.5), ("S0001", 1, 8, 12.5)]),
        ("ovl_cancellation_rate", [("007", 2, 40, 5)]),
        ("ovl_on_time_rate", [("007", 34, 40, 85)]),
        ("seller_cancel_rate", [("007", 1, 40, 2.5), ("=1+1", 1, 40, 2.5), ("S0001", 1, 40, 2.5)]),
    ],
)
def test_figures_by_seller(metric: str, figures: list[tuple], store: Store) -> None:
    frame = store.metric(metric, weeks=SECOND)
    assert rows(frame, "seller_id", "numerator", "denominator", "value") == figures
    assert set(rows(frame, "interval_low", "interval_high", "build_id", "waiver")) == {(None, None, "b2", WAIVER)}


def test_figures_of_readiness(store: Store) -> None:
    assert rows(store.metric("ship_kept_rate", weeks=SECOND), "dimension", "member", "numerator", "value") == [
        ("overall", "mall", 7, 70)
    ]
    assert rows(store.metric("ship_kept_rate", by="mall_segment"), "member") == [("anchor",)]
    assert rows(store.metric("oms_headroom"), "dimension", "member", "numerator", "value") == [
        ("oms_client", "c1", None, 1.25)
    ]


def test_the_total_of_one_week_is_what_the_mart_has(store: Store) -> None:
    """Value, text and interval of every row, by the formulas of the dbt project."""
    columns = ("member", "numerator", "denominator", "value", "display_value", "interval_low", "interval_high")
    compared = 0
    for metric in ("o2d_ratio", "manifestation_failure_rate", "claims_rate", "order_volume"):
        for dimension in ("overall", "mall_segment") if metric == "o2d_ratio" else ("overall",):
            for week in (FIRST, SECOND):
                published = store.metric(metric, by=dimension, weeks=week)
                assert rows(store.metric(metric, by=dimension, weeks=week, total=True), *columns) == rows(
                    published, *columns
                )
                compared += len(published)
    assert compared == 11


def test_weeks_are_added_up_and_what_follows_is_computed_from_the_sums(store: Store) -> None:
    columns = ("metric_id", "weeks", "numerator", "denominator", "value", "display_value", "interval_low")
    added = store.metric(["o2d_ratio", "claims_rate", "order_volume"], total=True)
    assert rows(added, *columns) == [
        ("o2d_ratio", 2, 182, 317, 57.41, "57.41%", 51.91),
        ("claims_rate", 2, 4, 8, 50, "50.00%", None),
        ("order_volume", 2, 290, None, 290, "290", None),
    ]
    assert rows(added, "first_week", "last_week")[0] == (datetime(2026, 1, 5), datetime(2026, 1, 12))
    by_segment = store.metric("o2d_ratio", by="mall_segment", total=True)
    assert rows(by_segment, "member", "weeks", "numerator", "denominator", "value") == [
        ("anchor", 2, 1, 800, 0.13),
        ("focus", 1, 3, 3, 100),
    ]
    assert rows(store.metric("ovl_on_time_rate", total=True), "seller_id", "numerator", "denominator", "value") == [
        ("007", 70, 80, 87.5)
    ]


@pytest.mark.parametrize(
    ("metric", "because"),
    [
        ("brands_onboarded", "it counts distinct things"),
        ("return_rate", "its periods overlap"),
        ("oms_headroom", "it is no count"),
    ],
)
def test_what_does_not_add_up_is_refused_by_name(metric: str, because: str, store: Store) -> None:
    for asked in (metric, ["o2d_ratio", metric]):
        with pytest.raises(metric_store.MetricStoreError, match=f"{metric} doesn't add up over weeks: {because}"):
            store.metric(asked, total=True)


def test_all_of_a_seller(store: Store) -> None:
    frame = store.seller("007", weeks=SECOND)
    assert rows(frame, "family", "metric_id", "numerator", "denominator", "value", "score", "waiver") == [
        ("order_volume_limit", "ovl_cancellation_rate", 2, 40, 5, None, WAIVER),
        ("order_volume_limit", "ovl_on_time_rate", 34, 40, 85, None, WAIVER),
        ("seller_grade", "seller_cancel_rate", 1, 40, 2.5, 4, WAIVER),
        ("seller_rating", "return_rate", 1, 8, 12.5, None, WAIVER),
    ]
    assert len(store.seller("007")) == 7
    assert rows(store.recovery("007"), "metric_id", "misses", "recovers_on") == [
        ("seller_cancel_rate", 1, datetime(2026, 2, 9))
    ]
    assert store.recovery("007").loc[0, "lines"][0] == "1 of 40 sub-orders counts against it, none may: not on target."


def test_the_orders_behind_a_figure(store: Store) -> None:
    frame = store.evidence("o2d_ratio", "007", SECOND)
    assert rows(frame, "unit_id", "order_id", "incident_id") == [("01", "1", None), ("=2", "1", None)]
    assert store.evidence("o2d_ratio", "S0001", SECOND).empty


def test_what_moved_a_figure(store: Store) -> None:
    [change] = rows(store.change("manifestation_failure_rate", SECOND), "change", "change_low", "is_signal")
    assert change == (5, 1, True)
    assert rows(store.drivers("o2d_ratio", SECOND), "member", "effect") == [("anchor", 1.2), ("focus", 0.4)]
    failures = store.changed_failures("manifestation_failure_rate", SECOND, clients=1)
    assert rows(failures, "place", "l2_category", "oms_client", "failed_before", "failed") == [
        (1, "oms_error", "all", 1, 6),
        (1, "oms_error", "c2", 0, 4),
    ]
    assert store.changed_failures("manifestation_failure_rate", FIRST).empty, "the week before isn't published"


def test_tables_as_they_are(store: Store) -> None:
    assert len(store.table("fct_promise_week")) == 3
    assert rows(store.table("fct_promise_week", weeks=FIRST), "mall_segment", "ship_kept") == [("mall", 7)]
    assert rows(store.weeks(), "week_start", "build_id") == [
        (datetime(2026, 1, 5), "b1"),
        (datetime(2026, 1, 12), "b2"),
    ]
    assert len(store.metrics()) == 11


REFUSED = {
    "There is no metric o2d_ration. Did you mean o2d_ratio?": lambda s: s.metric("o2d_ration"),
    "There is no metric o2d. Did you mean o2d_ratio?": lambda s: s.evidence("o2d", "007", SECOND),
    "order_volume has no evidence: it doesn't tell good orders from bad ones.": lambda s: s.evidence(
        "order_volume", "007", SECOND
    ),
    "There is no table fct_promis_week. Did you mean fct_promise_week": lambda s: s.table("fct_promis_week"),
    "There is no seller S001 in 2026-01-12. Did you mean S0001?": lambda s: s.seller("S001", weeks=SECOND),
    "o2d_ratio has no dimension segment; it has mall_segment, overall.": lambda s: s.metric("o2d_ratio", by="segment"),
    "return_rate has no dimension mall_segment; it has seller_id.": lambda s: s.metric(
        ["o2d_ratio", "return_rate"], by="mall_segment"
    ),
    "o2d_ratio has no dimension ; it has mall_segment, overall.": lambda s: s.metric("o2d_ratio", by=""),
    "No metric is named: name one or several; metrics() lists them.": lambda s: s.metric([]),
    "2026-01-26 isn't published. Published: 2026-01-05..2026-01-12.": lambda s: s.metric(
        "o2d_ratio", weeks="2026-01-26"
    ),
    "2026-01-13 is a Tuesday; a week is named by its Monday: 2026-01-12.": lambda s: s.metric(
        "o2d_ratio", weeks=(FIRST, "2026-01-13")
    ),
    "The last week, 2026-01-05, is before the first, 2026-01-12": lambda s: s.metric(
        "o2d_ratio", weeks=(SECOND, FIRST)
    ),
    "['2026-01-05', '2026-01-12'] is no week: write its Monday as YYYY-MM-DD; of several": lambda s: s.metric(
        "o2d_ratio", weeks=["2026-01-05", "2026-01-12"]
    ),
    "2026-01-19 isn't published: the gate withheld it, by two days are missing.": lambda s: s.drivers(
        "o2d_ratio", WITHHELD
    ),
    "'last week' is no week: write its Monday as YYYY-MM-DD; of several weeks the first": lambda s: s.change(
        "o2d_ratio", "last week"
    ),
    "No week from 2026-02-02 to 2026-02-09 is published": lambda s: s.table(
        "fct_promise_week", weeks=("2026-02-02", "2026-02-09")
    ),
    "dim_seller has no weeks": lambda s: s.table("dim_seller", weeks=FIRST),
    "return_rate is no figure of all sellers together": lambda s: s.change("return_rate", SECOND),
    "Failures have categories in acceptance_failure_rate": lambda s: s.changed_failures("o2d_ratio", SECOND),
}


@pytest.mark.parametrize("said", REFUSED, ids=lambda said: said.split(".")[0])
def test_what_is_not_there_is_refused_with_what_is(said: str, store: Store) -> None:
    with pytest.raises(metric_store.MetricStoreError) as error:
        REFUSED[said](store)
    assert str(error.value).startswith(said)
    assert len(str(error.value).splitlines()) <= 2


def test_a_home_without_a_store_and_no_home(tmp_path: Path) -> None:
    with pytest.raises(metric_store.MetricStoreError, match=r"No week is published in .* yet; run metric-store run"):
        metric_store.open(tmp_path)
    with pytest.raises(metric_store.MetricStoreError, match="There is no home and no store at"):
        metric_store.open(tmp_path / "none")
    (tmp_path / "no.duckdb").write_bytes(b"no store" * 1000)
    with pytest.raises(metric_store.MetricStoreError, match=r"no\.duckdb can't be read"):
        metric_store.open(tmp_path / "no.duckdb").weeks()


def test_a_store_without_a_published_week_says_so(tmp_path: Path) -> None:
    store = metric_store.open(make_store(tmp_path, "delete from publication"))
    for ask in (lambda: store.metric("o2d_ratio"), lambda: store.recovery("007"), lambda: store.seller("007")):
        with pytest.raises(metric_store.MetricStoreError, match="No week is published in this store"):
            ask()


def test_a_damaged_store_is_named_wherever_the_damage_is_met(home: Path, tmp_path: Path) -> None:
    """It opens; what is damaged or cut off is met by those who read it."""
    whole = (home / "published" / "metric_store.duckdb").read_bytes()
    block, heads = 262_144, 12_288
    said = []
    for place in range(heads, len(whole), block):
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]):
            (tmp_path / "damaged.duckdb").write_bytes(damaged)
            try:
                metric_store.open(tmp_path / "damaged.duckdb").metric("o2d_ratio")
            except metric_store.MetricStoreError as error:
                said.append(str(error))
    assert any("Corrupt database file" in line for line in said)
    assert any("Could not read enough bytes" in line for line in said)
    assert all(f"{tmp_path / 'damaged.duckdb'} can't be read: " in line for line in said)


def test_what_the_rows_do_not_show_is_a_warning_where_it_was_asked(store: Store) -> None:
    with pytest.warns(UserWarning, match="Not published, and so not in this: 2026-01-19; .* two days are missing") as w:
        store.metric("o2d_ratio", weeks=(FIRST, WITHHELD))
    assert w[0].filename == __file__
    with pytest.warns(UserWarning, match="2026-01-12: not measured: brands_onboarded .*no file of sellers has onboard"):
        store.metric("brands_onboarded")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.metric("o2d_ratio")


def test_an_open_store_sees_what_is_published_while_another_connection_keeps_the_old_file(tmp_path: Path) -> None:
    path = make_store(tmp_path)
    store = metric_store.open(path)
    assert len(store.weeks()) == 2
    with duckdb.connect(str(path), read_only=True) as held:
        assert held.execute("select count(*) from marts.fct_metric_week").fetchall() == [(12,)]
        make_store(tmp_path / "next", f"delete from publication where week_start = '{SECOND}'")
        (tmp_path / "next" / "published" / "metric_store.duckdb").replace(path)
        assert rows(store.weeks(), "week_start") == [(datetime(2026, 1, 5),)]
        assert held.execute("select count(*) from marts.publication").fetchall() == [(3,)]


@pytest.mark.filterwarnings("ignore:This store is of an earlier release")
def test_a_store_of_an_earlier_release_is_read_and_what_it_lacks_is_said(tmp_path: Path) -> None:
    """Without what came after the first release: tables of waivers, changes and recovery, a column of the catalogue."""
    path = make_store(
        tmp_path,
        *(f"drop table fct_{name}_week" for name in ("gate_waiver", "unmeasured_metric", "metric_change")),
        *(f"drop table fct_{name}_week" for name in ("seller_recovery", "metric_driver", "promise")),
        "alter table fct_data_quality_week drop column is_withholding",
        "alter table dim_metric drop column total",
        "alter table dim_metric drop column evidence_unit",
    )
    store = metric_store.open(path)
    with pytest.warns(UserWarning, match="of an earlier release, without is_signal, usual_low, usual_high, is_unusual"):
        frame = store.metric("o2d_ratio")
    assert rows(frame, "value", "is_signal", "usual_low", "waiver") == [
        (56.55, None, None, None),
        (58.14,) + (None,) * 3,
    ]
    assert len(store.seller("007")) == 7
    assert len(store.evidence("o2d_ratio", "007", SECOND)) == 2
    assert len(store.metrics()) == 11
    for lacks, ask in {
        "lacks something: .*fct_seller_recovery_week": lambda: store.recovery("007"),
        "lacks something: .*fct_metric_driver_week": lambda: store.drivers("o2d_ratio", SECOND),
        "There is no table fct_promise_week": lambda: store.table("fct_promise_week"),
        "doesn't say which metrics add up": lambda: store.metric("o2d_ratio", total=True),
    }.items():
        with pytest.raises(metric_store.MetricStoreError, match=lacks):
            ask()


def test_the_package_stands_alone() -> None:
    """It imports itself, DuckDB, pandas and the standard library, in any module."""
    imported = set()
    for path in (PROJECT / "metric_store").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"metric_store", "duckdb", "pandas"}


def test_it_is_imported_in_less_than_a_third_of_a_second() -> None:
    """In time of the processor, beyond what an interpreter takes that does nothing: the machine may be busy."""

    def takes(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert takes("import metric_store") - takes("pass") < 0.3


def test_a_store_alone_is_enough(home: Path, tmp_path: Path) -> None:
    """A file that was copied away, without a home and without evidence."""
    shutil.copy(home / "published" / "metric_store.duckdb", tmp_path / "copy.duckdb")
    store = metric_store.open(tmp_path / "copy.duckdb")
    assert len(store.metric("o2d_ratio")) == 2
    with pytest.raises(metric_store.MetricStoreError, match=f"The evidence of {SECOND} is missing"):
        store.evidence("o2d_ratio", "007", SECOND)
