"""`export`: a workbook whose cells are the store's, each of its kind."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter.exceptions import FileCreateError

import orchestration.cli.export
from metric_store.reading import open_store
from tests.store_kit import FIRST, SECOND, SELLERS, WAIVER, WITHHELD, make_store
from tests.unit.cli_kit import call, ends

UNMEASURED = f"{SECOND}: not measured: brands_onboarded (no file of sellers has onboarded_at)\n"
WAIVED = f"{SECOND} is published with a waiver: {WAIVER}\n"
#: By sheet the published rows that it shows, as a query of its own, and the columns that are percentages.
SHEETS: dict[str, tuple[str, str]] = {
    "Headlines": (
        "select metric_id, figures.*, build_id from fct_metric_week as figures "
        "join (from publication where is_current) using (week_start) "
        "where dimension = 'overall' order by metric_id, week_start",
        "interval_low interval_high",
    ),
    "Failures": (
        "from fct_failure_contribution_week order by week_start, flow, oms_client <> 'all', oms_client, "
        "contribution_rank, l2_category",
        "contribution",
    ),
    "Latency": ("from fct_request_latency_week order by all", ""),
    "Sellers": (
        "from fct_seller_grade_week full join fct_seller_ovl_week using (week_start, seller_id) "
        "order by week_start, seller_id",
        "",
    ),
    "Seller figures": (
        "select * exclude (total) replace (value::decimal(9, 2) as value) from ("
        "select week_start, seller_id, kpi_id as metric_id, numerator, denominator, value, display_value, "
        "period_start from fct_seller_rating_week union all by name "
        "select week_start, seller_id, metric_id, numerator, denominator, value, score, weight, contribution "
        "from fct_seller_grade_metric_week union all by name "
        "select week_start, seller_id, unnest(['ovl_cancellation_rate', 'ovl_on_time_rate']) as metric_id, "
        "unnest([cancelled_seller_fault, orders_due - not_on_time]) as numerator, orders_due as denominator, "
        "unnest([cancellation_rate, on_time_rate]) as value, is_met from fct_seller_operational_week) "
        "join (select metric_id, family, total from dim_metric) using (metric_id) "
        "order by week_start, seller_id, family, metric_id",
        "",
    ),
    "Recovery": ("from fct_seller_recovery_week order by all", ""),
    "Quality": ("from fct_data_quality_week order by week_start, passed, severity, rule_id, scope", ""),
    "Definitions": ("from dim_metric order by family, metric_id", ""),
    "Weeks": ("from publication where is_current order by week_start", ""),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_store(tmp_path / "home").parent.parent


def exported(home: Path, weeks: str, said: str = "") -> dict[str, Worksheet]:
    file = home / "figures.xlsx"
    result = call("export", "--home", home, "--weeks", weeks, "-o", file)
    assert (result.exit_code, result.stderr) == (0, said)
    assert [path.name for path in home.glob("*xlsx*")] == ["figures.xlsx"]
    return {sheet.title: sheet for sheet in openpyxl.load_workbook(file)}


def cells(sheet: Worksheet) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows()
    return [dict(zip((cell.value for cell in head), row, strict=True)) for row in rows]


def as_shown(value: Any, form: str) -> Any:
    """What a cell says: Excel shows a percentage hundredfold."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(Decimal(str(value)) * (100 if form == "0.00%" else 1), 3)
    return value


def as_stored(value: Any) -> Any:
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return round(Decimal(str(value)), 3)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def test_every_cell_is_what_the_store_has(home: Path) -> None:
    missing = f"Not published, and so not in this: {WITHHELD}; {WITHHELD} is withheld, by two days are missing\n"
    sheets = exported(home, f"{FIRST}..{WITHHELD}", missing + UNMEASURED + WAIVED)
    assert list(sheets) == list(SHEETS)
    with open_store(home / "published" / "metric_store.duckdb") as store:
        store.execute("use metric_store.marts")
        units = dict(store.execute("select metric_id, unit from dim_metric").fetchall())
        for name, (query, percent) in SHEETS.items():
            published = store.sql(query)
            rows = published.fetchall()
            shown = cells(sheets[name])
            assert len(shown) == len(rows) > 0, name
            for row, values in zip(shown, rows, strict=True):
                stored = dict(zip(published.columns, values, strict=True))
                compared = stored.keys() & row.keys()
                assert {"week_start", "metric_id"} & compared, name
                of_unit = units.get(stored.get("metric_id", "")) == "percent"
                for column in compared:
                    cell, value = row[column], stored[column]
                    is_rate = column in percent.split() or (of_unit and column in ("value", "previous_value"))
                    if value is not None and is_rate:
                        assert cell.number_format == "0.00%", (name, column)
                    assert as_shown(cell.value, cell.number_format) == as_stored(value), (name, column)
                    if isinstance(value, str):
                        assert cell.data_type == "s", (name, column, value)


def test_an_id_stays_text_whatever_it_looks_like(home: Path) -> None:
    sellers = cells(exported(home, SECOND, UNMEASURED + WAIVED)["Sellers"])
    assert [(row["seller_id"].value, row["seller_id"].data_type) for row in sellers] == [(s, "s") for s in SELLERS]
    assert (sellers[0]["reason"].value, sellers[0]["reason"].data_type) == ("=late", "s")
    assert sellers[1]["tier"].data_type == "s"
    assert (sellers[0]["limited_since"].value, sellers[0]["limited_since"].number_format) == (
        datetime(2026, 1, 12),
        "yyyy-mm-dd",
    )


def test_heads_are_frozen_and_every_sheet_filters(home: Path) -> None:
    for name, sheet in exported(home, FIRST).items():
        assert sheet.freeze_panes == "B2", name
        assert sheet.auto_filter.ref == sheet.dimensions or sheet.max_row == 1, name


def test_the_same_store_gives_the_same_bytes(home: Path) -> None:
    exported(home, FIRST)
    before = (home / "figures.xlsx").read_bytes()
    exported(home, FIRST)
    assert (home / "figures.xlsx").read_bytes() == before


def test_what_cannot_be_exported_leaves_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(weeks: str, file: str) -> Any:
        return call("export", "--home", home, "--weeks", weeks, "-o", home / file)

    ends(export(WITHHELD, "a.xlsx"), 1, f"{WITHHELD} isn't published: the gate withheld it")
    ends(export(FIRST, "a.csv"), 2, "let it end with .xlsx")
    ends(export(FIRST, "none/a.xlsx"), 1, f"There is no folder {home / 'none'}")

    def refused(book: xlsxwriter.Workbook) -> None:
        raise FileCreateError(PermissionError(13, "Permission denied"))

    with monkeypatch.context() as patch:
        patch.setattr(xlsxwriter.Workbook, "close", refused)
        ends(export(FIRST, "a.xlsx"), 1, f"{home / 'a.xlsx'} can't be written: [Errno 13] Permission denied")
    monkeypatch.setattr(orchestration.cli.export, "_MOST_ROWS", 2)
    ends(export(FIRST, "a.xlsx"), 1, "Headlines has more rows than a sheet holds, 2: ask for fewer weeks")
    assert [path.name for path in home.iterdir()] == ["published"]
