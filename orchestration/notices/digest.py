"""What a digest says: news of a home, each with the key by which it is told once. Reads; computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby, islice
from typing import Any

import duckdb

from metric_store.errors import MetricStoreError
from metric_store.reading import open_store, published_weeks, withholding_results
from metric_store.words import in_words, printable
from orchestration.configuration import load_configuration
from orchestration.copies.copying import failed_copy
from orchestration.gate.messages import waiver_line
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.report.reading import HEADLINES
from orchestration.weeks.deadlines import late_weeks, publish_within
from orchestration.weeks.planning import state_of

#: Weeks, rules of a week and restated figures that are told of; the report has the others.
_MOST = 5

_BUILDS = """
    select week_start, build_id, published_at from marts.publication
    where is_current and (published_at > $since or ends_with(build_id, $run)) order by week_start
"""
_FIGURES = """
    select setup_name, unit, display_value, change, is_small_sample, is_signal
    from marts.fct_metric_week
    inner join marts.dim_metric using (metric_id)
    left join marts.fct_metric_change_week using (week_start, metric_id, dimension, member)
    where week_start = $week and dimension = 'overall' and list_contains($metrics, metric_id)
    order by list_position($metrics, metric_id)
"""
_RESTATED = """
    select week_start, coalesce(cause, '') as cause, count(*) as figures from marts.fct_restatement
    where list_contains($builds, build_id) group by all order by all
"""
# Rates and counts of the whole marketplace, those that moved most first.
_MOVED = f"""
    select week_start, setup_name, old_value, new_value from marts.fct_restatement
    inner join marts.dim_metric on starts_with(key, 'metric_id=' || metric_id || ', dimension=overall, ')
    where list_contains($builds, build_id) and table_name = 'fct_metric_week' and column_name = 'value'
    order by abs(try_cast(new_value as double) - try_cast(old_value as double)) desc nulls last, week_start, metric_id
    limit {_MOST}
"""


@dataclass(frozen=True)
class News:
    """One thing to tell. kind: success, warning or failure. headline: a few words of it. key: what it is told by."""

    kind: str
    headline: str
    lines: Sequence[str]
    key: str


@dataclass(frozen=True)
class Digest:
    """All that there is to tell of a home. published_at: when the newest build that it knows took its place, UTC."""

    title: str
    news: Sequence[News]
    body: str
    published_at: datetime | None

    @property
    def kind(self) -> str:
        """The kind of the worst of the news."""
        kinds = {one.kind for one in self.news}
        return next((kind for kind in ("failure", "warning") if kind in kinds), "success")


def read_digest(home: Home, since: datetime | None, run_id: str, failure: str, now: datetime) -> Digest:
    """What was published after `since` (UTC) or by this run, and what keeps the rest from it; `failure`: of a run."""
    news, published_at = [], None
    if failure:
        news.append(
            _news(
                "failure",
                "failed",
                [f"Failed: {line}" if number == 0 else f"  {line}" for number, line in enumerate(failure.splitlines())],
                failure.splitlines()[0],
            )
        )
    if home.published_store.is_file():
        # One of another release says less; the run that failed because of it is told of all the same.
        with suppress(MetricStoreError), open_store(home.published_store) as store:
            [(published_at,)] = store.execute("select max(published_at) from marts.publication").fetchall()
            news += _of_store(store, since or datetime.max, run_id[:8] or "none")
    news += _late(home, now)
    if copy := failed_copy(home):
        news.append(_news("warning", "copy failed", [copy["error"]], copy["error"]))
    headlines = "; ".join(one.headline for one in news)
    link = f"Report: {home.report_index.as_uri()}"
    body = "\n".join([*(printable(line) for one in news for line in one.lines), link])
    return Digest(f"Metric store {home.root.name}: {headlines}", news, body, published_at)


def _news(kind: str, headline: str, lines: Sequence[str], key: str) -> News:
    return News(kind, headline, lines, sha256(f"{kind} {key}".encode()).hexdigest()[:16])


def _of_store(store: duckdb.DuckDBPyConnection, since: datetime, run: str) -> Iterator[News]:
    builds = store.execute(_BUILDS, {"since": since, "run": run}).fetchall()
    if builds:
        weeks, names = [week for week, _, _ in builds], sorted({build for _, build, _ in builds})
        key, words = f"{weeks} {names}", in_words(weeks)
        lines = [f"Published: {words}", f"Figures of {weeks[-1]}, with the change against the week before:"]
        yield _news("success", f"published {words}", [*lines, *_figures(store, weeks[-1])], key)
        if restated := list(_restated(store, names)):
            yield _news("warning", "restated figures", restated, f"restated {key}")
    withheld = withholding_results(store)
    by_week = [(week, list(rows)) for week, rows in groupby(withheld, key=lambda row: row["week_start"])]
    for week, rows in by_week[-_MOST:]:
        yield _news(
            "warning", f"withheld {week}", list(_withheld(week, rows)), f"{week} {[r['message'] for r in rows]}"
        )
    if older := [week for week, _ in by_week[:-_MOST]]:
        yield _news("warning", f"withheld {in_words(older)}", [f"Withheld, too: {in_words(older)}"], f"{older}")


def _figures(store: duckdb.DuckDBPyConnection, week: date) -> Iterator[str]:
    rows = store.execute(_FIGURES, {"week": week, "metrics": list(HEADLINES)}).fetchall()
    for name, unit, shown, change, is_small, is_signal in rows:
        said = (
            "no week before" if change is None else f"{change:+,.2f} points" if unit == "percent" else f"{change:+,.0f}"
        )
        notes = [said, *(["a signal"] if is_signal else []), *(["small sample"] if is_small else [])]
        yield f"  {name}: {shown} ({', '.join(notes)})"


def _restated(store: duckdb.DuckDBPyConnection, builds: Sequence[str]) -> Iterator[str]:
    rows = store.execute(_RESTATED, {"builds": builds}).fetchall()
    for week, cause, figures in rows[-_MOST:]:
        number = f"{figures:,} figure{'s' if figures > 1 else ''}"
        yield f"Restated: {number} of {week}, because of other {cause.replace(',', ' and ') or 'inputs'}"
    if len(rows) > _MOST:
        yield f"  and figures of {in_words(week for week, _, _ in rows[:-_MOST])}"
    for week, name, old, new in store.execute(_MOVED, {"builds": builds}).fetchall():
        yield f"  {name} of {week}: {old} -> {new}"


def _withheld(week: date, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for row in islice(rows, _MOST):
        yield f"Withheld {week}: {row['message']}"
        line = waiver_line(row["rule_id"], row["scope"], week)
        if line not in row["message"]:
            yield f"  {line}"
    if len(rows) > _MOST:
        yield f"  and {len(rows) - _MOST} more failures of {week}"


def _late(home: Home, now: datetime) -> Iterator[News]:
    try:
        configuration = load_configuration(home.config)
    except MetricStoreError:  # it is what the run fails with
        return
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, published_weeks(home.published_store))
    late = late_weeks(configuration, {*state.landed, *state.published}, state.published, now)
    if late:
        words, hours = in_words(late), publish_within(configuration).total_seconds() / 3600
        yield _news("warning", f"late {words}", [f"Late, not published {hours:.0f} hours after A: {words}"], words)
