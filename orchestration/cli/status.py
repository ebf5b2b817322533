"""`metric-store status`: what is landed, published, blocked and due, from the ledger and the published store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

import click

from metric_store.errors import MetricStoreError
from metric_store.reading import (
    PublishedWaiver,
    open_store,
    published_waivers,
    published_weeks,
    withheld_because,
    withholding_results,
)
from metric_store.words import in_words, printable
from orchestration.cli.failed_runs import failed_runs
from orchestration.configuration import Configuration, load_configuration
from orchestration.copies.copying import failed_copy
from orchestration.home.layout import Home
from orchestration.ingest.adapters import Adapter
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.landing import Inbox, look, new_files
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.measured import absent_columns, not_measured
from orchestration.project import code_version
from orchestration.weeks.change import check_calendar
from orchestration.weeks.deadlines import late_weeks
from orchestration.weeks.names import weeks_between
from orchestration.weeks.planning import State, state_of

T = TypeVar("T")


def show_status(home: Home, as_json: bool, verbose: bool = False) -> None:
    """Print the state of a home. Opens no file of the inbox, and meets no lock while a run is writing."""
    state = read_status(home)
    lines = [] if as_json else _lines(home, state, verbose)
    click.echo(json.dumps(state, indent=1, default=str) if as_json else "\n".join(map(printable, lines)))


def read_status(home: Home) -> dict[str, Any]:
    """What `--json` prints. problems: what keeps the rest from being known, or every run from starting.

    weeks: each with landed records, published, blocked by which rules and why, who must act on that by owners.csv,
    due, late, and the marks of its build.
    late_weeks: all that are late, those after the last week with data too. failed_copy: the copy after the last
    publication, where it failed.
    waiting_files: what the next run reads. failed_runs: those that no later run has made up for, each with the weeks
    that are undone since.
    """
    problems: list[str] = []
    configuration = _or_problem(lambda: load_configuration(home.config), problems)
    store = home.published_store
    published, because = _or_problem(lambda: (published_weeks(store), withheld_because(store)), problems) or ({}, {})
    inbox = _or_problem(lambda: look(home), problems)
    now = datetime.now(UTC).replace(tzinfo=None)
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, published)
        failed = [
            {name: row[name] for name in ("source", "path", "error")}
            | {"owner": configuration.owner(row["source"]) if configuration else None}
            for row in ledger.files(status="failed")
        ]
        quarantine = ledger.quarantine_counts()
        unmeasured = not_measured(absent_columns(ledger))
        forgotten = _forgotten_files(inbox, ledger) if inbox else []
        notes = [{"path": row["path"], "note": row["note"]} for row in ledger.files() if row["note"]]
        waiting = _waiting_files(inbox, ledger) if inbox else []
        if configuration:
            _or_problem(partial(check_calendar, ledger, configuration, published, None), problems)
    waivers = published_waivers(store) if published else {}
    known = sorted(set(state.landed) | set(published))
    late = late_weeks(configuration, known, published, now) if configuration else []
    acting = _or_problem(partial(_who_acts, home, configuration), problems) if configuration else None
    weeks = [
        _week(week, state, configuration, now, week in late, waivers.get(week, ()), because.get(week))
        | {"who_acts": (acting or {}).get(week, [])}
        for week in (weeks_between(known[0], known[-1]) if known else ())
    ]
    undone = {week["week_start"] for week in weeks if not week["published"] or week["due_for_restatement"]}
    return {
        "home": str(home.root),
        "problems": problems,
        "weeks": weeks,
        "late_weeks": [week.isoformat() for week in late],
        "waiting_files": waiting,
        "forgotten_files": forgotten,
        "notes": notes,
        "failed_runs": [
            {
                **asdict(run),
                "ended_at": run.ended_at.isoformat(sep=" "),
                "weeks": [week.isoformat() for week in run.weeks],
                "undone": [week.isoformat() for week in run.weeks if week.isoformat() in undone],
            }
            for run in _or_problem(lambda: failed_runs(home), problems) or ()
        ],
        "failed_copy": failed_copy(home),
        "failed_files": failed,
        "quarantine": quarantine,
        "not_measured": unmeasured,
        "ignored_files": inbox.listing.ignored if inbox else [],
        "broken_adapters": [
            {"adapter": path, "error": why} for _, path, why in (inbox.broken_adapters if inbox else ())
        ],
    }


def _or_problem(read: Callable[[], T], problems: list[str]) -> T | None:
    """What is read, or None and its error among the problems: status tells what else it knows."""
    try:
        return read()
    except (MetricStoreError, OSError) as error:
        if str(error) not in problems:  # several look at one file
            problems.append(str(error))
    return None


def _waiting_files(inbox: Inbox, ledger: Ledger) -> list[str]:
    return [
        file.path if isinstance(file.origin, Adapter) else f"{source.name}/{file.path}"
        for source in SOURCES
        for file in new_files(inbox, ledger, source.name)
    ]


def _forgotten_files(inbox: Inbox, ledger: Ledger) -> list[str]:
    forgotten = {source.name: ledger.forgotten(source.name) for source in SOURCES}
    return [
        f"{source}/{file.path}"
        for source, keys in forgotten.items()
        for file in inbox.candidates(source)
        if file.key in keys
    ]


def _who_acts(home: Home, configuration: Configuration) -> dict[date, list[str]]:
    """By week that is withheld the owners of the sources that failed a rule, or else of the rules."""
    if not home.published_store.is_file():
        return {}
    with open_store(home.published_store) as store:
        withholding = withholding_results(store)
    owners = [(row["week_start"], configuration.owner(row["scope"], row["rule_id"])) for row in withholding]
    return {week: sorted({owner for of, owner in owners if of == week and owner}) for week, _ in owners}


def _week(
    week: date,
    state: State,
    configuration: Configuration | None,
    now: datetime,
    is_late: bool,
    waivers: Iterable[PublishedWaiver],
    because: str | None,
) -> dict[str, Any]:
    blocked_by = state.withheld_by(week)
    published = state.published.get(week)
    due_at = configuration.calculated_at(week) if configuration else None
    return {
        "week_start": week.isoformat(),
        "landed": state.landed.get(week, 0),
        "complete": due_at <= now if due_at else None,
        "late": is_late,
        "published": published is not None,
        "published_at": published.published_at.isoformat(sep=" ") if published else None,
        "build_id": published.build_id if published else None,
        "blocked_by": blocked_by,
        "blocked_because": because if blocked_by else None,
        "waived": [asdict(waiver) for waiver in waivers] if published else [],
        "due_for_restatement": week in state.due,
        "config_hash": published.config_hash if published else None,
        "config_is_current": published.config_hash == configuration.config_hash(week)
        if published and configuration
        else None,
        "code_version": published.code_version if published else None,
        "code_is_current": published.code_version == code_version() if published else None,
    }


def _lines(home: Home, state: dict[str, Any], verbose: bool) -> list[str]:
    lines = [f"Home {home.root}", ""]
    for problem in state["problems"]:
        lines += [f"Problem: {problem}", ""]
    lines += [f"{'week':10}  {'landed':>12}  state"]
    lines += [
        f"{week['week_start']:10}  {week['landed']:>12,}  {_state_of(week)}{_marks_of(week) if verbose else ''}"
        for week in state["weeks"]
    ] or ["no week has landed yet"]
    if missing := set(state["late_weeks"]) - {week["week_start"] for week in state["weeks"]}:
        lines += [f"No data since; late: {in_words(map(date.fromisoformat, missing))}"]
    for week in state["weeks"]:
        if week["published"] and week["blocked_because"]:
            lines += ["", f"Restatement of {week['week_start']}: {week['blocked_because']}"]
    for week in state["weeks"]:
        if week["blocked_by"] and week["who_acts"]:
            lines += ["", f"Who must act on {week['week_start']}: {', '.join(week['who_acts'])}"]
    if state["waiting_files"]:
        more = f" and {len(state['waiting_files']) - 10} more" if len(state["waiting_files"]) > 10 else ""
        lines += ["", f"Waiting for the next run: {', '.join(state['waiting_files'][:10])}{more}"]
    if state["forgotten_files"]:
        lines += ["", f"Forgotten, and not read until they change: {', '.join(state['forgotten_files'])}"]
    lines += [f"{row['path']}: {row['note']}" for row in state["notes"]]
    for run in state["failed_runs"]:
        about = f" for {in_words(map(date.fromisoformat, run['weeks']))}" if run["weeks"] else ""
        why = run["reason"].replace("\n", " ")
        lines += ["", f"Run {run['run_id'][:8]}{about} {run['status']} {run['ended_at']}. {why}".rstrip()]
        if run["undone"]:
            lines += [f"  Undone since: {in_words(map(date.fromisoformat, run['undone']))}; metric-store run does it."]
    if copy := state["failed_copy"]:
        lines += ["", f"{copy['failed_at']}: {copy['error']}. metric-store copy, or the next publication, catches up."]
    if state["failed_files"]:
        lines += ["", "Unreadable files; correct them, or move them out of the inbox:"]
        for file in state["failed_files"]:
            owner = f" (owner: {file['owner']})" if file["owner"] else ""
            lines += [f"  {file['source']}/{file['path']}: {file['error']}{owner}"]
    if state["broken_adapters"]:
        lines += ["", "Adapters that can't be used:"] + [
            f"  {row['adapter']}: {row['error']}" for row in state["broken_adapters"]
        ]
    if state["quarantine"]:
        lines += ["", f"Quarantined records, under {home.quarantine}:"]
        lines += [
            f"  {source}: {', '.join(f'{rows:,} {why}' for why, rows in reasons.items())}"
            for source, reasons in state["quarantine"].items()
        ]
    if state["not_measured"]:
        lines += ["", *state["not_measured"]]
    if state["ignored_files"]:
        shown = state["ignored_files"][:10]
        more = f" and {len(state['ignored_files']) - 10} more" if len(state["ignored_files"]) > 10 else ""
        lines += ["", f"Ignored in the inbox: {', '.join(shown)}{more}"]
    return lines


def _state_of(week: dict[str, Any]) -> str:
    parts = []
    if not week["published"] and not week["landed"]:
        return "no data" + ("; late" if week["late"] else "")
    if week["published"]:
        parts.append(f"published {week['published_at']}")
        parts += [f"waived: {PublishedWaiver(**waiver)}" for waiver in week["waived"]]
    elif week["complete"] is False:
        parts.append("not over yet")
    elif not week["blocked_by"]:
        parts.append("new")
    if week["late"]:
        parts.append("late")
    if week["blocked_by"]:
        parts.append(("restatement " if week["published"] else "") + f"blocked by {', '.join(week['blocked_by'])}")
    if week["due_for_restatement"]:
        parts.append("due for restatement")
    return "; ".join(parts)


def _marks_of(week: dict[str, Any]) -> str:
    if not week["published"]:
        return ""
    configuration = "" if week["config_is_current"] is not False else ", not what holds now"
    code = "" if week["code_is_current"] else ", not this release"
    return f"; configuration {week['config_hash']}{configuration}; code {week['code_version']}{code}"
