"""Turns what was read into pages. Not here: SQL, places, and what the pages look like (`templates/`)."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from orchestration.report import charts
from orchestration.report.attention import read_attention
from orchestration.report.cells import change, figure, raw, shown, signal
from orchestration.report.changes import read_placed, read_settling
from orchestration.report.drivers import read_drivers
from orchestration.report.pipeline import PipelineAtPeak
from orchestration.report.places import page_name
from orchestration.report.reading import (
    HEADLINES,
    HISTORY,
    Headline,
    SellerSummary,
    Week,
    read_absent_sources,
    read_client_tables,
    read_clients,
    read_headlines,
    read_metrics,
    read_outlook,
    read_restatements,
    read_sellers,
    read_unmeasured,
    read_week_tables,
)
from orchestration.report.sellers import SellerFile, read_kpis, read_seller_files, read_seller_rows, read_targets
from orchestration.report.tables import Column, Store, Table, bars

TEMPLATES = Path(__file__).with_name("templates")

HOPS = {
    "t1_t5": "whole flow",
    "t1_t2": "received to notified",
    "t2_t3": "notified to label made",
    "t3_t4": "label made to shared",
    "t2_t4": "notified to label shared",
    "t4_t5": "label shared to courier",
    "order_t1": "order to received",
}
#: The hops that add up to the whole flow, and that, in the chart of a week's days.
_CHART_HOPS = ("t1_t5", "t1_t2", "t2_t3", "t3_t4", "t4_t5")
#: The sections of a week's page, each a template in `templates/week`: its title, and what the way to it is called.
_WEEK_SECTIONS = {
    "headlines": ("Headlines", "Headlines"),
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
) -> dict[str, str]:
    """The files of a week by their path in its folder; of a withheld week that has no figures, one page that says why.

    `path` is the store's, `docs` the link to Data Docs from that folder.
    """
    shared: dict[str, Any] = {
        "week": week,
        "metrics": read_metrics(store),
        "previous": _neighbour(weeks, week, -1),
        "next": _neighbour(weeks, week, 1),
        "docs": docs,
        "pipeline": pipeline,
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
    moved = [line["metric_id"] for line in attention.lines if line["kind"] == "signal"]
    values = {
        **shared,
        "client_pages": dict(shared["clients"]),
        "tables": tables,
        "headlines": _with_sparklines(headlines, shared["metrics"]),
        "attention": attention,
        "drivers": read_drivers(store, week.week_start, moved),
        "orders": _orders(store, week.week_start, headlines),
        "settling": read_settling(store, week.week_start),
        "sellers": _summary(read_sellers(store, week.week_start)),
        "restatements": read_restatements(store, week),
        "unmeasured_headlines": {metric: unmeasured[metric] for metric in HEADLINES if metric in unmeasured},
        "unmeasured": {metric: columns for metric, columns in unmeasured.items() if metric not in HEADLINES},
        "absent_sources": read_absent_sources(store, week.week_start),
        "missing_tables": _missing([*tables.values(), shared["outlook"].table]),
        "latency_chart": _latency_chart(tables["latency_days"]),
        "maturity_chart": _maturity_chart(tables["maturity"], week.week_start),
        "calls_chart": _calls_chart(tables["manifest_days"]),
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
        "headlines": _with_sparklines(headlines, shared["metrics"]),
        "orders": None,
        "settling": None,
        "missing_tables": _missing([*tables.values(), shared["outlook"].table]),
        "latency_chart": _latency_chart(tables["latency_days"]),
        "calls_chart": _calls_chart(tables["manifest_days"]),
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
    names = _seller_names(shared["metrics"])
    metrics = [
        [metric_id, names[metric_id], m["direction"], m["formula"], m["description"]]
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


def _seller_names(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What a metric is called before its seller; where several are called the same, with their ids."""
    times = Counter(metric["seller_name"] for metric in metrics.values())
    return {
        metric_id: name if times[name] == 1 else f"{name} ({metric_id.replace('_', ' ')})"
        for metric_id, name in ((metric_id, metric["seller_name"]) for metric_id, metric in metrics.items())
    }


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


def _with_sparklines(
    headlines: Iterable[Headline], metrics: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Headline, Markup | None]]:
    drawn = []
    for headline in headlines:
        if headline.dimension == "oms_client":
            headline = _worst_first(headline, metrics[headline.figure["metric_id"]]["direction"])
        row = headline.figure
        there = [value for value in headline.history if value is not None]
        name = metrics[row["metric_id"]]["setup_name"]
        label = f"{name}, the last {len(headline.history)} weeks"
        usual = None if row["usual_low"] is None else (row["usual_low"], row["usual_high"])
        # each point of O2D is a first reading
        is_young = row["metric_id"] == "o2d_ratio"
        spark = charts.sparkline(headline.history, label, usual, is_young) if len(there) > 1 else None
        drawn.append((headline, spark))
    return drawn


def _orders(store: Store, week: date, headlines: Iterable[Headline]) -> dict[str, Any] | None:
    """The orders placed, where the headlines have no volume: now, before, year_before (rows), and their sparkline."""
    now, *before, year_before = read_placed(store, week, HISTORY)
    if now is None or any(headline.figure["metric_id"] == "order_volume" for headline in headlines):
        return None
    history = [row["denominator"] if row else None for row in reversed([now, *before])]
    spark = charts.sparkline(history, f"orders placed, the last {HISTORY} weeks") if any(before) else None
    return {"now": now, "before": before[0], "year_before": year_before, "spark": spark}


def _worst_first(headline: Headline, direction: str) -> Headline:
    """The headline with its members so ordered that those to look at are seen, where there are many."""

    def place(member: Mapping[str, Any]) -> tuple[bool, Any]:
        value = member["value"]
        return value is None, None if value is None else value if direction == "high" else -value

    return replace(headline, members=tuple(sorted(headline.members, key=place)))


def _latency_chart(days: Table) -> tuple[Markup, list[str]] | None:
    """The p95 of each hop, day by day, and what its lines are called."""
    records = [r for r in days.records() if r["attempt_scope"] == "all" and r["p95_seconds"] is not None]
    hops = [hop for hop in _CHART_HOPS if any(record["hop"] == hop for record in records)]
    at = {(record["hop"], record["day"]): record["p95_seconds"] for record in records}
    shown = sorted({record["day"] for record in records})
    if not hops:
        return None
    series = {HOPS[hop]: [at.get((hop, day)) for day in shown] for hop in hops}
    return (
        charts.lines([_weekday(day) for day in shown], series, "p95 of each hop, day by day, in seconds", "s"),
        list(series),
    )


def _calls_chart(days: Table) -> tuple[Markup, list[str]] | None:
    records = days.records()
    if not records:
        return None
    series = {
        "succeeded": [record["success"] for record in records],
        "failed": [record["failed"] for record in records],
    }
    return (
        charts.lines([_weekday(r["day"]) for r in records], series, "manifestation calls day by day", ""),
        list(series),
    )


def _maturity_chart(maturity: Table, week: date) -> tuple[Markup, list[str]] | None:
    """Each segment's cohorts, the oldest first."""
    records = maturity.records()
    shown = sorted({record["cohort_week_start"] for record in records})
    if len(shown) < 2:
        return None
    at = {(record["mall_segment"], record["cohort_week_start"]): record["ratio"] for record in records}
    series = {
        segment: [at.get((segment, cohort)) for cohort in shown]
        for segment in dict.fromkeys(record["mall_segment"] for record in records)
    }
    label = "what part of each week's orders has shipped by now, in percent"
    young = [place for place, cohort in enumerate(shown) if week - cohort < timedelta(weeks=4)]
    return charts.lines([f"{day:%-d %b}" for day in shown], series, label, "%", young), list(series)


def _summary(sellers: SellerSummary) -> dict[str, Any]:
    grades = sellers.grades
    drawn = None
    if len(grades) > 1:
        x = [f"{grade['grade']}" for grade in grades]
        drawn = charts.columns(x, [grade["sellers"] for grade in grades], "how many sellers have which grade")
    return {**vars(sellers), "grade_chart": drawn}


def _weekday(day: date) -> str:
    return f"{day:%a %-d}"


def _rows(table: Table, metrics: Mapping[str, Mapping[str, Any]], clients: Mapping[str, str], root: str = "") -> Markup:
    """The rows of a table as HTML. `clients`: the pages to be linked; `root`: the way to the week's folder."""
    opened = [f"<td{_class(column)}" for column in table.columns]
    names = [column.name for column in table.columns]
    metric = names.index("metric_id") if "metric_id" in names else None
    lines = []
    for row in table.rows:
        cells = ["<tr>"]
        is_count = metric is not None and metrics.get(row[metric], {}).get("unit") == "count"
        for column, start, value in zip(table.columns, opened, row, strict=True):
            text = (
                shown(int(value), column.kind)
                if is_count and column.name in _OF_THE_UNIT and value is not None
                else _cell(column, value, metrics, clients, root)
            )
            plain = raw(value)
            share = f' style="--share:{value}%"' if column.name == "contribution" else ""
            data = "" if plain == text else f' data-v="{escape(plain)}"'
            cells.append(f"{start}{share}{data}>{text}</td>")
        cells.append("</tr>\n")
        lines.append("".join(cells))
    return Markup("".join(lines))


#: Columns whose figures are of the metric's unit: whole numbers, where it counts.
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
            return f'{text} <span class="quiet">{escape(HOPS.get(value, ""))}</span>'
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
        rows=_rows,
        long_date=_long_date,
        place=_place,
        seller_link=_seller_link,
    )
    scripts = [(TEMPLATES / name).read_text(encoding="utf-8") for name in ("tables.js", "sellers.js")]
    environment.globals.update(
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        table_script=Markup(scripts[0]),
        seller_script=Markup(scripts[1]),
        script_hashes=Markup(" ".join(map(_hash_source, scripts))),
        hops=HOPS,
        states=_STATES,
        one_week=timedelta(days=6),
    )
    return environment


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
