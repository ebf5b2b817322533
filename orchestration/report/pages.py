"""Turns what was read into pages. Not here: SQL, places, and what the pages look like (`templates/`)."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from orchestration.report import drawing
from orchestration.report.attention import read_attention
from orchestration.report.catalogue import read_absent_sources, read_local, read_metrics, read_unmeasured
from orchestration.report.cells import change, figure, of_unit, raw, shown, signal
from orchestration.report.changes import read_settling
from orchestration.report.drivers import read_changed_failures, read_drivers
from orchestration.report.pipeline import PipelineAtPeak
from orchestration.report.places import page_name
from orchestration.report.reading import (
    HEADLINES,
    Week,
    read_client_tables,
    read_clients,
    read_headlines,
    read_outlook,
    read_restatements,
    read_sellers,
    read_week_tables,
)
from orchestration.report.sellers import SellerFile, read_kpis, read_seller_files, read_seller_rows, read_targets
from orchestration.report.tables import Column, Store, Table, bars

TEMPLATES = Path(__file__).with_name("templates")

#: The sections of a week's page, each a template in `templates/week`: its title, and what the way to it is called.
_WEEK_SECTIONS = {
    "headlines": ("Headlines", "Headlines"),
    "why": ("What moved them", "Why"),
    "failing": ("Why orders fail", "Failures"),
    "flow": ("How fast the flow is", "Flow"),
    "clients": ("OMS clients", "Clients"),
    "sellers": ("Sellers", "Sellers"),
    "catalogue": ("Brands, listings, tickets, settlements", "Assortment"),
    "ready": ("Readiness for the peak", "Readiness"),
    "trust": ("Can the figures be trusted?", "Data quality"),
    "definitions": ("Definitions", "Definitions"),
    "absent": ("Not on this page", "Not measured"),
}
#: The sections of a client's page, in `templates/client`.
_CLIENT_SECTIONS = {
    "headlines": ("Headlines", "Headlines"),
    "failing": ("Why calls fail", "Failures"),
    "flow": ("How fast the flow is", "Flow"),
    "ready": ("Readiness for the peak", "Readiness"),
    "trust": ("Log records", "Log records"),
    "absent": ("Not on this page", "Not measured"),
}
_STATES = {
    "published": "Published",
    "withheld": "Withheld",
    "waived": "Published with a waiver",
}


def week_pages(
    store: Store,
    path: Path,
    week: Week,
    weeks: Sequence[Week],
    docs: str | None,
    pipeline: PipelineAtPeak | None = None,
    zone: str = "UTC",
) -> dict[str, str]:
    """The files of a week by their path in its folder; of a withheld week that has no figures, one page that says why.

    `path` is the store's, `docs` the link to Data Docs from that folder, `zone` that in which times are told.
    """
    shared: dict[str, Any] = {
        "week": week,
        "metrics": read_metrics(store),
        "previous": _neighbour(weeks, week, -1),
        "next": _neighbour(weeks, week, 1),
        "docs": docs,
        "pipeline": pipeline,
        "zone": zone,
        "local": read_local(store, week.week_start, zone),
    }
    if not week.is_published:
        return {"index.html": _render("withheld.html", **shared, tables=read_week_tables(store, week.week_start))}
    clients = read_clients(store, week.week_start)
    shared["outlook"] = read_outlook(store, week.week_start)
    shared["clients"] = [(client, page_name(client)) for client in clients]
    pages = {"index.html": _week_page(store, week, shared)}
    for client, name in shared["clients"]:
        pages[f"clients/{name}"] = _client_page(store, week, client, shared)
    return pages | _seller_pages(store, path, week, shared)


def _week_page(store: Store, week: Week, shared: Mapping[str, Any]) -> str:
    tables = read_week_tables(store, week.week_start)
    unmeasured = read_unmeasured(store, week.week_start)
    headlines = read_headlines(store, week.week_start)
    attention = read_attention(store, week)
    moved = {line["metric_id"]: line for line in attention.lines if line["kind"] == "signal"}
    drivers = read_drivers(store, week.week_start, moved)
    values = {
        **shared,
        "client_pages": dict(shared["clients"]),
        "tables": tables,
        "headlines": drawing.with_sparklines(headlines, shared["metrics"]),
        "attention": attention,
        "drivers": drivers,
        "waterfalls": drawing.waterfalls(moved, drivers),
        "changed_failures": read_changed_failures(store, week.week_start),
        "orders": drawing.orders(store, week.week_start, headlines),
        "settling": read_settling(store, week.week_start),
        "sellers": drawing.summary(read_sellers(store, week.week_start)),
        "restatements": read_restatements(store, week),
        "unmeasured_headlines": {metric: unmeasured[metric] for metric in HEADLINES if metric in unmeasured},
        "unmeasured": {metric: columns for metric, columns in unmeasured.items() if metric not in HEADLINES},
        "absent_sources": read_absent_sources(store, week.week_start),
        "missing_tables": _missing([*tables.values(), shared["outlook"].table]),
        "latency_chart": drawing.latency_chart(tables["latency_days"]),
        "maturity_chart": drawing.maturity_chart(tables["maturity"], week.week_start),
        "calls_chart": drawing.calls_chart(tables["manifest_days"]),
        "pareto": bars(tables["failures"], ["flow", "oms_client"]),
    }
    return _render("week.html", **values, sections=_sections("week", _WEEK_SECTIONS, values))


def _client_page(store: Store, week: Week, client: str, shared: Mapping[str, Any]) -> str:
    tables = read_client_tables(store, week.week_start, client)
    headlines = read_headlines(store, week.week_start, _client_metrics(tables), client)
    values = {
        **shared,
        "client": client,
        "tables": tables,
        "headlines": drawing.with_sparklines(headlines, shared["metrics"]),
        "orders": None,
        "settling": None,
        "missing_tables": _missing([*tables.values(), shared["outlook"].table]),
        "latency_chart": drawing.latency_chart(tables["latency_days"]),
        "calls_chart": drawing.calls_chart(tables["manifest_days"]),
        "pareto": bars(tables["failures"], ["flow"]),
    }
    return _render("client.html", **values, sections=_sections("client", _CLIENT_SECTIONS, values))


def _sections(folder: str, titles: Mapping[str, tuple[str, str]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections of a page that have something to show: id, title, short (what the way to it is called), body."""
    sections = []
    for name, (title, short) in titles.items():
        body = _render(f"{folder}/{name}.html", **values).strip()
        if body:
            sections.append({"id": name, "title": title, "short": short, "body": Markup(body)})
    return sections


def _missing(tables: Iterable[Table]) -> list[str]:
    """The published tables that a store of an earlier release lacks."""
    return list(dict.fromkeys(table.source for table in tables if table.is_missing))


def _client_metrics(tables: Mapping[str, Table]) -> list[str]:
    """The first screen's metrics first, then what else the client has."""
    has = [record["metric_id"] for record in tables["metrics"].records()]
    return [metric for metric in HEADLINES if metric in has] + [metric for metric in has if metric not in HEADLINES]


def _seller_pages(store: Store, path: Path, week: Week, shared: Mapping[str, Any]) -> dict[str, str]:
    files, places, has_orders = read_seller_files(store, path, week.week_start)
    kpis = read_kpis(store, week.week_start)
    rows = ",\n".join(f"{row[:-1]},{places[seller]}]" for seller, row in read_seller_rows(store, week.week_start, kpis))
    metrics = [
        [metric_id, m["seller_name"], m["direction"], m["formula"], m["description"]]
        for metric_id, m in shared["metrics"].items()
    ]
    page = _render(
        "sellers.html",
        **shared,
        rows=Markup(_safe_json(f"[{rows}]")),
        setup=Markup(
            _safe_json(
                json.dumps(
                    {
                        "week": week.week_start.isoformat(),
                        "calculated": f"{week.calculated_at:%Y-%m-%d %H:%M} UTC",
                        "kpis": kpis,
                        "metrics": metrics,
                        "targets": read_targets(store, week.week_start),
                        "hasOrders": has_orders,
                    }
                )
            )
        ),
        count=len(places),
        has_orders=has_orders,
    )
    return {"sellers.html": page, **{f"sellers/{file.number}.js": _seller_script(file) for file in files}}


def _seller_script(file: SellerFile) -> str:
    """A script, because a page from a disk can load nothing else."""
    return f"metricStoreSellers({file.number},{_safe_json(file.json)});\n"


def index_page(store: Store, weeks: Sequence[Week], docs: str | None) -> str:
    """The index over weeks, the newest first, with the headline figures of each."""
    figures = {
        week.week_start: {headline.figure["metric_id"]: headline for headline in read_headlines(store, week.week_start)}
        for week in weeks
        if week.is_published
    }
    return _render(
        "index.html",
        weeks=list(reversed(weeks)),
        figures=figures,
        metrics=read_metrics(store),
        headline_ids=HEADLINES,
        docs=docs,
    )


def _neighbour(weeks: Sequence[Week], week: Week, step: int) -> date | None:
    wanted = week.week_start + step * timedelta(days=7)
    return wanted if any(other.week_start == wanted for other in weeks) else None


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
_OF_THE_UNIT = frozenset({"value", "previous_value", "change"})


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
        case "reasons":
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


def _safe_json(text: str) -> str:
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
    scripts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("tables.js", "sellers.js")]
    environment.globals.update(
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        table_script=Markup(scripts[0]),
        seller_script=Markup(scripts[1]),
        script_hashes=Markup(" ".join(map(_hash_source, scripts))),
        hops=drawing.HOPS,
        states=_STATES,
    )
    return environment


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
