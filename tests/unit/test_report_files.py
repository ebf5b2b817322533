"""The files of the report: when they are written and removed, where their links lead, and that nothing in them runs."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from orchestration.assets.markdown import table
from orchestration.cli.app import main
from orchestration.report.places import page_name
from orchestration.report.rendering import TEMPLATES
from tests.unit.report_kit import BEFORE, WEEK, Made

HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{7*7}}/../../etc"


class Elements(HTMLParser):
    """The elements of a page: (tag, attributes), and the text in tags of interest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


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
    made.db.execute("update marts.publication set build_id = 'b9' where build_id = 'b1'")
    assert made.write().weeks == (WEEK,), "the week before shows nothing of this one"
    made.db.execute("update marts.publication set build_id = 'b8' where build_id = 'b0'")
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
    made.db.execute("delete from marts.publication where build_id = 'b0'")
    made.write()
    assert {path.name for path in made.home.reports.iterdir()} == {"index.html", "mine", str(WEEK)}


def test_the_command_brings_lost_pages_back(made: Made) -> None:
    made.publish()
    made.close()
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
