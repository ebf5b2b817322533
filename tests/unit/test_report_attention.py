"""What a page tells first: what needs someone, in order of weight, and whether the week was late."""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.report_kit import BEFORE, WEEK, Made


def needs(made: Made) -> list[str]:
    """The lines of what needs someone, as text; each link in them leads somewhere."""
    page = made.page()
    [found] = re.findall(r'<section id="attention".*?</section>', page, re.DOTALL)
    for link in re.findall(r'href="(.*?)"', found):
        name, _, place = link.partition("#")
        assert f'id="{place}"' in page if not name else (made.home.reports / str(WEEK) / name).is_file(), link
    lines = re.findall(r"<li>.*?</li>", found, re.DOTALL) or [found]
    return [" ".join(re.sub(r"<[^>]+>", "", line).split()) for line in lines]


def test_what_needs_someone_is_listed_in_order_of_weight(made: Made) -> None:
    first = date(2025, 12, 22)
    for week, build in ((WEEK, "b2"), (BEFORE, "b1"), (first, "b0")):
        made.publish(week, build)
    made.catalogue("o2d_ratio", "bad_user_order_contribution", direction="high")
    made.catalogue("manifestation_failure_rate", "null_request_id_rate")
    of = {"dimension": "overall", "member": "mall"}
    for metric, change, sure, more in (
        ("o2d_ratio", "-6.57", "-5.00", {"is_unusual": True, "usual_low": 55, "usual_high": 60}),
        ("bad_user_order_contribution", "9.00", "8.00", {}),
        ("manifestation_failure_rate", "-7.00", "-6.00", {}),
    ):
        made.metric(metric, "50.78", change=Decimal(change), previous_value=Decimal("57.35"))
        bounds = {"change_low": sure if sure > "0" else change, "change_high": change if sure > "0" else sure}
        made.add("fct_metric_change_week", metric_id=metric, **of, **bounds, is_signal=True, **more)
    for client, value, effects in (("amber", "20.00", ("-4.00", "-1.00")), ("birch", "19.00", ("0.10", "-0.20"))):
        made.metric("null_request_id_rate", value, dimension="oms_client", member=client, change=Decimal(3))
        key = {"metric_id": "null_request_id_rate", "dimension": "oms_client", "member": client}
        made.add("fct_metric_change_week", **key, change_low=1, change_high=2, is_signal=client == "birch")
        driver = {"metric_id": "o2d_ratio", "dimension": "oms_client", "member": client}
        of_rate, of_mix = effects
        points = {"rate_effect": of_rate, "mix_effect": of_mix, "effect": Decimal(of_rate) + Decimal(of_mix)}
        made.add("fct_metric_driver_week", **driver, **points, driver_rank=1)
    made.metric("null_request_id_rate", "27.00", member="all")
    unusual = {"is_signal": False, "is_unusual": True, "usual_low": 10, "usual_high": 20}
    made.add("fct_metric_change_week", metric_id="null_request_id_rate", dimension="overall", member="all", **unusual)
    for scope in ("claims", "tickets"):
        judged = {"severity": "warning", "passed": False, "observed": 2.2735, "lower": 0.5, "upper": 2.0}
        made.add("fct_data_quality_week", rule_id="volume_shift", scope=scope, **judged)
    for client, week, verdict in (
        *(("amber", WEEK, "not_ready"), ("birch", WEEK, "not_ready"), ("cedar", WEEK, "ready")),
        *(("amber", BEFORE, "ready"), ("birch", BEFORE, "not_ready")),
    ):
        made.add("fct_oms_readiness_week", week_start=week, oms_client=client, verdict=verdict, reasons="headroom")
    coming = date(2026, 1, 19)
    for seller, since in (("S1", coming), ("S2", BEFORE)):
        made.add("fct_seller_ovl_week", seller_id=seller, is_limited=True, limited_since=since, applies_from=coming)
    for seller, tiers, change in (("S3", ("gold", "silver"), "-1.00"), ("S4", ("silver", "gold"), "1.00")):
        made.add("fct_seller_grade_week", week_start=BEFORE, seller_id=seller, tier=tiers[0])
        made.add("fct_seller_grade_week", seller_id=seller, tier=tiers[1], change=Decimal(change))
    for key in ("a", "b"):
        made.add("fct_restatement", key=key, restated_at=datetime(2026, 1, 20), cause="records")
    made.write()
    assert needs(made) == [
        "Signal T o2d_ratio fell from 57.4 to 50.8 % (−6.6 pts): mostly amber (−5.0 pts); usually 55.0 to 60.0 %",
        "Signal T bad_user_order_contribution rose from 57.4 to 50.8 % (+9.0 pts)",
        "Signal T manifestation_failure_rate fell from 57.4 to 50.8 % (−7.0 pts)",
        "Signal T null_request_id_rate of birch rose from – to 19.0 % (+3.0 pts)",
        "Unusual T null_request_id_rate is 27.0 %, usually 10.0 to 20.0 %",
        "Gate volume_shift claims 2.27, tickets 2.27; permitted 0.5 to 2",
        "Week The week of 29 December 2025 isn't published",
        "OMS client amber (new), birch are not ready for the peak: headroom",
        "Sellers 1 seller is newly limited: S1",
        "Sellers 1 seller fell a tier: S3",
        "Restated 2 published figures of 1 week changed; cause: records",
    ]


@pytest.mark.parametrize(("hours", "is_late"), [(19, True), (11, False)])
def test_a_week_that_was_published_late_is_told(made: Made, hours: int, is_late: bool) -> None:
    """Weeks of the store's first publication aren't late, however old they are."""
    made.publish(date(2025, 12, 29), "b0", "2026-01-12 10:00:00")
    made.publish(BEFORE, "b0", "2026-01-12 10:00:00")
    made.publish(WEEK, "b1", str(datetime(2026, 1, 19, 3) + timedelta(hours=hours)))
    made.publish(date(2026, 1, 19), "b2", "2026-02-19 03:00:00")
    made.db.execute("update marts.publication set calculated_at = week_start + interval 171 hours")
    made.write()
    late = [line for line in needs(made) if line.startswith("Late")]
    assert late == (["Late This week was published 7.0 h late, 19.0 h after its calculation"] if is_late else [])
    said = " ".join(re.sub(r"<[^>]+>", "", made.page().split('id="punctuality"')[1].split("</div>")[0]).split())
    assert (
        f"published {hours}.0 h after its calculation, and was due within 12 h: {'late' if is_late else 'in'}" in said
    )
    assert ("Late of the last 3 weeks: 2026-01-12." in said) == is_late
    assert 'id="punctuality"' not in made.page(week=BEFORE)
    assert "Late of the last 4 weeks: " in " ".join(made.page(week=date(2026, 1, 19)).split())


def test_where_nothing_needs_anyone_it_says_so(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.catalogue("o2d_ratio")
    made.metric("o2d_ratio", "3.00")
    made.write()
    assert "Nothing. The gate warned of nothing" in needs(made)[0]
    assert "No figure is compared with the week before" in needs(made)[0]
    made.add("fct_metric_change_week", metric_id="o2d_ratio", dimension="overall", member="mall", is_signal=False)
    shutil.rmtree(made.home.reports)
    made.write()
    assert "Nothing. No figure moved more than chance or is unusual" in needs(made)[0]
    assert "compared" not in needs(made)[0]
