"""`metric-store status`: what is landed, published, blocked and due, from the ledger and the published store."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from orchestration.cli.rows import printable
from orchestration.configuration import load_configuration
from orchestration.home.layout import Home
from orchestration.ingest.landing import look
from orchestration.ingest.ledger import Ledger
from orchestration.publication.reading import PublishedWaiver, published_waivers, published_weeks
from orchestration.weeks.planning import state_of


def show_status(home: Home, as_json: bool) -> None:
    """Print the state of a home. Opens no file of the inbox, and meets no lock while a run is writing."""
    state = read_status(home)
    click.echo(json.dumps(state, indent=1, default=str) if as_json else "\n".join(map(printable, _lines(home, state))))


def read_status(home: Home) -> dict[str, Any]:
    """weeks, failed_files, quarantine (source -> reason -> records), ignored_files, broken_adapters."""
    configuration = load_configuration(home.config)
    now = datetime.now(UTC).replace(tzinfo=None)
    inbox = look(home)
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, published_weeks(home.published_store))
        failed = [{name: row[name] for name in ("source", "path", "error")} for row in ledger.files(status="failed")]
        quarantine = ledger.quarantine_counts()
    due = set(state.due)
    waivers = published_waivers(home.published_store)
    weeks = []
    for week in sorted(set(state.landed) | set(state.published)):
        published = state.published.get(week)
        weeks.append(
            {
                "week_start": week.isoformat(),
                "landed": state.landed.get(week, 0),
                "complete": configuration.calculated_at(week) <= now,
                "published": published is not None,
                "published_at": published.published_at.isoformat(sep=" ") if published else None,
                "build_id": published.build_id if published else None,
                "blocked_by": state.withheld_by(week),
                "waived": [asdict(waiver) for waiver in waivers.get(week, ())] if published else [],
                "due_for_restatement": week in due,
            }
        )
    return {
        "home": str(home.root),
        "weeks": weeks,
        "failed_files": failed,
        "quarantine": quarantine,
        "ignored_files": inbox.listing.ignored,
        "broken_adapters": [{"adapter": path, "error": why} for _, path, why in inbox.broken_adapters],
    }


def _lines(home: Home, state: dict[str, Any]) -> list[str]:
    lines = [f"Home {home.root}", "", f"{'week':10}  {'landed':>12}  state"]
    lines += [f"{week['week_start']:10}  {week['landed']:>12,}  {_state_of(week)}" for week in state["weeks"]] or [
        "no week has landed yet"
    ]
    if state["failed_files"]:
        lines += ["", "Unreadable files; mend them, or move them out of the inbox:"]
        lines += [f"  {file['source']}/{file['path']}: {file['error']}" for file in state["failed_files"]]
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
    if state["ignored_files"]:
        shown = state["ignored_files"][:10]
        more = f" and {len(state['ignored_files']) - 10} more" if len(state["ignored_files"]) > 10 else ""
        lines += ["", f"Ignored in the inbox: {', '.join(shown)}{more}"]
    return lines


def _state_of(week: dict[str, Any]) -> str:
    parts = []
    if week["published"]:
        parts.append(f"published {week['published_at']}")
        parts += [f"waived: {PublishedWaiver(**waiver)}" for waiver in week["waived"]]
    elif not week["complete"]:
        parts.append("not over yet")
    elif not week["blocked_by"]:
        parts.append("new")
    if week["blocked_by"]:
        parts.append(("restatement " if week["published"] else "") + f"blocked by {', '.join(week['blocked_by'])}")
    if week["due_for_restatement"]:
        parts.append("due for restatement")
    return "; ".join(parts)
