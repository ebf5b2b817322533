"""Charts as SVG that takes colours and type from its page, so that it suits light and dark. Draws; computes nothing.

pygal draws them: pure Python, some milliseconds a chart, no script on the page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

import pygal
import pygal.style
from markupsafe import Markup
from pygal.etree import etree

from orchestration.report.cells import shown

# pygal takes lxml wherever it is installed; the same pages come out everywhere, and elements are of one kind.
etree.to_etree()

Number = Decimal | int | float | None

_CONFIG: dict[str, Any] = {
    "css": [],
    "js": [],
    "explicit_size": False,
    "no_prefix": True,
    "disable_xml_declaration": True,
    "show_legend": False,
    "truncate_label": -1,
    "allow_interruptions": True,
    "max_scale": 8,
}
#: What pygal adds for its own script and style.
_NOT_SHOWN = frozenset({"titles", "plot text-overlay", "plot tooltip-overlay", "background"})


def sparkline(
    values: Sequence[Number],
    label: str,
    band: tuple[Number, Number] | None = None,
    is_young: bool = False,
    marks: Sequence[str] = (),
) -> Markup:
    """A line without axes over the band of what is usual or permitted; the gap of a missing value stays a gap.

    A band without an end goes on to the edge. The last value has a dot, which is hollow where the value is young; so
    has each value with a word in `marks`, which is its class. Drawn by hand, for pygal has no bands.
    """
    ends = [_number(end) for end in band or ()]
    scale = [float(value) for value in (*values, *ends) if value is not None]
    low, reach = min(scale), (max(scale) - min(scale)) or 1

    def place(number: int, value: float) -> tuple[float, float]:
        return round(5 + 140 * number / max(1, len(values) - 1), 1), round(29 - 24 * (value - low) / reach, 1)

    drawn, path, pen = [], "", "M"
    if ends:
        top = 0.0 if ends[1] is None else place(0, ends[1])[1] - 1
        bottom = 34.0 if ends[0] is None else place(0, ends[0])[1] + 1
        drawn.append(f'<rect class="usual" x="0" y="{top:.1f}" width="150" height="{bottom - top:.1f}"/>')
    dots = []
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = place(number, float(value))
        path, pen = f"{path}{pen}{x} {y}", "L"
        mark = marks[number] if marks else ""
        if mark or number == len(values) - 1:
            kind = " ".join(filter(None, ("dot", "young" * is_young, mark)))
            dots.append(f'<circle cx="{x}" cy="{y}" r="{3 if is_young or mark else 2.5}" class="{kind}"/>')
    drawn += [f'<path d="{path}" class="line"/>', *dots]
    return Markup(
        '<svg class="chart spark" role="img" aria-label="{}" viewBox="0 0 150 34" xmlns="http://www.w3.org/2000/svg">'
        '<g class="series color-0">{}</g></svg>'
    ).format(label, Markup("".join(drawn)))


def lines(
    x: Sequence[str],
    series: Mapping[str, Sequence[Number]],
    label: str,
    unit: str,
    young: Collection[int] = (),
) -> Markup:
    """Some lines over the same places, from zero. The dots of the places in `young` are hollow."""
    chart = pygal.Line(width=620, height=250, margin=8, spacing=6, include_x_axis=True, dots_size=2.5, **_CONFIG)
    chart.x_labels = list(x)
    chart.value_formatter = lambda value: shown(value, "seconds") if unit == "s" else f"{value:,.4g} {unit}".strip()
    for name, values in series.items():
        chart.add(name, [_point(value, number in young) for number, value in enumerate(values)])
    return _svg(chart, "lines", label)


def waterfall(before: Number, now: Number, steps: Sequence[tuple[str, Number, str]], label: str) -> Markup:
    """The way from one figure to the next: a bar for each step (name, points, remark) where the one above it ended.

    The scale is that of the steps; it doesn't begin at zero. Drawn by hand, for pygal has no such chart.
    """
    at = start = _number(before) or 0.0
    ends = [at := at + (_number(points) or 0.0) for _, points, _ in steps]
    places = [start, _number(now) or 0.0, *ends]
    low, reach = min(places), (max(places) - min(places)) or 1

    def x(value: float) -> float:
        return round(_LABELS + 270 * (value - low) / reach, 1)

    rows = [_row(0, "week before", f"{shown(before, 'percent')} %", x(start), x(start), "total")]
    for number, ((name, points, remark), end) in enumerate(zip(steps, ends, strict=True), 1):
        begin = start if number == 1 else ends[number - 2]
        kind = "step" if (end - begin) * (places[1] - start) > 0 else "step against"
        rows.append(_row(number, name, shown(points, "points"), x(begin), x(end), kind, remark))
    rows.append(_row(len(rows), "this week", f"{shown(now, 'percent')} %", x(places[1]), x(places[1]), "total"))
    return Markup(
        '<svg class="chart fall" role="img" aria-label="{}" viewBox="0 0 620 {}" xmlns="http://www.w3.org/2000/svg">'
        "{}</svg>"
    ).format(label, len(rows) * _ROW, Markup("").join(rows))


#: Of a waterfall: height of a row, and width of the names before it.
_ROW, _LABELS = 26, 220
_LONGEST = 24


def _row(number: int, name: str, value: str, begin: float, end: float, kind: str, remark: str = "") -> Markup:
    left, right = min(begin, end), max(begin, end)
    short = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return Markup(
        '<g class="{}"><title>{}</title><text x="0" y="{}">{}</text><rect x="{}" y="{}" width="{}" height="16"/>'
        '<text class="end" x="{}" y="{}">{}</text></g>'
    ).format(
        *(kind, f"{name}: {value} {remark}".strip(), number * _ROW + 17, short),
        *(left - 1, number * _ROW + 4, round(right - left + 2, 1)),
        *(right + 8, number * _ROW + 17, value),
    )


def columns(x: Sequence[str], values: Sequence[Number], label: str) -> Markup:
    """A histogram: one column per place."""
    chart = pygal.Bar(width=620, height=220, margin=8, spacing=4, **_CONFIG)
    chart.x_labels = list(x)
    chart.value_formatter = lambda value: f"{value:,.4g}"
    chart.add("", [_number(value) for value in values])
    return _svg(chart, "columns", label)


def plot(values: Sequence[Number], title: str) -> bytes:
    """A picture that needs no page around it: the SVG of a line with its own style, on a white ground."""
    style = pygal.style.Style(background="white", plot_background="white", colors=("#1f5673",), title_font_size=13)
    chart = pygal.Line(width=420, height=150, title=title, show_legend=False, js=[], style=style, show_x_labels=False)
    chart.add("", [_number(value) for value in values], allow_interruptions=True)
    return bytes(chart.render())


def _number(value: Number) -> float | None:
    return None if value is None else float(value)


def _point(value: Number, is_young: bool) -> float | dict[str, Any] | None:
    number = _number(value)
    return {"value": number, "node": {"class": "dot young"}} if is_young and number is not None else number


def _svg(chart: Any, kind: str, label: str) -> Markup:
    chart.add_xml_filter(lambda root: _for_the_page(root, kind, label))
    return Markup(chart.render(is_unicode=True))


def _for_the_page(root: Element, kind: str, label: str) -> Element:
    """Leaves the marks, without pygal's own style, script and comments; a value shows where the pointer rests."""
    for child in [child for child in root if not isinstance(child.tag, str) or child.tag in ("defs", "title")]:
        root.remove(child)
    root.attrib.pop("id", None)
    root.set("class", f"chart {kind}")
    root.set("role", "img")
    root.set("aria-label", label)
    for parent in list(root.iter()):
        for extra in [child for child in parent if child.get("class") in _NOT_SHOWN]:
            parent.remove(extra)
        for mark in parent.findall("desc"):
            if mark.get("class") == "value":
                title = Element("title")
                title.text = mark.text
                parent.insert(0, title)
            parent.remove(mark)
        for empty in [child for child in parent if child.tag == "title" and not child.text]:
            parent.remove(empty)
    return root
