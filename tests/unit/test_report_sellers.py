"""The page of the sellers: their order, what stands behind each, and what they come to together."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

from orchestration.report.spread import read_sellers
from orchestration.report.tables import Store
from tests.unit.report_kit import BEFORE, WEEK, Made


def test_sellers_to_look_at_are_first(made: Made) -> None:
    made.publish()
    for seller, grade, change, is_limited in (
        *(("best", "5.00", "0.10", None), ("low", "2.00", "0.00", False), ("fell", "4.00", "-0.50", None)),
        *(("fell most", "4.50", "-1.00", False), ("limited", "5.00", "0.00", True), ("none", None, None, None)),
    ):
        made.add("fct_seller_grade_week", seller_id=seller, final_grade=grade, change=change)
        if is_limited is not None:
            made.add("fct_seller_ovl_week", seller_id=seller, is_limited=is_limited)
    made.write()
    data = re.search(r'id="rows">(.*?)</script>', made.page("sellers.html"), re.DOTALL)
    assert data is not None
    assert [row[0] for row in json.loads(data[1])] == ["limited", "fell most", "fell", "low", "best", "none"]


def details(made: Made) -> dict[str, dict[str, Any]]:
    """By seller what stands behind its figures."""
    found: dict[str, dict[str, Any]] = {}
    for script in (made.home.reports / str(WEEK) / "sellers").glob("*.js"):
        found |= json.loads(script.read_text().partition(",")[2].removesuffix(");\n"))
    return found


def test_a_seller_is_told_what_would_end_its_limit_and_its_low_grade(made: Made) -> None:
    made.publish()
    made.add("dim_metric", metric_id="seller_cancel_rate", family="seller_grade", evidence_unit="sub_order")
    made.add("dim_metric", metric_id="ovl_on_time_rate", family="order_volume_limit", evidence_unit="order")
    misses = {"seller_id": "S1", "misses": 2, "units": 31, "is_on_target": False, "misses_allowed": 0}
    made.add(
        "fct_seller_recovery_week",
        **misses,
        metric_id="seller_cancel_rate",
        clean_units_needed=34,
        recovers_on=date(2026, 5, 4),
    )
    on_target = {"seller_id": "S1", "misses": 1, "units": 31, "is_on_target": True, "misses_allowed": 1}
    made.add(
        "fct_seller_recovery_week",
        **on_target,
        metric_id="ovl_on_time_rate",
        next_misses=0,
        recovers_on=date(2026, 2, 2),
    )
    made.add(
        "fct_seller_ovl_week",
        seller_id="S1",
        is_limited=True,
        daily_order_limit=1500,
        limited_since=BEFORE,
        applies_from=date(2026, 1, 19),
        reason="on_time_rate",
    )
    incident = {"metric_id": "shipping_on_time_rate", "dimension": "seller", "member": "S1", "incident_ids": "I1,I2"}
    raw_figures = {"numerator": 90, "denominator": 100, "value": Decimal("90.00"), "excused": 4}
    adjusted = {"adjusted_numerator": 90, "adjusted_denominator": 96, "adjusted_value": Decimal("93.75")}
    made.add("fct_incident_impact_week", **incident, **raw_figures, **adjusted)
    made.add("fct_incident_impact_week", **incident | {"dimension": "oms_client"}, **raw_figures, **adjusted)
    made.write()
    found = details(made)["S1"]
    assert found["limit"] == [
        "Limited to 1,500 orders a day in the week of 2026-01-19, since 2026-01-05; from 2026-02-02 on no more, "
        "if every week to come is assessable and met",
        "on_time_rate",
    ]
    assert found["recovery"] == [
        [
            "seller_cancel_rate",
            [
                "2 of 31 sub-orders count against it, none may: not on target.",
                "34 more sub-orders without a miss bring it back.",
                "As they leave the period: back on 2026-05-04, if nothing more counts against it.",
            ],
        ]
    ]
    assert found["incidents"] == [["shipping_on_time_rate", "90.00", "93.75", 4, 90, 100, 90, 96, "I1,I2"]]


def test_the_rate_of_all_sellers_is_rounded_as_the_marts_round(made: Made) -> None:
    """201 of 20,000 is 1.005 %: the nearest double lies below it."""
    made.publish()
    for seller, numerator, value in (("S1", 200, "2.00"), ("S2", 1, "0.01")):
        figures = {"numerator": numerator, "denominator": 10_000, "value": value}
        made.add("fct_seller_rating_week", seller_id=seller, kpi_id="return_rate", **figures)
    [rating] = read_sellers(Store(made.db), WEEK).ratings
    assert rating["of_all"] == Decimal("1.01")


def test_the_sellers_stand_under_what_they_come_to_together(made: Made) -> None:
    made.publish()
    for seller, numerator, denominator, value in (("S1", 1, 10, "10.00"), ("S2", 0, 30, "0.00"), ("S3", 0, 0, None)):
        figures = {"numerator": numerator, "denominator": denominator, "value": value}
        made.add("fct_seller_rating_week", seller_id=seller, kpi_id="return_rate", **figures)
    made.write()
    page = made.page("sellers.html")
    assert page.index('data-name="ratings"') < page.index('id="table"')
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page.split('data-name="ratings"')[1].split("</table>")[0])
    assert cells[1:] == ["2.5", "1", "40", "2", "0", "0", "0", "10.0", "10.0"]
