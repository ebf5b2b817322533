"""The report in a real browser: what it shows is what the store has, it asks nobody for anything, and it is accessible.

The browser is the system's Chromium; without one these tests are skipped.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metric_store.reading import evidence_relation, open_store
from metric_store.recovery import STANDING
from orchestration.home.layout import Home
from orchestration.report.cells import raw
from orchestration.report.tables import CLIENT_TABLES, WEEK_TABLES
from orchestration.report.writing import write_report
from orchestration.whatif.rehearsal import COLUMNS as REHEARSED
from orchestration.whatif.rehearsal import rehearse
from tests.conftest import SAMPLE_WEEKS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine: apt install chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")

WEEK = date.fromisoformat(SAMPLE_WEEKS[-1])
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield running
        running.close()


class Visit:
    """A window, and what went wrong in it: errors of the page, and requests for anything but files of the disk."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.context.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path, fragment: str = "") -> Any:
        self.page.goto(path.as_uri() + fragment)
        return self.page

    @property
    def outside(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    made = Visit(browser, viewport=DESK)
    yield made
    made.context.close()
    assert made.errors == []
    assert made.requests
    assert made.outside == []


@pytest.fixture(scope="module")
def home(sample_home: Path) -> Home:
    return Home(sample_home)


def pages_of(home: Home) -> list[Path]:
    found = sorted(home.reports.rglob("*.html"))
    assert len(found) > 12
    return found


def rows_of(home: Home, sql: str, parameters: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
    with open_store(home.published_store) as store:
        return store.execute(sql, parameters or {}).fetchall()


#: Every table of the page that shows a published table as it is: name, source, columns and raw cells.
_READ_TABLES = """() => [...document.querySelectorAll("table.data[data-source]")].map(table => ({
    name: table.dataset.name, source: table.dataset.source,
    columns: [...table.tHead.rows[0].cells].map(cell => cell.dataset.column),
    rows: [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.dataset.v ?? cell.textContent.trim())),
    numbers: [...table.tBodies[0].querySelectorAll("td.number")].map(
        cell => [cell.textContent, cell.dataset.v ?? "", table.tHead.rows[0].cells[cell.cellIndex].dataset.column]),
}))"""
_READ_FIGURES = """() => [...document.querySelectorAll("[data-table]")].map(
    mark => ({...mark.dataset, text: mark.textContent})
)"""


def number(text: str) -> float:
    """The number that a reader sees."""
    return float(text.strip().rstrip("%").replace(",", "").replace("−", "-").replace("±", ""))


#: What the unit of a duration is in seconds.
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def is_rounded(text: str, value: str, column: str = "") -> bool:
    """Whether the text is the value, rounded to the decimals that the text has; durations are in the unit they name."""
    text, _, unit = text.strip().rstrip(" %").partition(" ")
    size = _UNITS.get(unit, 1)
    exact = float(value) * (3600 if column.endswith(("_hours", "_hours_for_95")) else 1)
    decimals = len(text.partition(".")[2])
    return abs(number(text) * size - exact) <= 0.5000001 * 10**-decimals * size


def check_tables(home: Home, found: list[dict[str, Any]], selections: Any, week: date, client: str | None) -> int:
    """Each table has exactly the rows that the store has; returns how many cells were compared."""
    cells = 0
    for table in found:
        if table["name"] == "restatements":
            continue  # not a selection of the week; the unit tests have it
        if table["name"] == "rehearsal":
            cells += check_rehearsal(home, table, client)
            continue
        where = selections[table["name"]].where
        parameters: dict[str, object] = {"week": week} | ({"client": client} if "$client" in where else {})
        stored = rows_of(
            home,
            f"select {', '.join(table['columns'])} from marts.{table['source']} where week_start = $week and ({where})",
            parameters,
        )
        expected = Counter(tuple("" if value is None else str(value) for value in map(raw, row)) for row in stored)
        shown = Counter(tuple("" if text == "–" else text for text in row) for row in table["rows"])
        assert shown == expected, table["name"]
        for text, value, column in table["numbers"]:
            assert text == "–" or is_rounded(text, value or text, column), (table["name"], column, text, value)
        cells += sum(len(row) for row in table["rows"])
    return cells


def check_figures(home: Home, figures: list[dict[str, Any]]) -> None:
    """Each number of a sentence is that of its row in the store."""
    for mark in figures:
        key = json.loads(mark["key"])
        where = " and ".join(f"{name}::varchar = ${name}" for name in key)
        [(stored,)] = rows_of(home, f"select {mark['column']} from marts.{mark['table']} where {where}", key)
        assert mark["v"] == raw(stored)
        if stored is not None:
            assert is_rounded(mark["text"], raw(stored)), mark


def check_rehearsal(home: Home, table: dict[str, Any], client: str | None) -> int:
    """The table of the page has what the rehearsal of all weeks finds; returns how many cells were compared."""
    with open_store(home.published_store) as store:
        found = rehearse(store, [date.fromisoformat(week) for week in SAMPLE_WEEKS], 1)
    rows = [dict(zip(REHEARSED, row, strict=True)) for row in found.rows]
    expected = [
        ["–" if row[name] is None else raw(row[name]) for name in table["columns"]]
        for row in rows
        if client in (None, row["oms_client"])
    ]
    assert [[text or "–" for text in row] for row in table["rows"]] == expected
    return sum(map(len, expected))


def test_every_number_of_the_week_is_the_store_s(visit: Visit, home: Home) -> None:
    page = visit.open(home.reports / str(WEEK) / "index.html")
    tables = page.evaluate(_READ_TABLES)
    assert {table["name"] for table in tables} >= {
        "metrics",
        "latency",
        "quality",
        "readiness",
        "failures",
        "rehearsal",
    }
    assert check_tables(home, tables, WEEK_TABLES, WEEK, None) > 2000
    figures = page.evaluate(_READ_FIGURES)
    assert len(figures) > 30
    check_figures(home, figures)


def test_every_number_of_a_client_is_the_store_s(visit: Visit, home: Home) -> None:
    clients = [path for path in (home.reports / str(WEEK) / "clients").glob("*.html") if "-" not in path.stem]
    cells = 0
    for path in clients:
        tables = visit.open(path).evaluate(_READ_TABLES)
        cells += check_tables(home, tables, CLIENT_TABLES, WEEK, path.stem)
    assert cells > 500


def test_every_number_of_the_sellers_is_the_store_s(visit: Visit, home: Home) -> None:
    page = visit.open(home.reports / str(WEEK) / "sellers.html")
    columns = page.evaluate("[...document.querySelectorAll('#table th')].map(head => head.dataset.column)")
    shown = page.evaluate(
        "[...document.querySelectorAll('#table tbody tr')].map(row => [...row.cells].map(cell => cell.dataset.v))"
    )
    assert all(
        text == "–" or is_rounded(text, value)
        for text, value in page.evaluate(
            "[...document.querySelectorAll('#table td.number')].map(cell => [cell.textContent, cell.dataset.v])"
        )
    )
    week: dict[str, object] = {"week": WEEK}
    grades = {
        row[0]: row[1:]
        for row in rows_of(
            home,
            "select seller_id, final_grade, tier, change from marts.fct_seller_grade_week where week_start = $week",
            week,
        )
    }
    rates = {
        (seller, kpi): value
        for seller, kpi, value in rows_of(
            home, "select seller_id, kpi_id, value from marts.fct_seller_rating_week where week_start = $week", week
        )
    }
    assert {row[0] for row in shown} == {seller for seller, _ in rates} | set(grades)
    kpis = columns[6:-3]
    assert set(kpis) == {kpi for _, kpi in rates}
    for row in shown:
        cells = dict(zip(columns, row, strict=True))
        grade = grades.get(row[0], (None, None, None))
        assert [cells["final_grade"], cells["tier"], cells["change"]] == [raw(value) for value in grade]
        assert [cells[kpi] for kpi in kpis] == [raw(rates.get((row[0], kpi))) for kpi in kpis]


def test_a_seller_s_page_has_the_grade_the_kpis_and_the_orders(visit: Visit, home: Home, tmp_path: Path) -> None:
    with open_store(home.published_store) as store:
        [(seller, metric, count)] = store.execute(
            f"select seller_id, metric_id, count(*) from {evidence_relation(store, home.published_store, WEEK)} "
            "where metric_id = 'pending_to_shipped_48h_rate' group by all order by 3 desc, 1 limit 1"
        ).fetchall()
        expected = store.execute(
            "select order_id, unit_id, happened_at::varchar, due_at::varchar, detail from "
            f"{evidence_relation(store, home.published_store, WEEK)} "
            "where seller_id = ? and metric_id = ? order by unit_id",
            [seller, metric],
        ).fetchall()
    page = visit.open(home.reports / str(WEEK) / "sellers.html", f"#seller={seller}")
    page.wait_for_selector("#seller-title")
    name = rows_of(home, "select seller_name from marts.dim_metric where metric_id = $metric", {"metric": metric})[0][0]
    with page.expect_download() as started:
        page.get_by_role("button", name=f"Download the orders against {name} as CSV").first.click()
    lines = list(csv.reader(io.StringIO(Path(started.value.path()).read_text("utf-8-sig"))))
    assert lines[0] == ["order_id", "unit_id", "happened_at", "due_at", "detail"]
    assert [tuple(line) for line in lines[1:]] == [tuple(value or "" for value in row) for row in expected]
    assert len(expected) == count > 0
    contributions = rows_of(
        home,
        "select contribution::varchar from marts.fct_seller_grade_metric_week "
        "where week_start = $week and seller_id = $seller order by metric_id",
        {"week": WEEK, "seller": seller},
    )
    with open_store(home.published_store) as store:
        recovery = store.execute(
            f"select lines from ({STANDING}) where seller_id = $seller and (not is_on_target or next_misses > 0) "
            "order by family, metric_id",
            {"week": WEEK, "seller": seller},
        ).fetchall()
    assert page.locator(".recovery dd").all_inner_texts() == ["\n".join(lines) for (lines,) in recovery]
    steps = page.locator(".waterfall b").all_inner_texts()
    assert [text.split(" = ")[-1] for text in steps[:-1]] == [row[0] or "–" for row in contributions]
    targets = {
        metric_id: (float(lower), float(upper), included)
        for metric_id, lower, upper, included in rows_of(
            home,
            "select metric_id, lower, upper, is_upper_included from marts.fct_target_week where week_start = $week",
            {"week": WEEK},
        )
    }
    assert targets.keys() >= {"ovl_cancellation_rate", "ovl_on_time_rate", "seller_cancel_rate"}
    scores = rows_of(
        home,
        "select metric_id, value from marts.fct_seller_grade_metric_week "
        "where week_start = $week and seller_id = $seller order by metric_id",
        {"week": WEEK, "seller": seller},
    )
    said = page.get_by_role("region", name="Metrics of the grade").locator("td:nth-child(8)").all_inner_texts()
    assert said == [in_words(targets[metric_id], value) for metric_id, value in scores]
    with page.expect_download() as started:
        page.get_by_role("button", name="Download this page").click()
    alone = tmp_path / "seller.html"
    started.value.save_as(alone)
    others = [row[0] for row in rows_of(home, "select seller_id from marts.dim_seller") if row[0] != seller]
    text = alone.read_text()
    assert seller in text
    assert "<script" not in text
    assert not [other for other in others if f">{other}<" in text], "a seller must not see another's figures"
    assert visit.open(alone).locator(".waterfall").count() == 1


def in_words(target: tuple[float, float, bool], value: Any) -> str:
    """A target and whether a value of the grade meets it, as the page says it."""
    lower, upper, included = target
    words = f"at least {lower:g} %" if upper == 100 else f"{'at most' if included else 'below'} {upper:g} %"
    met = lower <= value < upper or (included and value == upper) if value is not None else None
    return words + ("" if met is None else " met" if met else " missed")


def test_the_targets_of_the_limit_are_those_of_the_policy(visit: Visit, home: Home) -> None:
    [(seller, assessable)] = rows_of(
        home,
        "select seller_id, is_assessable from marts.fct_seller_operational_week where week_start = $week "
        "order by orders_due desc limit 1",
        {"week": WEEK},
    )
    page = visit.open(home.reports / str(WEEK) / "sellers.html", f"#seller={seller}")
    said = page.get_by_role("region", name="Targets of the order volume limit").locator("td:nth-child(3)")
    assert said.all_inner_texts() == ["at most 2 %", "at least 97 %"]
    assert (page.get_by_text("to be assessed").count() == 0) == assessable


def test_tables_are_sorted_filtered_and_downloaded_by_keyboard(visit: Visit, home: Home) -> None:
    page = visit.open(home.reports / str(WEEK) / "index.html")
    table = page.locator("table[data-name=latency]")
    head = table.get_by_role("button", name="p95")
    head.focus()
    page.keyboard.press("Enter")
    cells = table.locator("tbody tr td:nth-child(10)")
    values = [float(value) for value in cells.evaluate_all("cells => cells.map(cell => cell.dataset.v)") if value]
    assert values == sorted(values, reverse=True)
    assert table.locator("th[aria-sort=descending]").count() == 1
    page.get_by_label("Filter Latency by hop and user type").fill("t1_t2 first_try")
    left = table.locator("tbody tr:visible").count()
    assert 0 < left < len(values)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download Latency by hop and user type as CSV").press("Enter")
    lines = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text("utf-8-sig"))))
    assert len(lines) == left
    assert {(line["hop"], line["attempt_scope"]) for line in lines} == {("t1_t2", "first_try")}


_EMPTY = """() => [...document.querySelectorAll(
    "section, figure, .figure, .cards, .card, .beside, .checks, tbody, ul, ol, dl"
)].filter(block => !block.hidden && !block.textContent.trim() && !block.querySelector("svg"))
  .map(block => block.outerHTML.slice(0, 200))"""
_COLOURED = """() => {
    const probe = document.body.appendChild(document.createElement("i"));
    const colour = name => (probe.style.color = `var(--${name})`, getComputedStyle(probe).color);
    const signals = [colour("better"), colour("worse")];
    return [...document.querySelectorAll("main [data-table][data-column=change]")].map(
        mark => [mark.dataset.key, signals.includes(getComputedStyle(mark).color)]);
}"""


def test_no_block_is_without_data(visit: Visit, home: Home) -> None:
    for path in pages_of(home):
        page = visit.open(path)
        assert page.evaluate(_EMPTY) == [], path
        assert "Nothing to show" not in page.content()


def test_nothing_has_a_colour_that_is_no_signal(visit: Visit, home: Home) -> None:
    signals = set(
        rows_of(
            home,
            "select week_start::varchar, metric_id, dimension, member from marts.fct_metric_change_week "
            "inner join marts.dim_metric using (metric_id) where is_signal and direction <> 'neutral'",
        )
    )
    for path in (home.reports / str(WEEK) / "index.html", home.report_index):
        marks = visit.open(path).evaluate(_COLOURED)
        assert len(marks) > 15
        for mark, is_coloured in marks:
            key = json.loads(mark)
            names = ("week_start", "metric_id", "dimension", "member")
            assert is_coloured == (tuple(key[name] for name in names) in signals), (path, mark)


def test_what_is_not_measured_has_no_figure(visit: Visit, home: Home, tmp_path: Path) -> None:
    store = Home(tmp_path / "home").published_store
    shutil.copytree(home.published, store.parent)
    unmeasured = ["claims_rate", "sla_breach_cancellation_rate", "null_request_id_rate", "ship_kept_rate"]
    with duckdb.connect(str(store)) as db:
        for table in ("fct_metric_week", "fct_metric_change_week", "fct_metric_driver_week"):
            db.execute(f"delete from marts.{table} where list_contains(?, metric_id)", [unmeasured])
        db.executemany(
            "insert into marts.fct_unmeasured_metric_week values (?, ?, 'claims.order_id')",
            [(WEEK, metric) for metric in unmeasured],
        )
    write_report(Home(tmp_path / "home"))
    page = visit.open(tmp_path / "home" / "reports" / str(WEEK) / "index.html")
    said = page.locator("#headlines .card", has_text="Not measured: no file has claims.order_id")
    assert said.count() == 3
    assert not re.search(r"\d ?%", " ".join(said.all_inner_texts()).partition("Definition")[0])
    marks = [mark for mark in page.evaluate(_READ_FIGURES) if mark["table"] != "fct_data_quality_week"]
    assert [mark for mark in marks if any(name in mark["key"] for name in unmeasured)] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(browser: Any, home: Home, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe isn't installed").Axe()
    looked_at = [home.report_index, *(home.reports / str(WEEK) / name for name in ("index.html", "sellers.html"))]
    looked_at.append(next((home.reports / str(WEEK) / "clients").glob("*.html")))
    looked_at += [home.data_docs / "index.html", next(home.data_docs.glob("validations/**/*.html"))]
    visit = Visit(browser, viewport=DESK, color_scheme=scheme, bypass_csp=True)
    found = {}
    for path in looked_at:
        page = visit.open(path)
        page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        only = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # they differ by their colours alone
        looked = axe.run(page, options={"resultTypes": ["violations"], **only}).response
        assert len(looked["passes"]) >= (1 if scheme == "dark" else 6)
        for violation in looked["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:120] for node in violation["nodes"]]
                found[f"{path.name}: {violation['id']}"] = nodes[:3]
    visit.context.close()
    assert found == {}


def test_pages_fit_a_phone(browser: Any, home: Home) -> None:
    visit = Visit(browser, viewport=PHONE, is_mobile=True)
    for path in pages_of(home):
        page = visit.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    visit.context.close()
    assert visit.errors == []


def test_a_printed_page_has_the_heads_of_its_tables(visit: Visit, home: Home) -> None:
    page = visit.open(home.reports / str(WEEK) / "index.html")
    page.emulate_media(media="print")
    heads = page.locator("table[data-name=latency] th").all_inner_texts()
    assert heads[:3] == ["User type", "Hop", "Attempts"]
    assert not page.locator(".tools").first.is_visible()


def test_the_kpis_of_the_sellers_are_on_the_screen(browser: Any, home: Home) -> None:
    for size, options in ((DESK, {}), (PHONE, {"is_mobile": True})):
        visit = Visit(browser, viewport=size, **options)
        page = visit.open(home.reports / str(WEEK) / "sellers.html")
        ends = page.evaluate(
            "[...document.querySelectorAll('#table tbody tr:first-child td.number')]"
            ".map(cell => cell.getBoundingClientRect().right)"
        )
        visit.context.close()
        assert len(ends) > 9
        assert max(ends) <= size["width"]


def test_all_pages_and_the_data_docs_stay_on_the_disk_and_are_small(visit: Visit, home: Home) -> None:
    docs = [
        home.data_docs / "index.html",
        *home.data_docs.glob("validations/**/*.html"),
        home.data_docs / "expectations" / "gate.html",
    ]
    assert len(docs) >= 3
    for path in [*pages_of(home), *docs]:
        assert path.stat().st_size < 5_000_000
        assert visit.open(path).locator("h1").count() == 1
    listed = visit.open(docs[0]).locator("tbody a", has_text="open").count()
    assert listed >= len(docs) - 1, "the index of the data docs lists its pages without a network"


def test_the_guard_sees_a_request_that_leaves(browser: Any, tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    page = tmp_path / "page.html"
    page.write_text("<h1>x</h1><img src='http://192.0.2.1/x.png'><script>throw new Error('broken')</script>")
    visit = Visit(browser)
    visit.open(page)
    assert visit.outside == ["http://192.0.2.1/x.png"]
    assert "broken" in json.dumps(visit.errors)
    visit.context.close()
