"""`metric`: every metric as the store has it, several of them, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from metric_store.reading import open_store
from tests.conftest import SAMPLE_WEEKS
from tests.store_kit import FIRST, SECOND, make_store
from tests.unit.cli_kit import as_text, call, ends


@pytest.mark.parametrize(
    ("metric", "hint"),
    [
        ("o2d_ration", "Did you mean o2d_ratio?"),
        ("o2d", "Did you mean o2d_ratio?"),
        ("O2D_Ratio", "Did you mean o2d_ratio?"),
        ("rejection", "Did you mean rejection_rate?"),
        ("tickets", "Did you mean tickets_raised or tickets_resolved?"),
        ("zzz", "Metrics: acceptance_failure_rate, "),
        ("", "Metrics: "),
    ],
)
def test_an_unknown_metric(metric: str, hint: str, sample_home: Path) -> None:
    ends(call("metric", metric, "--home", sample_home), 1, f"There is no metric {metric}", hint)


@pytest.mark.parametrize(
    ("metric", "known"),
    [
        ("o2d_ratio", "it has mall_segment, overall."),
        ("null_request_id_rate", "it has event_name, oms_client, overall."),
        ("cancellation_rate", "it has seller_id."),
        ("ovl_on_time_rate", "it has seller_id."),
    ],
)
def test_an_unknown_dimension(metric: str, known: str, sample_home: Path) -> None:
    ends(call("metric", metric, "--by", "colour", "--home", sample_home), 1, f"{metric} has no dimension colour", known)


def catalogue(home: Path) -> dict[str, str]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return dict(store.execute("select metric_id, family from marts.dim_metric").fetchall())


READINESS = {
    "ship_kept_rate": ("fct_promise_week", "ship_kept", "ship_due", "ship_kept_rate"),
    "delivery_kept_rate": ("fct_promise_week", "delivery_kept", "delivery_due", "delivery_kept_rate"),
    "inventory_accuracy_rate": ("fct_inventory_sync_week", "matched", "compared", "accuracy_rate"),
    "oms_success_rate": ("fct_oms_readiness_week", "null", "null", "success_rate"),
    "oms_error_budget_left": ("fct_oms_readiness_week", "null", "null", "error_budget_left_pct"),
    "oms_headroom": ("fct_oms_readiness_week", "null", "null", "headroom"),
}


def dimensions_of(metric: str, family: str, brand: dict[str, list[str]]) -> list[str | None]:
    if family == "brand":
        return list(brand[metric])
    if family == "readiness":
        table = READINESS[metric][0]
        split = "mall_segment" if table == "fct_promise_week" else "oms_client"
        return [split] if table == "fct_oms_readiness_week" else ["overall", split]
    return [None, "seller_id"]


def stored(
    home: Path, metric: str, family: str, dimension: str | None, week: str | None
) -> tuple[list[str], list[tuple]]:
    """What the store has for a metric, written down apart from the command's own query."""
    where = f"week_start = '{week}'" if week else "true"
    with open_store(home / "published" / "metric_store.duckdb") as store:
        if family == "brand":
            cursor = store.execute(
                "select figures.* exclude (metric_id), is_signal, usual_low, usual_high, is_unusual "
                "from marts.fct_metric_week as figures natural left join marts.fct_metric_change_week "
                f"where metric_id = '{metric}' and dimension = '{dimension or 'overall'}' and {where} "
                "order by week_start, member"
            )
        elif family == "seller_grade":
            cursor = store.execute(
                "select * exclude (metric_id) from marts.fct_seller_grade_metric_week "
                f"where metric_id = '{metric}' and {where} order by week_start, seller_id"
            )
        elif family == "order_volume_limit":
            counts, rate = {
                "ovl_cancellation_rate": ("cancelled_seller_fault", "cancellation_rate"),
                "ovl_on_time_rate": ("orders_due - not_on_time", "on_time_rate"),
            }[metric]
            cursor = store.execute(
                f"select week_start, seller_id, {counts} as numerator, orders_due as denominator, {rate} as value, "
                f"is_assessable, is_met from marts.fct_seller_operational_week where {where} "
                "order by week_start, seller_id"
            )
        elif family == "readiness":
            table, of, counts, rate = READINESS[metric]
            member = "oms_client" if table != "fct_promise_week" else "mall_segment"
            cursor = store.execute(
                f"select week_start, '{dimension}' as dimension, {member} as member, {of} as numerator, "
                f"{counts} as denominator, {rate} as value from marts.{table} "
                f"where ({member} in ('mall', 'all')) = ('{dimension}' = 'overall') order by week_start, member"
            )
        else:
            cursor = store.execute(
                "select * exclude (kpi_id, calculated_at) from marts.fct_seller_rating_week "
                f"where kpi_id = '{metric}' and {where} order by week_start, seller_id"
            )
        return [column[0] for column in cursor.description], cursor.fetchall()


def test_every_metric_of_the_catalogue_by_every_dimension(sample_home: Path) -> None:
    """As JSON it is what the store has; of one metric of each family as CSV, too, and the table has as many lines."""
    families: set[str] = set()
    with open_store(sample_home / "published" / "metric_store.duckdb") as store:
        brand: dict[str, list[str]] = dict(
            store.execute(
                "select metric_id, list(distinct dimension order by dimension) from marts.fct_metric_week group by 1"
            ).fetchall()
        )
    for metric, family in catalogue(sample_home).items():
        by = dimensions_of(metric, family, brand)
        for dimension in by:
            options = ["--home", str(sample_home), *(["--by", dimension] if dimension else [])]
            columns, rows = stored(sample_home, metric, family, dimension, None)
            assert rows, (metric, dimension)
            as_json = json.loads(call("metric", metric, *options, "--json").stdout)
            assert [list(row) for row in as_json] == [columns] * len(rows)
            for found, row in zip(as_json, rows, strict=True):
                expected = [
                    float(v) if isinstance(v, Decimal) else v if isinstance(v, int | None) else str(v) for v in row
                ]
                assert list(found.values()) == expected, (metric, dimension)
            if family in families:
                continue
            families.add(family)
            as_csv = list(csv.reader(io.StringIO(call("metric", metric, *options, "--csv").stdout)))
            assert as_csv == [columns, *([as_text(value) for value in row] for row in rows)], (metric, dimension)
            shown = call("metric", metric, *options)
            assert len(shown.stdout.splitlines()) == len(rows) + 1, (metric, dimension)


def test_one_week_of_a_metric(sample_home: Path) -> None:
    for metric, family in (
        ("o2d_ratio", "brand"),
        ("return_rate", "seller_rating"),
        ("seller_cancel_rate", "seller_grade"),
    ):
        rows = json.loads(call("metric", metric, "--week", SAMPLE_WEEKS[1], "--home", sample_home, "--json").stdout)
        assert {row["week_start"] for row in rows} == {SAMPLE_WEEKS[1]}
        assert len(rows) == len(stored(sample_home, metric, family, None, SAMPLE_WEEKS[1])[1])


def test_the_catalogue_is_listed_without_a_metric(sample_home: Path) -> None:
    shown = call("metric", "--home", sample_home).stdout.splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [list(row) for row in sorted(catalogue(sample_home).items())]
    listed = json.loads(call("metric", "--home", sample_home, "--json").stdout)
    assert {row["metric_id"]: row["family"] for row in listed} == catalogue(sample_home)
    assert listed[0]["formula"]


def test_several_metrics_of_a_range_of_weeks(sample_home: Path) -> None:
    """In the order in which they are asked for; each has the columns of its family."""
    asked = ("metric", "return_rate", "o2d_ratio", "--home", sample_home, "--json")
    result = call(*asked, "--weeks", f"{SAMPLE_WEEKS[1]}..{SAMPLE_WEEKS[2]}")
    rows = json.loads(result.stdout)
    kpis, ratios = rows[:-2], rows[-2:]
    assert {row["metric_id"] for row in kpis} == {"return_rate"}
    assert {row["week_start"] for row in kpis} == set(SAMPLE_WEEKS[1:])
    assert [(row["metric_id"], row["week_start"], row["member"]) for row in ratios] == [
        ("o2d_ratio", week, "mall") for week in SAMPLE_WEEKS[1:]
    ]
    assert all(row["seller_id"] and row["period_end"] and not row["member"] for row in kpis)
    assert result.stderr == ""


def test_weeks_are_added_up_or_refused_by_name(tmp_path: Path) -> None:
    home = make_store(tmp_path).parent.parent
    [ratio, volume] = json.loads(
        call("metric", "o2d_ratio", "order_volume", "--total", "--home", home, "--json").stdout
    )
    assert (ratio["numerator"], ratio["denominator"], ratio["display_value"]) == (182, 317, "57.41%")
    assert (ratio["interval_low"], ratio["first_week"], ratio["last_week"], ratio["weeks"]) == (51.91, FIRST, SECOND, 2)
    assert (volume["numerator"], volume["denominator"], volume["display_value"]) == (290, None, "290")
    said = "brands_onboarded doesn't add up over weeks: it counts distinct things"
    ends(call("metric", "o2d_ratio", "brands_onboarded", "--total", "--home", home), 1, said)


def test_a_range_beyond_what_is_published_is_told(sample_home: Path) -> None:
    result = call("metric", "o2d_ratio", "--weeks", f"{SAMPLE_WEEKS[2]}..2026-02-02", "--home", sample_home)
    assert result.stderr.startswith("Not published, and so not in this: 2026-01-26..2026-02-02\n")
    assert len(result.stdout.splitlines()) == 2
    said = "No week from 2026-01-26 to 2026-02-02 is published. Published: 2026-01-05..2026-01-19."
    ends(call("metric", "o2d_ratio", "--weeks", "2026-01-26..2026-02-02", "--home", sample_home), 1, said)


def test_a_range_that_is_empty_is_not_every_week(sample_home: Path) -> None:
    """A script whose variable is empty."""
    ends(call("metric", "o2d_ratio", "--total", "--weeks", "", "--home", sample_home), 2, "'' is no week")


def test_options_without_a_metric_are_wrong_usage(sample_home: Path) -> None:
    for option in (["--total"], ["--by", "mall_segment"], ["--weeks", SAMPLE_WEEKS[0]]):
        ends(call("metric", *option, "--home", sample_home), 2, "need a METRIC")
