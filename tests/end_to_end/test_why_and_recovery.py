"""`why` and `recovery`: what they print of the published tables, and what they say where there is nothing to tell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from metric_store.reading import open_store
from orchestration.cli.app import main
from tests.conftest import SAMPLE_WEEKS

BEFORE, WEEK = SAMPLE_WEEKS[1:]
SELLER = "S0012"


def shown(home: Path, *arguments: str) -> list[str]:
    """The lines that a command prints; it ends well and says nothing on standard error."""
    result = CliRunner().invoke(main, [*arguments, "--home", str(home)])
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout.splitlines()


def refused(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--home", str(home)])
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def why(home: Path, metric: str, week: str = WEEK) -> list[str]:
    return shown(home, "why", metric, "--week", week)


@pytest.fixture
def changed(sample_home: Path, tmp_path: Path) -> Callable[..., Path]:
    """Makes a home of the sample's store after these statements."""

    def make(*statements: str) -> Path:
        home = tmp_path / "home"
        shutil.copytree(sample_home / "published", home / "published")
        with duckdb.connect(str(home / "published" / "metric_store.duckdb")) as store:
            store.execute("use metric_store.marts")
            for statement in statements:
                store.execute(statement)
        return home

    return make


def test_the_drivers_shown_are_those_published_and_add_up_to_the_change(sample_home: Path) -> None:
    with open_store(sample_home / "published" / "metric_store.duckdb") as store:
        changes = store.execute(
            "select metric_id, week_start::varchar, change from marts.fct_metric_week natural join marts.dim_metric "
            f"where dimension = 'overall' and unit = 'percent' and week_start > '{SAMPLE_WEEKS[0]}'"
        ).fetchall()
        drivers = store.execute(
            "select metric_id, week_start::varchar, dimension, member, effect "
            "from marts.fct_metric_driver_week order by dimension, driver_rank, member"
        ).fetchall()
    assert len(changes) == 2 * len({metric for metric, _, _ in changes}) > 10
    for metric, week, change in changes:
        text = "\n".join(why(sample_home, metric, week))
        assert f"change {change:+} points" in text if change else "no change" in text
        of = [row[2:] for row in drivers if row[:2] == (metric, week)]
        assert of, (metric, week)
        for dimension in {dimension for dimension, _, _ in of}:
            members = [(member, effect) for name, member, effect in of if name == dimension]
            assert abs(sum(effect for _, effect in members) - change) <= Decimal("0.01") * (len(members) + 1)
            [table] = re.findall(rf"^By {dimension}(?:, in points; .*:\n.*\n((?:.+\n?)+)| nothing moved)", text, re.M)
            found = [tuple(line.split()[:2]) for line in table.splitlines()]
            assert found == ([(m, str(e)) for m, e in members] if any(e for _, e in members) else [])


def test_a_change_is_told_with_its_interval_its_signal_and_what_is_usual(changed: Callable[..., Path]) -> None:
    home = changed(
        "update fct_metric_change_week set change_low = -14.50, change_high = -0.25, is_signal = true, "
        "usual_low = 56.00, usual_high = 61.25, usual_weeks = 8, is_unusual = true, value_year_before = 61.05 "
        f"where metric_id = 'o2d_ratio' and week_start = '{WEEK}'"
    )
    assert why(home, "o2d_ratio")[:4] == [
        "o2d_ratio of 2026-01-19: 55.75% (97 of 174)",
        "Usual range: 56.00% to 61.25%, by 8 of the 12 weeks before: unusual.",
        "52 weeks before: 61.05%",
        "Week before: 58.14% (100 of 172); change -2.39 points, 99 % interval -14.50 to -0.25: a signal.",
    ]


def test_a_change_that_may_be_chance(sample_home: Path) -> None:
    assert why(sample_home, "o2d_ratio")[1:3] == [
        "No usual range: 2 of the 12 weeks before have the rate, 6 are needed.",
        "Week before: 58.14% (100 of 172); change -2.39 points, 99 % interval -15.79 to +11.14: may be chance.",
    ]
    assert "change +1.83 points. It has no interval: " in "\n".join(why(sample_home, "claims_rate"))


def test_where_nothing_moved_or_there_is_no_week_before_it_says_so(changed: Callable[..., Path]) -> None:
    home = changed(
        f"update fct_metric_week set change = 0 where metric_id = 'o2d_ratio' and week_start = '{WEEK}'",
        "update fct_metric_driver_week set mix_effect = 0, rate_effect = 0, effect = 0 where metric_id = 'o2d_ratio'",
        f"delete from fct_failure_contribution_week where week_start = '{WEEK}'",
        "delete from fct_metric_driver_week where metric_id = 'settlement_sync_rate'",
        "update fct_metric_week set change = null where metric_id = 'settlement_sync_rate'",
        f"delete from fct_metric_week where metric_id = 'claims_rate' and week_start = '{WEEK}'",
    )
    same = why(home, "o2d_ratio")
    assert "; no change, 99 % interval" in same[2]
    assert same[3:] == ["", "By mall_segment nothing moved."]
    assert why(home, "brands_onboarded") == [
        "brands_onboarded of 2026-01-19: 3",
        "Week before: 3; nothing moved. A count has no interval and no drivers.",
    ]
    assert why(home, "manifestation_failure_rate")[-1] == "No failure category moved."
    first = why(home, "o2d_ratio", SAMPLE_WEEKS[0])
    assert first[-1] == "The week before, 2025-12-29, isn't published: there is no change to explain."
    assert len(first) == 3
    assert why(home, "settlement_sync_rate")[-1].startswith("There is no change to explain: one of the two weeks")
    assert why(home, "claims_rate") == ["claims_rate has no figure in 2026-01-19: its source had no file."]


def test_categories_that_moved_most_stand_first_with_the_clients_behind_them(changed: Callable[..., Path]) -> None:
    """Six categories moved, of one of them four clients; one stayed, one went."""
    rows = [("went", "all", BEFORE, 30), ("went", "c1", BEFORE, 30), ("stayed", "all", BEFORE, 9)]
    rows += [("stayed", "all", WEEK, 9), ("grew", "all", BEFORE, 10), ("grew", "all", WEEK, 60)]
    rows += [("grew", f"c{number}", WEEK, number * 10) for number in range(1, 5)]
    rows += [("grew", "c4", BEFORE, 10)]
    rows += [(f"small_{number}", "all", WEEK, number) for number in range(1, 5)]
    home = changed(
        "delete from fct_failure_contribution_week",
        "insert into fct_failure_contribution_week by name select week_start::date as week_start, "
        "'manifestation' as flow, oms_client, l2_category, failed, 50 as contribution, 1 as contribution_rank "
        f"from (values {', '.join(map(str, rows))}) as rows(l2_category, oms_client, week_start, failed)",
    )
    lines = why(home, "manifestation_failure_rate")
    place = next(number for number, line in enumerate(lines) if line.startswith("Failures by category"))
    assert [line.split()[:4] for line in lines[place + 2 :]] == [
        ["grew", "all", "10", "60"],
        ["grew", "c3", "0", "30"],
        ["grew", "c4", "10", "40"],
        ["grew", "c2", "0", "20"],
        ["went", "all", "30", "0"],
        ["went", "c1", "30", "0"],
        *([f"small_{number}", "all", "0", str(number)] for number in (4, 3, 2)),
        ["and", "1", "more", "in", "fct_failure_contribution_week"][:4],
    ]
    assert not any(line.startswith("Failures") for line in why(home, "o2d_ratio"))


def test_what_why_cannot_explain_is_refused_with_what_it_can(sample_home: Path) -> None:
    assert "There is no metric o2d. Did you mean o2d_ratio?" in refused(sample_home, "why", "o2d", "--week", WEEK)
    said = refused(sample_home, "why", "return_rate", "--week", WEEK)
    assert said.startswith("Error: return_rate is no figure of all sellers together")
    assert "o2d_ratio" in said
    assert "cancellation_rate" not in said.replace("sla_breach_cancellation_rate", "")


def test_a_waived_week_is_named(changed: Callable[..., Path]) -> None:
    home = changed(
        f"insert into fct_gate_waiver_week by name select date '{WEEK}' as week_start, 'days_present' as rule_id, "
        "'oms_logs' as scope, 'a feast' as reason, 'jo' as approved_by, date '2199-01-01' as valid_until"
    )
    for command in (("why", "o2d_ratio", "--week", WEEK), ("recovery", "--seller", SELLER)):
        result = CliRunner().invoke(main, [*command, "--home", str(home)])
        assert result.stderr == f"{WEEK} is published with a waiver: days_present of oms_logs, by jo: a feast\n"


def standing(metric: str, **figures: object) -> str:
    columns = {"week_start": f"date '{WEEK}'", "seller_id": f"'{SELLER}'", "metric_id": f"'{metric}'"}
    columns |= {name: f"date '{v}'" if isinstance(v, date) else str(v).lower() for name, v in figures.items()}
    return "insert into fct_seller_recovery_week by name select " + ", ".join(f"{v} as {n}" for n, v in columns.items())


def test_what_stands_against_a_seller_in_whole_orders(changed: Callable[..., Path]) -> None:
    home = changed(
        "delete from fct_seller_recovery_week",
        "update fct_seller_ovl_week set is_limited = true, daily_order_limit = 1500, limited_since = '2026-01-12', "
        f"met_weeks_in_a_row = 1 where week_start = '{WEEK}'",
        "delete from fct_seller_ovl_week where seller_id = 'S0012'",
        f"insert into fct_seller_ovl_week by name select * replace ('S0012' as seller_id) from fct_seller_ovl_week "
        f"where week_start = '{WEEK}' limit 1",
        standing("ovl_cancellation_rate", misses=1, units=50, is_on_target=True, misses_allowed=1, clean_units_needed=0)
        + ", date '2026-02-09' as recovers_on, 1200 as next_units, 2 as next_misses",
        standing("ovl_on_time_rate", misses=3, units=50, is_on_target=False, misses_allowed=1, clean_units_needed=100),
        standing("seller_cancel_rate", misses=2, units=31, is_on_target=False, misses_allowed=0, clean_units_needed=70)
        + ", date '2026-02-23' as recovers_on",
        standing("shipment_in_target_duration", misses=1, units=3, is_on_target=False),
        standing("customer_cancel_rate", misses=1, units=3),
    )
    assert shown(home, "recovery", "--seller", SELLER) == [
        "S0012 in the week of 2026-01-19, as of 2026-01-26 03:00 UTC",
        "Grade 4.50, gold",
        "Limited to 1,500 orders a day in the week of 2026-01-26, since 2026-01-12; from 2026-02-09 on no more, "
        "if every week to come is assessable and met",
        "",
        "ovl_cancellation_rate",
        "  1 of 50 orders counts against it, at most 1 may: on target.",
        "  Of 1,200 orders due in 2026-01-26, 2 count against it already.",
        "",
        "ovl_on_time_rate",
        "  3 of 50 orders count against it, at most 1 may: not on target.",
        "  100 more orders without a miss would have met it.",
        "",
        "customer_cancel_rate",
        "  1 of 3 sub-orders counts against it; it has no target.",
        "",
        "seller_cancel_rate",
        "  2 of 31 sub-orders count against it, none may: not on target.",
        "  70 more sub-orders without a miss bring it back.",
        "  As they leave the period: back on 2026-02-23, if nothing more counts against it.",
        "",
        "shipment_in_target_duration",
        "  1 of 3 orders counts against it, no number would do: not on target.",
        "  100,000 more orders without a miss would not be enough.",
    ]


def test_a_limit_outlasts_what_counts_and_orders_to_come_count_before_any_is_due(changed: Callable[..., Path]) -> None:
    limited = (
        "delete from fct_seller_recovery_week",
        "delete from fct_seller_grade_week",
        f"update fct_seller_ovl_week set seller_id = '{SELLER}', is_limited = true, daily_order_limit = 1, "
        f"limited_since = '2026-01-12', met_weeks_in_a_row = 1 where week_start = '{WEEK}' and seller_id = 'S0005'",
        f"delete from fct_seller_ovl_week where seller_id <> '{SELLER}' or not is_limited",
    )
    coming = standing("ovl_on_time_rate", misses=0, units=0, next_units=4, next_misses=1)
    home = changed(*limited, coming)
    lines = shown(home, "recovery", "--seller", SELLER)
    assert lines[1:] == [
        "Limited to 1 order a day in the week of 2026-01-26, since 2026-01-12; met in a row: 1",
        "",
        "ovl_on_time_rate",
        "  Nothing to judge in 2026-01-19.",
        "  Of 4 orders due in 2026-01-26, 1 counts against it already.",
    ]


def test_a_seller_against_whom_nothing_stands_and_one_that_is_none(changed: Callable[..., Path]) -> None:
    home = changed(
        "delete from fct_seller_recovery_week",
        "update fct_seller_grade_week set final_grade = null, tier = null",
        f"update fct_seller_ovl_week set seller_id = '{SELLER}' where seller_id = 'S0005'",
    )
    assert shown(home, "recovery", "--seller", SELLER)[1:] == [
        "No grade: nothing to judge",
        "No limit of orders",
        "No order counts against it in the limit or the grade.",
    ]
    said = refused(home, "recovery", "--seller", "S012")
    assert said.startswith("Error: There is no seller S012 in 2026-01-19. Did you mean S0012")
