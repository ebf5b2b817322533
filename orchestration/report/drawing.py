"""Draws the charts of the pages. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from orchestration.report import charts
from orchestration.report.cells import shown, signal
from orchestration.report.changes import read_placed
from orchestration.report.drivers import Drivers
from orchestration.report.quality import Punctuality, Rule
from orchestration.report.reading import HISTORY, Headline
from orchestration.report.spread import SellerSummary
from orchestration.report.tables import Store, Table

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
#: Members that have a bar of their own in a waterfall.
_STEPS = 6


def with_sparklines(
    headlines: Iterable[Headline], metrics: Mapping[str, Mapping[str, Any]]
) -> list[tuple[Headline, Markup | None]]:
    drawn = []
    for headline in headlines:
        if headline.dimension == "oms_client":
            headline = _worst_first(headline, metrics[headline.figure["metric_id"]]["direction"])
        row = headline.figure
        metric = metrics[row["metric_id"]]
        values = [past["value"] if past else None for past in headline.history]
        marks = [signal(past, metric["direction"]) if past else "" for past in headline.history]
        label = f"{metric['setup_name']}, the last {len(values)} weeks{_signals(marks)}"
        usual = None if row["usual_low"] is None else (row["usual_low"], row["usual_high"])
        # each point of O2D is a first reading
        is_young = row["metric_id"] == "o2d_ratio"
        there = [value for value in values if value is not None]
        spark = charts.sparkline(values, label, usual, is_young, marks) if len(there) > 1 else None
        drawn.append((headline, spark))
    return drawn


def _signals(marks: Sequence[str]) -> str:
    """Where the dots of signals are, for who doesn't see them."""
    told = [f"{mark} {_ago(len(marks) - 1 - place)}" for place, mark in enumerate(marks) if mark]
    return f"; signals: {', '.join(told)}" if told else ""


def _ago(weeks: int) -> str:
    return "this week" if weeks == 0 else "a week ago" if weeks == 1 else f"{weeks} weeks ago"


def rules(found: Iterable[Rule]) -> list[dict[str, Any]]:
    """The rules with a chart for each scope whose observations moved, in `drawn`; the others by what was observed, in
    `still`."""
    drawn = []
    for rule in found:
        still: dict[Any, list[str]] = {}
        charted = []
        for check in rule.checks:
            if not check["has_moved"]:
                still.setdefault(check["observed"], []).append(check["scope"])
                continue
            label = f"{rule.rule_id} of {check['scope']}, the last {len(check['history'])} weeks"
            marks = ["worse" if failed else "" for failed in check["failed"]]
            is_seen = any(observed is not None for observed in check["history"])
            band = (rule.lower, rule.upper)
            charted.append((check, charts.sparkline(check["history"], label, band, marks=marks) if is_seen else None))
        drawn.append({**vars(rule), "drawn": charted, "still": still})
    return drawn


def hours_to_publication(found: Punctuality | None) -> Markup | None:
    """The chart of the hours from A to the first publication, over those that are in time."""
    if found is None or sum(hours is not None for hours in found.hours) < 2:
        return None
    label = f"hours from the calculation of a week to its publication, the last {len(found.hours)} weeks"
    marks = ["worse" if late else "" for late in found.late]
    return charts.sparkline(found.hours, label, (0, found.within), marks=marks)


def orders(store: Store, week: date, headlines: Iterable[Headline]) -> dict[str, Any] | None:
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


def latency_chart(days: Table) -> tuple[Markup, list[str]] | None:
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


def calls_chart(days: Table) -> tuple[Markup, list[str]] | None:
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


def maturity_chart(maturity: Table, week: date) -> tuple[Markup, list[str]] | None:
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


def waterfalls(
    moved: Mapping[str, Mapping[str, Any]], drivers: Mapping[str, Sequence[Drivers]]
) -> dict[str, list[tuple[str, Markup]]]:
    """By figure that moved, the chart of each dimension: the greatest effects, and the others together."""
    drawn: dict[str, list[tuple[str, Markup]]] = {}
    for metric, row in moved.items():
        for found in drivers.get(metric, ()):
            steps = [(m["member"], m["effect"], _rate_and_share(m)) for m in found.members[:_STEPS]]
            if others := found.members[_STEPS:]:
                steps.append((f"{len(others)} others", sum(m["effect"] for m in others), ""))
            label = "what moved it, by " + dimension(found.dimension)
            chart = charts.waterfall(row["previous_value"], row["value"], steps, label)
            drawn.setdefault(metric, []).append((found.dimension, chart))
    return drawn


def _rate_and_share(member: Mapping[str, Any]) -> str:
    rates = [shown(member[name], "percent") for name in ("rate_before", "rate_now", "share_before", "share_now")]
    return "(rate {} to {} %, share {} to {} %)".format(*rates)


def dimension(name: str) -> str:
    return {"mall_segment": "segment", "oms_client": "OMS client"}.get(name, name.replace("_", " "))


def summary(sellers: SellerSummary) -> dict[str, Any]:
    grades = sellers.grades
    drawn = None
    if len(grades) > 1:
        x = [f"{grade['grade']}" for grade in grades]
        drawn = charts.columns(x, [grade["sellers"] for grade in grades], "how many sellers have which grade")
    return {**vars(sellers), "grade_chart": drawn}


def _weekday(day: date) -> str:
    return f"{day:%a %-d}"
