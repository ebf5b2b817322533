"""The report's pages, rendered from small stores that are written by hand."""

from __future__ import annotations

import importlib
import json
import re
import shutil
from base64 import b64encode
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from pygal.etree import etree

from metric_store.reading import open_store
from orchestration.assets.markdown import table
from orchestration.cli.app import main
from orchestration.home.layout import Home
from orchestration.publication.store import _create
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, mart_tables
from orchestration.report import charts
from orchestration.report.cells import shown
from orchestration.report.places import page_name
from orchestration.report.reading import read_outlook, read_restatements, read_weeks
from orchestration.report.rendering import TEMPLATES
from orchestration.report.spread import read_sellers
from orchestration.report.tables import CLIENT_TABLES, COLUMNS, WEEK_TABLES, Store
from orchestration.report.writing import Written, write_report
from orchestration.transform.project import manifest_path
from orchestration.whatif.rehearsal import COLUMNS as REHEARSED
from orchestration.whatif.rehearsal import rehearse

WEEK, BEFORE = date(2026, 1, 12), date(2026, 1, 5)
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{7*7}}/../../etc"


TABLES = {
    table.name: table
    for table in (*mart_tables(manifest_path(Home.of())), PUBLICATION, RESTATEMENT)
    if not table.is_beside_store
}


class Made:
    """A home with a published store of all tables, empty but for the rows that a test puts in."""

    def __init__(self, root: Path, empty_store: Path) -> None:
        self.home = Home(root)
        self.home.published.mkdir(parents=True)
        shutil.copy(empty_store, self.home.published_store)

    def add(self, table: str, **values: object) -> None:
        """One row; the columns of the key that aren't named are a filler of their type."""
        row: dict[str, object] = {}
        for name in TABLES[table].key:
            kind = TABLES[table].columns[name][0].lower()
            row[name] = WEEK if kind == "date" else "x"
        row |= values
        with duckdb.connect(str(self.home.published_store)) as db:
            db.execute(
                f"insert into marts.{table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", [*row.values()]
            )

    def publish(self, week: date = WEEK, build: str = "b1", at: str = "2026-01-19 03:10:00") -> None:
        self.add(
            "publication",
            week_start=week,
            build_id=build,
            published_at=datetime.fromisoformat(at),
            calculated_at=datetime(2026, 1, 19, 3),
            code_version="0",
            is_current=True,
        )

    def metric(self, metric: str, percent: str, **more: object) -> None:
        self.add(
            "fct_metric_week",
            **{
                "metric_id": metric,
                "dimension": "overall",
                "member": "mall",
                "numerator": 1,
                "denominator": 2,
                "value": Decimal(percent),
                "display_value": f"{percent}%",
                "is_small_sample": False,
                **more,
            },
        )

    def catalogue(self, *metrics: str, unit: str = "percent", direction: str = "low") -> None:
        for metric in metrics:
            texts = dict.fromkeys(("setup_name", "seller_name", "export_name", "formula", "description"), f"T {metric}")
            self.add("dim_metric", metric_id=metric, family="brand", unit=unit, direction=direction, **texts)

    def write(self) -> Written:
        return write_report(self.home)

    def page(self, name: str = "index.html", week: date = WEEK) -> str:
        return (self.home.reports / str(week) / name).read_text()


class Elements(HTMLParser):
    """The elements of a page: (tag, attributes), and the text in tags of interest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "empty.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("create schema marts")
        for table in TABLES.values():
            _create(db, table)
    return path


@pytest.fixture
def made(tmp_path: Path, empty_store: Path) -> Made:
    return Made(tmp_path / "home", empty_store)


def test_every_column_of_a_table_is_a_column_of_the_store() -> None:
    tables = {table.name: table for table in (*mart_tables(manifest_path(Home.of())), RESTATEMENT)}
    for selection in (*WEEK_TABLES.values(), *CLIENT_TABLES.values()):
        for column in selection.columns.split():
            assert column in tables[selection.source].columns, (selection.source, column)
            assert column in COLUMNS


def test_an_empty_store_has_an_index(made: Made) -> None:
    assert made.write().weeks == ()
    assert "No week has been judged yet" in made.home.report_index.read_text()


def test_the_index_leads_to_the_docs_of_the_models_where_there_are_some(made: Made) -> None:
    made.write()
    assert "model_docs" not in made.home.report_index.read_text()
    made.home.model_docs.parent.mkdir()
    made.home.model_docs.touch()
    made.write()
    assert '<a href="../model_docs/index.html">How each figure is computed</a>' in made.home.report_index.read_text()


def test_an_empty_week_says_so(made: Made) -> None:
    made.publish()
    assert made.write().weeks == (WEEK,)
    page = made.page()
    assert "Published" in page
    assert "<table" not in page
    assert "The store has no figure of this week." in page
    assert re.findall(r"<h2.*?>(.*?)<", page) == ["What needs someone this week"]
    assert "[]" in made.page("sellers.html")


def test_what_is_not_there_is_said_once_at_the_end(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio", "claims_rate", "brands_onboarded")
    made.metric("claims_rate", "3.00")
    made.add("fct_unmeasured_metric_week", metric_id="o2d_ratio", missing_columns="seller_orders.shipped_at")
    made.add("fct_unmeasured_metric_week", metric_id="brands_onboarded", missing_columns="sellers.brand_id")
    for source in ("seller_orders", "claims"):
        made.add("fct_data_quality_week", rule_id="files_readable", scope=source, severity="error", passed=True)
    made.write()
    page = " ".join(made.page().split())
    headlines, end = (re.search(rf'<section id="{name}".*?</section>', page) for name in ("headlines", "absent"))
    assert headlines
    assert end
    assert 'T o2d_ratio</h3> <p class="note">Not measured: no file has seller_orders.shipped_at.' in headlines[0]
    assert "Not measured: T brands_onboarded. No file has sellers.brand_id." in end[0]
    assert "Not delivered: oms logs, packages, sellers, tickets," in end[0]
    assert re.findall(r'<section id="(\w+)"', page) == ["attention", "headlines", "trust", "definitions", "absent"]
    assert re.findall(r'<a href="#(\w+)">', page.split("<main")[0]) == ["headlines", "trust", "definitions", "absent"]


def test_a_withheld_week_names_the_rules_and_shows_no_figure(made: Made) -> None:
    judged = {"severity": "error", "observed": 6.0, "lower": 7.0, "upper": 7.0}
    made.add(
        "fct_data_quality_week",
        rule_id="days_present",
        scope="oms_logs",
        passed=False,
        is_withholding=True,
        message="is 6 <b>",
        **judged,
    )
    made.write()
    page = made.page()
    assert "This week is withheld" in page
    assert "is 6 &lt;b&gt;" in page
    assert not (made.home.reports / str(WEEK) / "sellers.html").exists()
    index = made.home.report_index.read_text()
    assert 'class="badge withheld"' in index
    assert "days_present" in index


def test_a_withheld_restatement_leaves_the_figures_and_says_so(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio")
    made.metric("o2d_ratio", "51.72")
    made.add(
        "fct_data_quality_week",
        rule_id="days_present",
        scope="oms_logs",
        severity="error",
        passed=False,
        is_withholding=True,
    )
    made.write()
    page = made.page()
    assert "A later build of the week was withheld" in page
    assert "51.7 %" in page
    assert 'class="badge published"' in page


def test_a_waived_week_shows_its_figures_and_what_was_waived(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio")
    made.metric("o2d_ratio", "51.72")
    said = "days_present of oms_logs is 6; waived until 2026-03-01 by Mo: <i>known</i>"
    made.add(
        "fct_data_quality_week",
        rule_id="r",
        scope="s",
        severity="error",
        passed=False,
        is_withholding=False,
        message=said,
    )
    made.add("fct_gate_waiver_week", rule_id="r", scope="s", reason="known", approved_by="Mo", valid_until=WEEK)
    made.write()
    page = made.page()
    assert 'class="badge waived"' in page
    assert "51.7 %" in page
    assert "by Mo: &lt;i&gt;known&lt;/i&gt;" in page
    assert "withheld by the gate" not in page
    assert 'class="badge waived"' in made.home.report_index.read_text()


def test_the_page_says_what_the_pipeline_took_at_peak_where_it_was_measured(made: Made) -> None:
    made.publish()
    load(made, "amber", capacity=250)
    made.write()
    assert "Not measured on this machine" in made.page()
    normal = {"records": 9_000, "run_seconds": 14.6, "run_cpu_seconds": 20.2, "peak_rss_bytes": 300 * 2**20}
    peak = {"records": 45_000, "run_seconds": 29.2, "run_cpu_seconds": 40.4, "peak_rss_bytes": 600 * 2**20}
    result = {"orders": 5000, "factor": 5, "measured_at": "2026-01-20T08:00:00+00:00", "normal": normal, "peak": peak}
    result["ratios"] = {"records": 5.0, "run_seconds": 2.0, "run_cpu_seconds": 2.0, "peak_rss_bytes": 2.0}
    made.home.pipeline_at_peak.write_text(json.dumps(result))
    assert made.write().weeks == (WEEK,), "the page follows the measurement"
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", made.page().split('data-name="pipeline"')[1].split("</table>")[0])
    assert cells[:4] == ["Records", "9,000", "45,000", "5"]
    assert cells[12:] == ["Memory of the largest process, MiB", "300", "600", "2"]
    assert "of 5,000 orders and of 5 times as many, measured on 2026-01-20" in " ".join(made.page().split())
    assert made.write().weeks == ()
    made.home.pipeline_at_peak.write_text("{}")
    made.write()
    assert "Not measured on this machine" in made.page()


def test_a_waiver_of_one_rule_leaves_a_week_withheld_by_another(made: Made) -> None:
    for rule in ("waived_rule", "other_rule"):
        withholds = rule == "other_rule"
        made.add(
            "fct_data_quality_week",
            rule_id=rule,
            scope="s",
            severity="error",
            passed=False,
            message=rule,
            is_withholding=withholds,
        )
    made.add("fct_gate_waiver_week", rule_id="waived_rule", scope="s")
    made.write()
    failed = re.search(r"<section class=\"notice\".*?</section>", made.page(), re.DOTALL)
    assert failed is not None
    assert "other_rule" in failed[0]
    assert "waived_rule" not in failed[0]


@pytest.mark.parametrize(
    ("table", "says_so"),
    [
        ("fct_gate_waiver_week", True),
        ("fct_target_week", False),
        ("fct_seller_recovery_week", False),
        ("fct_incident_impact_week", True),
        ("fct_hop_load_hour", True),
        ("fct_inventory_sync_week", True),
        ("fct_oms_readiness_week", True),
        ("fct_promise_week", True),
    ],
)
def test_a_store_of_an_earlier_release_may_lack_a_table(made: Made, table: str, says_so: bool) -> None:
    made.publish()
    made.catalogue("null_request_id_rate")
    made.metric("null_request_id_rate", "3.00", member="all")
    made.metric("null_request_id_rate", "3.00", dimension="oms_client", member="amber")
    made.add("fct_seller_rating_week", seller_id="S1", kpi_id="return_rate", value=Decimal("1.00"))
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute(f"drop table marts.{table}")
    assert made.write().weeks == (WEEK,)
    assert (f"had no table marts.{table}" in made.page()) == says_so
    assert "no table marts" not in made.page().replace(f"no table marts.{table}", "")
    assert made.page("clients/amber.html")
    assert ('"targets": null' in made.page("sellers.html")) == (table == "fct_target_week")


def load(made: Made, client: str, capacity: float, week: date = WEEK) -> None:
    """A week of hours in which one hop of a client was a queue of this capacity."""
    start = datetime.combine(week, datetime.min.time())
    with duckdb.connect(str(made.home.published_store)) as db:
        for hour in range(168):
            calls = 10 + 90 * min(hour % 24, 20) // 20
            seconds = round(calls * 2 / (1 - calls / capacity), 3)
            db.execute(
                "insert into marts.fct_hop_load_hour by name select cast($1 as date) as week_start, $2 as started_at, "
                "$3 as oms_client, 't1_t2' as hop, $4 as calls, $5 as total_seconds",
                [week, start + timedelta(hours=hour), client, calls, seconds],
            )


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
    with duckdb.connect(str(made.home.published_store)) as db:
        outlook = read_outlook(Store(db), WEEK)
        rehearsed = rehearse(db, sorted(shown), 1)
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


@pytest.mark.parametrize(("hours", "is_late"), [(19, True), (11, False)])
def test_a_week_that_was_published_late_is_told(made: Made, hours: int, is_late: bool) -> None:
    """Weeks of the store's first publication aren't late, however old they are."""
    made.publish(date(2025, 12, 29), "b0", "2026-01-12 10:00:00")
    made.publish(BEFORE, "b0", "2026-01-12 10:00:00")
    made.publish(WEEK, "b1", str(datetime(2026, 1, 19, 3) + timedelta(hours=hours)))
    made.publish(date(2026, 1, 19), "b2", "2026-02-19 03:00:00")
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("update marts.publication set calculated_at = week_start + interval 171 hours")
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


def reject(made: Made, source: str, *rows: tuple[str, str, str, str | None]) -> None:
    """Rejected records in the quarantine: (file, reason, columns, time)."""
    folder = made.home.quarantine / source
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute("create table bad (source_file text, reason text, columns text, event_at timestamp)")
        db.executemany("insert into bad values (?, ?, ?, ?)", rows)
        db.execute(
            f"copy (select *, '{source}' as source, rowid + 1 as row_number, timestamp '2026-01-13' as ingested_at, "
            """'{"attempt": "<b>", "seller_id": null}' as original from bad) """
            f"to '{folder}/{len(list(folder.iterdir())) + 1:08d}-1.parquet' (format parquet)"
        )


def test_rejected_records_are_shown_three_of_each_reason(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.home.config.mkdir()
    (made.home.config / "settings.csv").write_text(
        "key,value\nreporting_timezone,Asia/Kolkata\ncalculation_offset_hours,3\n"
    )
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("update marts.publication set calculated_at = week_start + interval 165 hours + interval 30 minutes")
    reject(made, "oms_logs", *[("a.csv", "bad_type", "attempt,seller_id", "2026-01-14")] * 4)
    reject(made, "oms_logs", ("a.csv", "not_in_set", "attempt", "2026-01-11 18:29"))  # a minute before the week
    reject(made, "sellers", ("s.csv", "bad_type", "attempt", "2020-01-01"))  # has no time of its own
    made.write()
    table = made.page().split('data-name="quarantine"')[1].split("</table>")[0]
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)]
    record = "{&#34;attempt&#34;: &#34;&lt;b&gt;&#34;, &#34;seller_id&#34;: null}"
    of_log = [f"a.csv, row {row}: attempt: &lt;b&gt;, seller_id: nothing {record}" for row in (1, 2, 3)]
    assert rows[1:] == [
        f"oms_logs bad_type 4 {' '.join(of_log)}",
        f"sellers bad_type 1 s.csv, row 1: attempt: &lt;b&gt; {record}",
    ]
    assert "not_in_set" in made.page(week=BEFORE)
    reject(made, "claims", ("c.csv", "bad_type", "attempt", "2026-01-14"))
    assert made.write().weeks == (WEEK,), "the page follows what is rejected"


def test_waivers_and_restatements_are_told_by_their_cause(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.add("fct_gate_waiver_week", rule_id="r", scope="s", reason="known", approved_by="Mo", valid_until=WEEK)
    for key, cause in (("a", "records"), ("b", "records"), ("c", "code")):
        made.add("fct_restatement", table_name="t", key=key, restated_at=datetime(2026, 1, 20), cause=cause)
    made.write()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", made.page().split('data-name="causes"')[1].split("</table>")[0])
    assert cells == ["records", "t", "2", "1", "2026-01-20 00:00", "code", "t", "1", "1", "2026-01-20 00:00"]
    waived = re.findall(r"<td[^>]*>(.*?)</td>", made.page().split('data-name="waivers"')[1].split("</table>")[0])
    assert waived == ["r", "s", "known", "Mo", str(WEEK)]


def test_the_index_shows_twelve_weeks_with_their_signals(made: Made) -> None:
    made.catalogue("claims_rate", "claims_raised")
    for back in (0, 2, 11, 12):
        week = WEEK - timedelta(weeks=back)
        made.publish(week, f"b{back}")
        made.metric("claims_rate", f"{back}.00", week_start=week, change=Decimal(1))
        key = {"metric_id": "claims_rate", "dimension": "overall", "member": "mall"}
        made.add("fct_metric_change_week", week_start=week, **key, is_signal=back in (2, 12))
    made.metric("claims_raised", "3.00")
    made.write()
    glance = made.home.report_index.read_text().split('id="h-glance"')[1].split("</section>")[0]
    [drawn] = re.findall(r'<a class="multiple" href="(.*?)"><span>(.*?)</span>(<svg.*?</svg>)<b>(.*?)</b>', glance)
    assert (*drawn[:2], drawn[3]) == (f"{WEEK}/index.html#card-claims_rate", "T claims_rate", "0 %")
    assert drawn[2].count("<circle") == 2
    assert drawn[2].count('class="dot worse"') == 1
    assert "claims_rate, the last 12 weeks; signals: worse 2 weeks ago" in drawn[2]
    assert 'id="card-claims_rate"' in made.page()
    heads = re.findall(r'data-column="(.*?)"', made.home.report_index.read_text())
    assert heads[:4] == ["week_start", "state", "claims_rate", "claims_raised"], "what no week has isn't there"


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


def test_metrics_of_one_name_are_told_apart(made: Made) -> None:
    made.publish()
    for metric in ("cancellation_rate", "global_cancellation_rate"):
        named = {"setup_name": "Cancellation Rate", "seller_name": "Cancellation Rate", "unit": "percent"}
        made.add("dim_metric", metric_id=metric, family="seller_rating", direction="low", **named)
    made.write()
    assert re.findall(r"<dt>(.*?) <code>", made.page()) == ["Cancellation Rate", "Cancellation Rate (global)"]


def test_a_week_is_told_in_the_reporting_time_zone(made: Made) -> None:
    made.publish()
    made.home.config.mkdir()
    settings = made.home.config / "settings.csv"
    settings.write_text("key,value\nreporting_timezone,Asia/Kolkata\ncalculation_offset_hours,3\n")
    made.write()
    said = "12 to 18 January 2026, as of Mon 19 Jan 2026 03:00 UTC, published Mon 19 Jan 2026 03:10"
    assert said in made.page(), "the published week isn't of that calendar"
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("update marts.publication set calculated_at = '2026-01-18 21:30:00'")
    made.write()
    assert "as of Mon 19 Jan 2026 03:00 Asia/Kolkata, published Mon 19 Jan 2026 08:40" in made.page()


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


def test_ids_from_files_are_text_wherever_they_stand(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.catalogue("o2d_ratio", "null_request_id_rate")
    made.metric("null_request_id_rate", "3.00", member="all")
    made.metric("null_request_id_rate", "3.00", dimension="oms_client", member=HOSTILE)
    made.add("dim_seller", seller_id=HOSTILE, seller_name=HOSTILE, brand_name=HOSTILE, oms_client=HOSTILE)
    made.add("fct_seller_grade_week", seller_id=HOSTILE, final_grade=Decimal("4.50"), tier=HOSTILE)
    made.add("fct_seller_grade_week", week_start=BEFORE, seller_id=HOSTILE, final_grade=Decimal("2.50"), tier="gold")
    made.add("fct_seller_rating_week", seller_id=HOSTILE, kpi_id="return_rate", value=Decimal("1.00"))
    made.add("fct_seller_ovl_week", seller_id=HOSTILE, is_limited=True, limited_since=WEEK, reason=HOSTILE)
    made.add("fct_failure_contribution_week", flow="acceptance", oms_client=HOSTILE, l2_category=HOSTILE, failed=1)
    made.add("fct_failure_contribution_week", flow="acceptance", oms_client="all", l2_category=HOSTILE, failed=1)
    made.add("fct_retry_reason_week", retry_reason=HOSTILE)
    made.add("fct_hop_load_hour", oms_client=HOSTILE, started_at=datetime(2026, 1, 12), calls=1, total_seconds=1)
    for week in (WEEK, BEFORE):
        made.add("fct_oms_readiness_week", week_start=week, oms_client=HOSTILE, verdict="ready")
    made.add(
        "fct_data_quality_week", scope=HOSTILE, severity="error", passed=False, is_withholding=True, message=HOSTILE
    )
    made.add("fct_restatement", key=HOSTILE, old_value=HOSTILE, restated_at=datetime(2026, 1, 20))
    made.write()
    pages = [path for path in made.home.reports.rglob("*") if path.suffix in (".html", ".js")]
    assert len(pages) >= 7
    assert all(path.resolve().is_relative_to(made.home.reports) for path in pages)
    shown = 0
    for path in pages:
        text = path.read_text()
        assert "<img" not in text.lower(), path
        assert "49/../" not in text
        if path.suffix == ".html":
            tags = Elements(text).found
            assert all(not name.startswith("on") for _, attributes in tags for name in attributes), path
            shown += text.count("&lt;/script&gt;")
    assert shown > 10
    data = re.search(r'id="rows">(.*?)</script>', made.page("sellers.html"), re.DOTALL)
    assert data is not None
    assert json.loads(data[1])[0][0] == HOSTILE
    [script] = (made.home.reports / str(WEEK) / "sellers").glob("*.js")
    inner = script.read_text().removeprefix("metricStoreSellers(0,").removesuffix(");\n")
    assert json.loads(inner)[0][0] == HOSTILE


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


def test_a_cell_of_markdown_is_neither_markup_nor_another_cell() -> None:
    hostile = "a|b\n| c\\| `x` [l](j) <img src=x> _i_ &amp;"
    text = table(("name", "n"), [(hostile, "1")], ["n"])
    escaped = "a\\|b \\| c\\\\\\| \\`x\\` \\[l\\](j) &lt;img src=x&gt; \\_i\\_ &amp;amp;"
    assert text.split("\n") == ["| name | n |", "| --- | ---: |", f"| {escaped} | 1 |"]


@pytest.mark.parametrize(
    "client", ["Amber", "amber/..", "", "..", "-", "ämber", "amber-0123abcd", "A" * 300, "con", "\ud800"]
)
def test_any_client_has_a_page_of_its_own(client: str) -> None:
    name = page_name(client)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*\.html", name)
    assert len(name) < 80
    assert name.lower() != page_name("amber")


def test_a_week_is_written_again_only_when_its_publication_changed(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    assert made.write().weeks == (BEFORE, WEEK)
    stamp = (made.home.reports / str(WEEK) / "index.html").stat().st_mtime_ns
    assert made.write().weeks == ()
    assert (made.home.reports / str(WEEK) / "index.html").stat().st_mtime_ns == stamp
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("update marts.publication set build_id = 'b9' where build_id = 'b1'")
    assert made.write().weeks == (WEEK,), "the week before shows nothing of this one"
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("update marts.publication set build_id = 'b8' where build_id = 'b0'")
    assert made.write().weeks == (BEFORE, WEEK), "the sparkline of the week shows the week before"
    made.add("fct_data_quality_week", severity="error", passed=False, is_withholding=True)
    assert made.write().weeks == (WEEK,), "a restatement was withheld"
    made.add("fct_metric_change_week", is_signal=True)
    assert made.write().weeks == (WEEK,), "a week further back was restated"


def test_a_page_that_was_not_finished_is_written_again(made: Made) -> None:
    made.publish()
    made.write()
    (made.home.reports / str(WEEK) / ".mark").unlink()
    (made.home.reports / str(WEEK) / "clients").mkdir()
    left = made.home.reports / str(WEEK) / "clients" / ".old.html.next"
    left.touch()
    assert made.write().weeks == (WEEK,)
    assert not left.exists()


def test_pages_of_a_store_that_was_begun_anew_go(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.write()
    (made.home.reports / "mine").mkdir()
    with duckdb.connect(str(made.home.published_store)) as db:
        db.execute("delete from marts.publication where build_id = 'b0'")
    made.write()
    assert {path.name for path in made.home.reports.iterdir()} == {"index.html", "mine", str(WEEK)}


def test_restatements_are_those_of_the_week_and_those_since_the_report_before(made: Made) -> None:
    made.publish(WEEK, "b2", "2026-01-19 03:10:00")
    made.publish(BEFORE, "b1", "2026-01-12 03:10:00")
    for key, week, at in (
        ("own", WEEK, "2026-02-01"),
        ("since", BEFORE, "2026-01-19 03:10:00"),
        ("older week", date(2025, 12, 29), "2026-01-13"),
        ("in the report before", date(2025, 12, 29), "2026-01-12 03:10:00"),
        ("later", BEFORE, "2026-01-26"),
        ("week after", date(2026, 1, 19), "2026-01-19"),
    ):
        made.add("fct_restatement", week_start=week, key=key, restated_at=datetime.fromisoformat(at))
    with duckdb.connect(str(made.home.published_store)) as db:
        store = Store(db)
        week = next(week for week in read_weeks(store) if week.week_start == WEEK)
        keys = {record["key"] for record in read_restatements(store, week).records()}
    assert keys == {"own", "since", "older week"}


def test_the_command_brings_lost_pages_back(made: Made) -> None:
    made.publish()
    called = [CliRunner().invoke(main, ["report", "--home", str(made.home.root)]) for _ in range(2)]
    assert [ended.exit_code for ended in called] == [0, 0]
    assert called[0].output.startswith(f"Pages written: {WEEK}\n")
    assert called[1].output.startswith("Pages written: none, all are up to date\n")
    shutil.rmtree(made.home.reports)
    assert CliRunner().invoke(main, ["report", "--home", str(made.home.root)]).exit_code == 0
    assert made.page()


def test_a_person_can_read_the_templates() -> None:
    files = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [(path.name, line) for path in files for line in path.read_text().splitlines() if len(line) > 120] == []


def test_the_rate_of_all_sellers_is_rounded_as_the_marts_round(made: Made) -> None:
    """201 of 20,000 is 1.005 %: the nearest double lies below it."""
    made.publish()
    for seller, numerator, value in (("S1", 200, "2.00"), ("S2", 1, "0.01")):
        figures = {"numerator": numerator, "denominator": 10_000, "value": value}
        made.add("fct_seller_rating_week", seller_id=seller, kpi_id="return_rate", **figures)
    with open_store(made.home.published_store) as connection:
        [rating] = read_sellers(Store(connection), WEEK).ratings
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


def test_a_page_holds_all_it_needs_and_forbids_the_rest(made: Made) -> None:
    made.publish()
    made.catalogue("o2d_ratio")
    made.metric("o2d_ratio", "3.00")
    made.write()
    for path in made.home.reports.rglob("*.html"):
        elements = Elements(path.read_text()).found
        assert not [e for e in elements if e[0] == "script" and "src" in e[1]]
        links = [e[1].get("href") for e in elements if e[0] == "link"]
        assert links == ["data:,"]
        policy = [e[1]["content"] for e in elements if e[1].get("http-equiv") == "Content-Security-Policy"]
        assert policy[0].startswith("default-src 'none'")
        allowed = re.search("script-src ([^;]*);", policy[0])
        scripts = re.findall("<script>(.*?)</script>", path.read_text(), re.DOTALL)
        hashes = {f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts}
        assert allowed
        assert hashes
        assert hashes | {"'self'", "file:"} <= set(allowed[1].split())
        assert "unsafe" not in allowed[1]
        assert "http" not in re.sub(r"http-equiv|http://www\.w3\.org/\S+", "", path.read_text())


def test_links_lead_to_pages(made: Made) -> None:
    made.publish()
    made.publish(BEFORE, "b0")
    made.catalogue("null_request_id_rate")
    for week in (WEEK, BEFORE):
        made.metric("null_request_id_rate", "3.00", week_start=week, member="all")
        made.metric("null_request_id_rate", "3.00", week_start=week, dimension="oms_client", member="Client A")
        made.add("fct_oms_readiness_week", week_start=week, oms_client="Client A", verdict="ready")
    made.write()
    followed = 0
    for path in made.home.reports.rglob("*.html"):
        elements = Elements(path.read_text()).found
        ids = {attributes.get("id") for _, attributes in elements}
        for tag, attributes in elements:
            link = attributes.get("href") or ""
            if tag == "a" and link.startswith("#"):
                assert link[1:] in ids, (path, link)
            elif tag == "a":
                assert (path.parent / link.partition("#")[0]).is_file(), (path, link)
                followed += 1
    assert followed > 20
