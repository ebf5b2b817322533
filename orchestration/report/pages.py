"""Renders the pages. Not here: SQL, paths, and the look of the pages (`templates/`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from markupsafe import Markup

from orchestration.report import drawing
from orchestration.report.attention import read_attention
from orchestration.report.catalogue import read_absent_sources, read_local, read_metrics, read_unmeasured
from orchestration.report.changes import read_settling
from orchestration.report.drivers import read_changed_failures, read_drivers
from orchestration.report.pipeline import PipelineAtPeak
from orchestration.report.places import page_name
from orchestration.report.quality import read_causes, read_punctuality, read_rules
from orchestration.report.reading import (
    HEADLINES,
    Week,
    read_client_tables,
    read_clients,
    read_headlines,
    read_outlook,
    read_restatements,
    read_week_tables,
)
from orchestration.report.rendering import render, safe_json
from orchestration.report.sellers import SellerFile, read_kpis, read_seller_files, read_seller_rows, read_targets
from orchestration.report.spread import read_sellers
from orchestration.report.tables import Store, Table, bars

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


@dataclass(frozen=True)
class Beside:
    """What a week's pages say that isn't in the store, and where that lies.

    `docs` is the link to Data Docs from the week's folder, `zone` that in which times are told, `quarantine` as
    `orchestration.report.quarantine` reads it.
    """

    store: Path
    docs: str | None
    pipeline: PipelineAtPeak | None
    zone: str
    publish_within_hours: int | None
    quarantine: Mapping[date, Sequence[Mapping[str, Any]]]


def week_pages(store: Store, week: Week, weeks: Sequence[Week], beside: Beside) -> dict[str, str]:
    """The files of a week by their path in its folder; of a withheld week without figures, one page that says why."""
    shared: dict[str, Any] = {
        "week": week,
        "metrics": read_metrics(store),
        "previous": _neighbour(weeks, week, -1),
        "next": _neighbour(weeks, week, 1),
        "docs": beside.docs,
        "pipeline": beside.pipeline,
        "zone": beside.zone,
        "local": read_local(store, week.week_start, beside.zone),
    }
    if not week.is_published:
        return {"index.html": render("withheld.html", **shared, **_quality(store, week, beside))}
    clients = read_clients(store, week.week_start)
    shared["outlook"] = read_outlook(store, week.week_start)
    shared["sellers"] = drawing.summary(read_sellers(store, week.week_start))
    shared["clients"] = [(client, page_name(client)) for client in clients]
    pages = {"index.html": _week_page(store, week, shared, beside)}
    for client, name in shared["clients"]:
        pages[f"clients/{name}"] = _client_page(store, week, client, shared)
    return pages | _seller_pages(store, beside.store, week, shared)


def _quality(store: Store, week: Week, beside: Beside) -> dict[str, Any]:
    """What is said of the quality of a week's figures, whether it is published or withheld."""
    punctuality = read_punctuality(store, week.week_start, beside.publish_within_hours)
    return {
        "tables": read_week_tables(store, week.week_start),
        "rules": drawing.rules(read_rules(store, week.week_start)),
        "quarantine": beside.quarantine.get(week.week_start, ()),
        "punctuality": punctuality,
        "punctuality_chart": drawing.hours_to_publication(punctuality),
        "restatements": read_restatements(store, week),
        "causes": read_causes(store, week),
    }


def _week_page(store: Store, week: Week, shared: Mapping[str, Any], beside: Beside) -> str:
    quality = _quality(store, week, beside)
    tables = quality["tables"]
    unmeasured = read_unmeasured(store, week.week_start)
    headlines = read_headlines(store, week.week_start)
    attention = read_attention(store, week, beside.publish_within_hours)
    moved = {line["metric_id"]: line for line in attention.lines if line["kind"] == "signal"}
    drivers = read_drivers(store, week.week_start, moved)
    values = {
        **shared,
        **quality,
        "client_pages": dict(shared["clients"]),
        "headlines": drawing.with_sparklines(headlines, shared["metrics"]),
        "attention": attention,
        "drivers": drivers,
        "waterfalls": drawing.waterfalls(moved, drivers),
        "changed_failures": read_changed_failures(store, week.week_start),
        "orders": drawing.orders(store, week.week_start, headlines),
        "settling": read_settling(store, week.week_start),
        "unmeasured_headlines": {metric: unmeasured[metric] for metric in HEADLINES if metric in unmeasured},
        "unmeasured": {metric: columns for metric, columns in unmeasured.items() if metric not in HEADLINES},
        "absent_sources": read_absent_sources(store, week.week_start),
        "missing_tables": _missing([*tables.values(), shared["outlook"].table]),
        "latency_chart": drawing.latency_chart(tables["latency_days"]),
        "maturity_chart": drawing.maturity_chart(tables["maturity"], week.week_start),
        "calls_chart": drawing.calls_chart(tables["manifest_days"]),
        "pareto": bars(tables["failures"], ["flow", "oms_client"]),
    }
    return render("week.html", **values, sections=_sections("week", _WEEK_SECTIONS, values))


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
    return render("client.html", **values, sections=_sections("client", _CLIENT_SECTIONS, values))


def _sections(folder: str, titles: Mapping[str, tuple[str, str]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections of a page that have something to show: id, title, short (what the way to it is called), body."""
    sections = []
    for name, (title, short) in titles.items():
        body = render(f"{folder}/{name}.html", **values).strip()
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
        {"id": metric_id, "name": m["seller_name"], "short": m["export_name"]}
        | {name: m[name] for name in ("direction", "formula", "description")}
        for metric_id, m in shared["metrics"].items()
    ]
    page = render(
        "sellers.html",
        **shared,
        rows=Markup(safe_json(f"[{rows}]")),
        setup=Markup(
            safe_json(
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
    return f"metricStoreSellers({file.number},{safe_json(file.json)});\n"


def index_page(store: Store, weeks: Sequence[Week], links: Mapping[str, str]) -> str:
    """The index over weeks, the newest first, with the headline figures of each. `links`: text -> other page."""
    figures = {week.week_start: read_headlines(store, week.week_start) for week in weeks if week.is_published}
    metrics = read_metrics(store)
    newest = max((week for week, headlines in figures.items() if headlines), default=None)
    measured = {headline.figure["metric_id"] for headlines in figures.values() for headline in headlines}
    return render(
        "index.html",
        weeks=list(reversed(weeks)),
        figures={
            week: {headline.figure["metric_id"]: headline for headline in headlines}
            for week, headlines in figures.items()
        },
        newest=newest,
        glance=drawing.with_sparklines(figures[newest], metrics) if newest else [],
        orders=drawing.orders(store, newest, figures[newest]) if newest else None,
        metrics=metrics,
        headline_ids=[metric for metric in HEADLINES if metric in measured],
        links=links,
    )


def _neighbour(weeks: Sequence[Week], week: Week, step: int) -> date | None:
    wanted = week.week_start + step * timedelta(days=7)
    return wanted if any(other.week_start == wanted for other in weeks) else None
