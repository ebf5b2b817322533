"""The report's pages, rendered from small stores that are written by hand."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.publication.tables import RESTATEMENT, mart_tables
from orchestration.report.reading import read_restatements, read_weeks
from orchestration.report.tables import CLIENT_TABLES, COLUMNS, WEEK_TABLES, Store
from orchestration.transform.project import manifest_path
from tests.unit.report_kit import BEFORE, WEEK, Made, load


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
    made.db.execute(f"drop table marts.{table}")
    assert made.write().weeks == (WEEK,)
    assert (f"had no table marts.{table}" in made.page()) == says_so
    assert "no table marts" not in made.page().replace(f"no table marts.{table}", "")
    assert made.page("clients/amber.html")
    assert ('"targets": null' in made.page("sellers.html")) == (table == "fct_target_week")


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
    made.db.execute(
        "update marts.publication set calculated_at = week_start + interval 165 hours + interval 30 minutes"
    )
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
    made.db.execute("update marts.publication set calculated_at = '2026-01-18 21:30:00'")
    made.write()
    assert "as of Mon 19 Jan 2026 03:00 Asia/Kolkata, published Mon 19 Jan 2026 08:40" in made.page()


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
    store = Store(made.db)
    week = next(week for week in read_weeks(store) if week.week_start == WEEK)
    keys = {record["key"] for record in read_restatements(store, week).records()}
    assert keys == {"own", "since", "older week"}
