"""The templates' environment: what values, rows of tables, dates and links look like on a page."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from orchestration.report import drawing
from orchestration.report.cells import change, figure, of_unit, raw, shown, signal
from orchestration.report.reading import HEADLINES
from orchestration.report.tables import Column, Table

TEMPLATES = Path(__file__).with_name("templates")
_SCRIPTS = ("tables", "seller", "sellers")
_STATES = {
    "published": "Published",
    "withheld": "Withheld",
    "waived": "Published with a waiver",
}


def render(template: str, **values: Any) -> str:
    """A template's text with these values in it."""
    return _environment().get_template(template).render(**values)


def _rows(table: Table, metrics: Mapping[str, Mapping[str, Any]], clients: Mapping[str, str], root: str = "") -> Markup:
    """The rows of a table as HTML. `clients`: the pages to be linked; `root`: the way to the week's folder."""
    opened = [f"<td{_class(column)}" for column in table.columns]
    names = [column.name for column in table.columns]
    metric = names.index("metric_id") if "metric_id" in names else None
    lines = []
    for row in table.rows:
        cells = ["<tr>"]
        unit = metrics.get(row[metric], {}).get("unit", "") if metric is not None else ""
        for column, start, value in zip(table.columns, opened, row, strict=True):
            if unit and column.name in _OF_THE_UNIT:
                text = change(value, unit) if column.name == "change" else of_unit(value, unit)
            else:
                text = _cell(column, value, metrics, clients, root)
            plain = raw(value)
            share = f' style="--share:{value}%"' if column.name == "contribution" else ""
            data = "" if plain == text else f' data-v="{escape(plain)}"'
            cells.append(f"{start}{share}{data}>{text}</td>")
        cells.append("</tr>\n")
        lines.append("".join(cells))
    return Markup("".join(lines))


#: Columns whose figures are of the metric's unit.
_OF_THE_UNIT = frozenset({"value", "previous_value", "adjusted_value", "change"})


def _class(column: Column) -> str:
    if column.is_text:
        return ' class="short"' if column.kind == "date" else ' class="hop"' if column.name == "hop" else ""
    return ' class="number bar"' if column.name == "contribution" else ' class="number"'


def _cell(
    column: Column,
    value: Any,
    metrics: Mapping[str, Mapping[str, Any]],
    clients: Mapping[str, str],
    root: str,
) -> str:
    """What stands in a cell, as HTML."""
    if not column.is_text or value is None:
        return shown(value, column.kind)  # numbers have nothing to escape
    text = str(escape(shown(value)))
    match column.name:
        case "metric_id" if value in metrics:
            name = escape(metrics[value]["setup_name"])
            return f'<a href="{root}index.html#def-{text}">{name}</a>'
        case "seller_id":
            return f'<a href="{root}{escape(_seller_link(value))}">{text}</a>'
        case "oms_client" if value in clients:
            return f'<a href="{root}clients/{escape(clients[value])}">{text}</a>'
        case "hop":
            return f'{text} <span class="quiet">{escape(drawing.HOPS.get(value, ""))}</span>'
        case "verdict":
            return f'<span class="badge {text}">{text.replace("_", " ")}</span>'
        case "passed":
            return '<span class="better">passed</span>' if value else '<span class="worse">failed</span>'
        case "reasons" | "incident_ids" | "cause":
            return text.replace(",", ", ")
    return text


def _place(metric: str) -> str:
    """The id of what a week's page says of a metric of all."""
    return f"card-{metric}" if metric in HEADLINES else "metrics"


def _long_date(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _span(week_start: date) -> str:
    """The days of a week: 2 to 8 May 2026."""
    last = week_start + timedelta(days=6)
    first = f"{week_start:%-d}"
    if week_start.month != last.month:
        first += f"{week_start: %B}"
    if week_start.year != last.year:
        first += f"{week_start: %Y}"
    return f"{first} to {_long_date(last)}"


def _moment(moment: datetime) -> str:
    return f"{moment:%a %-d %b %Y %H:%M}"


def safe_json(text: str) -> str:
    """JSON that neither ends a script element nor opens a comment in it."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _seller_link(seller: str) -> str:
    return f"sellers.html#seller={quote(seller, safe='')}"


def _hash_source(script: str) -> str:
    """What lets a page's policy run this script, and no other that stands in the page."""
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shown=shown,
        raw=raw,
        signal=signal,
        figure=figure,
        change=change,
        of_unit=of_unit,
        rows=_rows,
        long_date=_long_date,
        span=_span,
        moment=_moment,
        place=_place,
        dimension=drawing.dimension,
        seller_link=_seller_link,
    )
    scripts = {name: (TEMPLATES / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS}
    environment.globals.update(
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        scripts={name: Markup(text) for name, text in scripts.items()},
        script_hashes=Markup(" ".join(map(_hash_source, scripts.values()))),
        hops=drawing.HOPS,
        states=_STATES,
    )
    return environment
