"""`metric-store export`: published weeks as a workbook to pass on. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import duckdb
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from metric_store.errors import MetricStoreError
from metric_store.figures import families, figures, seller_figures, weeks_of
from metric_store.words import in_words
from orchestration.cli.metric import published_store, tell_waivers
from orchestration.errors import UsageError
from orchestration.home.layout import Home

#: What a sheet holds besides its head, and what a cell of text holds.
_MOST_ROWS, _MOST_CHARACTERS = 1_048_575, 32_767
#: Columns of a metric's unit: percent, a count, or neither.
_OF_UNIT = frozenset({"value", "previous_value", "usual_low", "usual_high"})
#: Excel shows the hundredfold of a percentage.
_FORMATS = {
    "percent": "0.00%",
    "count": "#,##0",
    "number": "#,##0.00",
    "seconds": "#,##0.000",
    "points": "+0.00;-0.00;0.00",
    "more": "+#,##0;-#,##0;0",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm",
}


@dataclass(frozen=True)
class Sheet:
    """Rows of the store, by the names of its columns. `percent`: rates, whatever the unit of the metric."""

    name: str
    rows: duckdb.DuckDBPyRelation
    percent: Sequence[str] = ()


def export(home: Home, weeks: Sequence[date], file: Path) -> None:
    """Write published weeks into a workbook. Raises MetricStoreError for weeks of which none is published."""
    if file.suffix.lower() != ".xlsx":
        raise UsageError(f"{file} is no name of a workbook: let it end with .xlsx.")
    if not file.absolute().parent.is_dir():
        raise MetricStoreError(f"There is no folder {file.absolute().parent}: make it, or name another file.")
    told: list[str] = []
    with published_store(home) as store:
        published = weeks_of(store, weeks[0], weeks[-1], told.append)
        sheets = _sheets(store, published, weeks, told.append)
        units: dict[str, str] = dict(store.execute("select metric_id, unit from marts.dim_metric").fetchall())
        with _workbook(file, store, published) as book:
            for sheet in sheets:
                _write(book, sheet, units)
        for text in dict.fromkeys(told):
            click.echo(text, err=True)
        tell_waivers(store, published)
    click.echo(f"{file}: {in_words(published)}; {', '.join(sheet.name for sheet in sheets)}")


def _sheets(
    store: duckdb.DuckDBPyConnection, published: Sequence[date], asked: Sequence[date], tell: Any
) -> list[Sheet]:
    brand = [metric for metric, family in families(store).items() if family == "brand"]
    of_weeks = {"weeks": list(published)}

    def select(query: str) -> duckdb.DuckDBPyRelation:
        return store.sql(query, params=of_weeks)

    return [
        Sheet("Headlines", figures(store, brand, None, published, tell), ("interval_low", "interval_high")),
        Sheet(
            "Failures",
            select(
                "from marts.fct_failure_contribution_week where list_contains($weeks, week_start) "
                "order by week_start, flow, oms_client <> 'all', oms_client, contribution_rank, l2_category"
            ),
            ("contribution",),
        ),
        Sheet(
            "Latency",
            select("from marts.fct_request_latency_week where list_contains($weeks, week_start) order by all"),
        ),
        Sheet(
            "Sellers",
            select("""
                select
                    week_start, seller_id, seller_name, brand_name, mall_segment, oms_client, final_grade, tier,
                    is_partial, previous_grade, change, is_limited, daily_order_limit, applies_from, limited_since,
                    reason
                from marts.fct_seller_grade_week
                full join marts.fct_seller_ovl_week using (week_start, seller_id)
                left join marts.dim_seller using (seller_id)
                where list_contains($weeks, week_start)
                order by week_start, seller_id
            """),
        ),
        Sheet("Seller figures", seller_figures(store, None, published)),
        Sheet(
            "Recovery",
            select("from marts.fct_seller_recovery_week where list_contains($weeks, week_start) order by all"),
        ),
        Sheet(
            "Quality",
            store.sql(
                """
                select verdicts.*, waivers.reason as waived_because, approved_by, valid_until
                from marts.fct_data_quality_week as verdicts
                left join marts.fct_gate_waiver_week as waivers using (week_start, rule_id, scope)
                where list_contains($weeks, week_start)
                order by week_start, passed, severity, rule_id, scope
                """,
                params={"weeks": list(asked)},  # of withheld weeks too
            ),
        ),
        Sheet("Definitions", store.sql("from marts.dim_metric order by family, metric_id")),
        Sheet(
            "Weeks",
            select("from marts.publication where is_current and list_contains($weeks, week_start) order by week_start"),
        ),
    ]


@contextmanager
def _workbook(file: Path, store: duckdb.DuckDBPyConnection, weeks: Sequence[date]) -> Iterator[xlsxwriter.Workbook]:
    """A workbook that takes the place of `file` when it is whole. The same store gives the same bytes."""
    [(published_at,)] = store.execute(
        "select max(published_at) from marts.publication where is_current and list_contains($weeks, week_start)",
        {"weeks": list(weeks)},
    ).fetchall()
    unfinished = file.with_name(f".{file.name}.unfinished")
    book = xlsxwriter.Workbook(str(unfinished), {"constant_memory": True})
    try:
        book.set_properties({"title": f"Metric store: {in_words(weeks)}", "created": published_at})
        yield book
        book.close()
        unfinished.replace(file)
    except FileCreateError as error:
        raise MetricStoreError(f"{file} can't be written: {error}\nName a file in another folder.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write(book: xlsxwriter.Workbook, sheet: Sheet, units: Mapping[str, str]) -> None:
    """A sheet with a frozen head and a filter. An id stays text, whatever it looks like."""
    page = book.add_worksheet(sheet.name)
    columns = sheet.rows.columns
    formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    place_of_metric = columns.index("metric_id") if "metric_id" in columns else None
    kinds = [
        "percent" if name in sheet.percent else "seconds" if name.endswith("_seconds") else None for name in columns
    ]
    page.freeze_panes(1, 1)
    for place, (name, of_type) in enumerate(zip(columns, sheet.rows.types, strict=True)):
        page.set_column(place, place, 24 if str(of_type) == "VARCHAR" else max(12, len(name) + 2))
        page.write_string(0, place, name, head)
    number = 0
    for number, row in enumerate(sheet.rows.iter_rows(), start=1):
        if number > _MOST_ROWS:
            raise MetricStoreError(
                f"{sheet.name} has more rows than a sheet holds, {_MOST_ROWS:,}: ask for fewer weeks."
            )
        unit = units.get(row[place_of_metric]) if place_of_metric is not None else None
        for place, value in enumerate(row):
            if value is not None:
                kind = kinds[place] or _kind(columns[place], value, unit)
                _write_cell(page, number, place, value, kind, formats)
    page.autofilter(0, 0, max(number, 1), len(columns) - 1)


def _kind(name: str, value: Any, unit: str | None) -> str:
    if name in _OF_UNIT and unit in ("percent", "count"):
        return str(unit)
    if name == "change" and unit == "count":
        return "more"
    if name == "change":
        return "points"
    if isinstance(value, datetime):
        return "time"
    if isinstance(value, date):
        return "date"
    return "count" if isinstance(value, int) else "number"


def _write_cell(
    page: xlsxwriter.worksheet.Worksheet, row: int, place: int, value: Any, kind: str, formats: Mapping[str, Any]
) -> None:
    if isinstance(value, str):
        text = value if len(value) <= _MOST_CHARACTERS else f"{value[: _MOST_CHARACTERS - 1]}…"
        page.write_string(row, place, text)
    elif isinstance(value, bool):
        page.write_boolean(row, place, value)
    elif isinstance(value, date):
        page.write_datetime(row, place, value, formats[kind])
    else:
        number = Decimal(str(value)) / 100 if kind == "percent" else value
        page.write_number(row, place, float(number), formats[kind])
