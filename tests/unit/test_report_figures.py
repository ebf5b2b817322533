"""What a page says and draws of figures: values, changes, signals, charts, and what a peak would bring."""

from __future__ import annotations

import importlib
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pygal.etree import etree

from orchestration.report import charts
from orchestration.report.cells import shown
from orchestration.report.reading import read_outlook
from orchestration.report.tables import Store
from orchestration.whatif.rehearsal import COLUMNS as REHEARSED
from orchestration.whatif.rehearsal import rehearse
from tests.unit.report_kit import BEFORE, WEEK, Made, load


def test_the_rehearsal_of_a_page_is_that_of_the_command_over_its_twelve_weeks(made: Made) -> None:
    shown = [date.fromordinal(WEEK.toordinal() - 7 * back) for back in (0, 11)]
    for number, week in enumerate([*shown, date.fromordinal(WEEK.toordinal() - 7 * 12)]):
        made.publish(week, f"b{number}")
        load(made, "amber", capacity=250 if week in shown else 101, week=week)
    load(made, "birch", capacity=400)
    made.catalogue("null_request_id_rate")
    for client in ("amber", "birch"):
        made.metric("null_request_id_rate", "3.00", dimension="oms_client", member=client)
    made.write()
    outlook = read_outlook(Store(made.db), WEEK)
    rehearsed = rehearse(made.db, sorted(shown), 1)
    assert outlook.weeks == tuple(sorted(shown))
    names = [column.name for column in outlook.table.columns]
    assert outlook.table.rows == [
        tuple(dict(zip(REHEARSED, row, strict=True))[name] for name in names) for row in rehearsed.rows
    ]
    factors = [(row["oms_client"], float(row["saturates_at_factor"])) for row in outlook.table.records()]
    assert factors == [("amber", 2.5), ("birch", 4.0)]
    assert re.search(r"<b>t1_t2</b>.*of <b>amber</b> saturates first,\nat <b>2.50 times</b>", made.page())
    of_birch = made.page("clients/birch.html")
    assert "4.00</td>" in of_birch
    assert "2.50</td>" not in of_birch


def test_the_verdicts_of_the_season_are_those_of_each_week(made: Made) -> None:
    for week, build in ((WEEK, "b1"), (BEFORE, "b0")):
        made.publish(week, build)
    made.add("fct_oms_readiness_week", oms_client="amber", verdict="not_ready")
    made.add("fct_oms_readiness_week", week_start=BEFORE, oms_client="amber", verdict="ready")
    made.add("fct_oms_readiness_week", oms_client="birch", verdict="at_risk")
    made.write()
    for week, verdicts in ((WEEK, [["ready", "not_ready"], ["", "at_risk"]]), (BEFORE, [])):
        table = re.search(r'data-name="season".*?<tbody>(.*?)</tbody>', made.page(week=week), re.DOTALL)
        rows = re.findall(r"<tr>.*?</tr>", table[1]) if table else []
        assert [re.findall(r'class="short" data-v="(.*?)"', row) for row in rows] == verdicts


@pytest.mark.parametrize(
    ("direction", "change", "is_signal", "expected"),
    [
        ("low", "1.20", True, "worse"),
        ("low", "-1.20", True, "better"),
        ("high", "1.20", True, "better"),
        ("neutral", "1.20", True, None),
        ("high", "-1.20", False, None),
        ("high", "-1.20", None, None),
    ],
)
def test_a_signal_is_better_or_worse_by_the_metric_s_direction(
    made: Made, direction: str, change: str, is_signal: bool | None, expected: str | None
) -> None:
    made.publish()
    made.catalogue("o2d_ratio", direction=direction)
    for row in ({}, {"dimension": "mall_segment", "member": "anchor"}):
        made.metric("o2d_ratio", "3.00", change=Decimal(change), previous_value=Decimal("1.80"), **row)
        if is_signal is not None:
            key = {"metric_id": "o2d_ratio", "dimension": "overall", "member": "mall", **row}
            made.add("fct_metric_change_week", **key, is_signal=is_signal)
    made.write()
    for page in (made.page(), made.home.report_index.read_text()):
        coloured = [word for tag in re.findall(r'class="([^"]*)"', page) for word in tag.split()]
        assert {word for word in coloured if word in ("better", "worse")} == ({expected} if expected else set())
        assert f"{Decimal(change):+.1f}".replace("-", "−") in page


def judge(made: Made, week: date, rule: str, scope: str, observed: float | None, **more: object) -> None:
    judged = {"severity": "error", "passed": True, "lower": 0.0, "upper": 60.0, **more}
    made.add("fct_data_quality_week", week_start=week, rule_id=rule, scope=scope, observed=observed, **judged)


def test_what_the_gate_saw_is_drawn_over_26_weeks_in_its_bounds(made: Made) -> None:
    for back in (0, 3, 25, 26):
        week, failed = WEEK - timedelta(weeks=back), back in (0, 3)
        made.publish(week, f"b{back}")
        judge(made, week, "null_request_id_rate_client", "amber", 91.25 if failed else 20.0 + back, passed=not failed)
        judge(made, week, "days_present", "oms_logs", 7, lower=7, upper=7)
        judge(made, week, "days_present", "claims", 6 + back % 2, lower=7, upper=7)
        judge(made, week, "keys_unique", "dim_metric", 0, upper=0)
    made.write()
    found = made.page().split('id="checks"')[1].split('data-name="quality"')[0]
    assert re.findall(r"<h4>(\w+)", found) == ["null_request_id_rate_client", "days_present"]
    assert ["permitted 0 to 60" in found, "permitted 7" in found] == [True, True]
    first, *others = re.findall(r"<svg.*?</svg>", found, re.DOTALL)
    path = re.search(r'<path d="([^"]*)"', first)
    assert path is not None
    assert re.findall(r"[ML]([\d.]+) ", path[1]) == ["5.0", "128.2", "145.0"], "the first of 26 weeks to this one"
    assert first.count('class="dot worse"') == 2
    assert first.count('class="usual"') == 1
    assert len(others) == 1
    assert "The same in every week: 7 in oms_logs." in found
    assert "keys_unique" in found.split("<details")[1]
    assert re.search(r'class="failed">.*?amber.*?<b class="worse">.*?>91.25<', found, re.DOTALL)


def test_what_moved_a_signal_is_drawn_from_the_week_before_to_this_one(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.catalogue("manifestation_failure_rate", "null_request_id_rate")
    for metric, is_signal in (("manifestation_failure_rate", True), ("null_request_id_rate", False)):
        made.metric(metric, "7.40", change=Decimal("4.40"), previous_value=Decimal("3.00"))
        of_all = {"metric_id": metric, "dimension": "overall", "member": "mall"}
        made.add("fct_metric_change_week", **of_all, change_low=1, change_high=5, is_signal=is_signal)
        for rank in range(1, 9):
            effects = {"rate_effect": Decimal("0.50"), "mix_effect": Decimal("0.05"), "effect": Decimal("0.55")}
            key = {"metric_id": metric, "dimension": "oms_client", "member": f"client <{rank}>"}
            made.add("fct_metric_driver_week", **key, **effects, driver_rank=rank)
    for week, client, failed in ((BEFORE, "amber", 122), (WEEK, "amber", 729), (WEEK, "birch", 6)):
        key = {"week_start": week, "flow": "manifestation", "l2_category": "oms_error", "oms_client": client}
        made.add("fct_failure_contribution_week", **key, failed=failed)
    for week, failed in ((BEFORE, 122), (WEEK, 735)):
        key = {"week_start": week, "flow": "manifestation", "l2_category": "oms_error", "oms_client": "all"}
        made.add("fct_failure_contribution_week", **key, failed=failed)
    made.write()
    page = made.page()
    drawn = re.findall(r'<svg class="chart fall".*?</svg>', page, re.DOTALL)
    assert len(drawn) == 1
    names = re.findall(r'<text x="0"[^>]*>(.*?)</text>', drawn[0])
    said = re.findall(r'<text class="end"[^>]*>(.*?)</text>', drawn[0])
    assert names == ["week before", *(f"client &lt;{rank}&gt;" for rank in range(1, 7)), "2 others", "this week"]
    assert said == ["3.0 %", *["+0.55"] * 6, "+1.1", "7.4 %"]
    bars = re.findall(r'<rect x="([\d.]+)"[^>]* width="([\d.]+)"', drawn[0])
    ends = [float(x) + float(width) - 2 for x, width in bars]
    assert ends[:-1] == pytest.approx([float(x) for x, _ in bars[1:]], abs=0.2), "each begins where the last one ended"
    changed = page.split('data-name="changed"')[1].split("</table>")[0]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", changed)
    assert [re.sub(r"<.*?>", "", cell) for cell in cells] == [
        *("manifestation", "oms_error", "122", "735", "amber", "122", "729")
    ]


def test_a_headline_says_what_is_usual_what_it_will_be_and_what_it_was(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.catalogue("o2d_ratio", "order_volume")
    made.add("fct_unmeasured_metric_week", metric_id="order_volume", missing_columns="sellers.oms_enabled_at")
    year_before = WEEK - timedelta(weeks=52)
    for week, value, placed in ((WEEK, "59.54", 1549), (BEFORE, "61.02", 668), (year_before, "48.07", 500)):
        made.metric("o2d_ratio", value, week_start=week, denominator=placed)
    made.add(
        "fct_metric_change_week",
        **{"metric_id": "o2d_ratio", "dimension": "overall", "member": "mall", "is_unusual": True},
        **{"usual_low": Decimal("60.10"), "usual_high": Decimal("63.20")},
    )
    settled = {"settled_low": Decimal("92.01"), "settled_expected": Decimal("92.50"), "settled_high": Decimal("93.00")}
    made.add("fct_o2d_settling_week", cohort_week_start=WEEK, mall_segment="mall", age_weeks=0, **settled)
    made.write()
    page = made.page()
    text = " ".join(re.sub(r"<[^>]+>", "", page.split('id="headlines"')[1].split("</section>")[0]).split())
    assert "Orders placed 1,549 from 668 12 weeks A year ago 500" in text
    assert "now, settles at 92.0 to 93.0 %" in text
    assert "Unusual: usually 60.1 to 63.2 %" in text
    assert "A year ago 48.1 %" in text
    spark = page.split('id="card-o2d_ratio"')[1].split("</article>")[0]
    assert re.search(r'<rect class="usual".*<circle [^>]*class="dot young"', spark)


@pytest.mark.parametrize(("direction", "first"), [("low", ["d", "c", "e", "a"]), ("high", ["b", "a", "e", "c"])])
def test_of_many_clients_a_headline_names_the_worst(made: Made, direction: str, first: list[str]) -> None:
    made.publish()
    made.catalogue("acceptance_failure_rate", direction=direction)
    made.metric("acceptance_failure_rate", "3.00", member="all")
    for client, value in (("a", "2.00"), ("b", "1.00"), ("c", "10.00"), ("d", "11.00"), ("e", "9.00")):
        made.metric("acceptance_failure_rate", value, dimension="oms_client", member=client)
    made.metric("acceptance_failure_rate", "0", dimension="oms_client", member="none", value=None)
    made.write()
    card = re.search(r'<table class="split">.*?</table>', made.page(), re.DOTALL)
    assert card is not None
    assert re.findall(r'<th scope="row">(.*?)</th>', card[0]) == first


def test_a_week_without_data_has_no_change_though_there_is_a_week_before(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio")
    nothing = {"value": None, "display_value": "No data available", "numerator": 0, "denominator": 0}
    made.metric("o2d_ratio", "0", previous_value=Decimal("57.35"), **nothing)
    made.write()
    assert "no change to show" in made.page()
    assert "no week before" not in made.page()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        *(("59.54", "percent", "59.5"), ("0.08", "percent", "0.08"), ("99.98", "percent", "99.98")),
        *(
            ("0.00", "percent", "0"),
            ("100.00", "percent", "100"),
            ("-6.57", "points", "−6.6"),
            ("0.00", "points", "±0"),
        ),
        *(("0.762", "seconds", "0.76 s"), ("89.96", "seconds", "90.0 s"), ("268.5", "seconds", "4.5 min")),
        ("0.00", "points", "±0"),
        *(("87771.838", "seconds", "24.4 h"), ("42.91", "hours", "42.9 h"), ("147.56", "hours", "6.1 d")),
    ],
)
def test_values_are_written_as_people_read_them(value: str, kind: str, expected: str) -> None:
    assert shown(Decimal(value), kind) == expected


def test_small_samples_are_marked(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio", "claims_rate")
    made.metric("o2d_ratio", "3.00", is_small_sample=True)
    made.metric("claims_rate", "4.00", is_small_sample=False)
    made.write()
    assert made.page().count('class="small-sample"') == 1


def test_the_change_of_a_count_is_a_whole_number(made: Made) -> None:
    made.publish()
    made.catalogue("claims_raised", unit="count", direction="neutral")
    made.metric("claims_raised", "13.00", display_value="13", change=Decimal("-2.00"), previous_value=Decimal("15.00"))
    made.write()
    assert "−2</span>" in made.page() or "−2\n" in made.page() or re.search(r"−2\s*<", made.page())
    assert "−2.00" not in made.page()


def test_sparklines_show_twelve_weeks_and_no_more(made: Made) -> None:
    made.catalogue("claims_rate")
    for back in range(14):
        week = date.fromordinal(WEEK.toordinal() - 7 * back)
        made.publish(week, f"b{back}")
        made.metric("claims_rate", f"{back}.00", week_start=week)
    made.write()
    drawn = re.findall(r"<svg[^>]*chart spark.*?</svg>", made.page(), re.DOTALL)
    assert len(drawn) == 1
    path = re.search(r'<path d="([^"]*)"', drawn[0])
    assert path is not None
    assert len(re.findall(r"[\d.]+ [\d.]+", path[1])) == 12


def test_charts_are_the_same_where_lxml_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """pygal takes lxml as soon as it is there, and then no element of the standard library's parser."""

    def drawn() -> list[str]:
        values = [Decimal("1.5"), None, 3, 4.25]
        picture = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", charts.plot(values, "a < b").decode())
        return [charts.sparkline(values, "a < b"), charts.lines("abcd", {"x & y": values}, "a", "s"), picture]

    without = drawn()
    monkeypatch.setattr(etree, "_etree", object())
    monkeypatch.setattr(etree, "lxml", True)
    importlib.reload(charts)
    assert drawn() == without
