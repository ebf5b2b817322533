"""Turns the profile of the weeks into one frame, absent rules included. Not here: judging a value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from expectations.rules import Rule
from expectations.suites import INDEX, NO, NOTE, RAN, RULE, YES
from orchestration.gate.verdict import ProfileRow, RequiredRow

_OBSERVED = "observed"


@dataclass
class WeekProfile:
    """What was measured for one week, and what should have been."""

    week_start: date
    rows: list[ProfileRow] = field(default_factory=list)
    missing: dict[tuple[str, str], None] = field(default_factory=dict)


def frame_of(profiles: Sequence[WeekProfile], rules: Sequence[Rule]) -> pd.DataFrame:
    """The frame that Great Expectations sees. A value that is no number counts as not measured."""
    rows: list[tuple[Any, ...]] = []
    for week in profiles:
        of_week = [(r.rule_id, r.scope, NO if _is_broken(r) else YES, r.note, _finite(r.observed)) for r in week.rows]
        of_week += [(rule_id, scope, NO, None, None) for rule_id, scope in week.missing]
        rows += [(str(week.week_start), *row) for row in of_week]
    frame = pd.DataFrame(rows, columns=[*INDEX, RAN, NOTE, _OBSERVED])
    observed = frame.pop(_OBSERVED).astype("float64")
    return frame.assign(**{rule.rule_id: observed.where(frame[RULE] == rule.rule_id) for rule in rules})


def week_profiles(
    weeks: Sequence[date], profile: Sequence[ProfileRow], rules: Sequence[Rule], required: Sequence[RequiredRow]
) -> list[WeekProfile]:
    """The profile of each week, in order. Input that can't be meant is a ValueError: nothing slips by unjudged."""
    known = {rule.rule_id for rule in rules}
    if len(known) < len(rules):
        raise ValueError("gate rules: a rule is given more than once")
    by_week = {week: WeekProfile(week) for week in sorted(set(weeks))}
    rows: list[ProfileRow | RequiredRow] = [*profile, *required]
    for row in rows:
        if row.rule_id not in known:
            raise ValueError(f"rule {row.rule_id!r} of week {row.week_start} isn't among the gate rules")
        if row.week_start not in by_week:
            raise ValueError(f"rule {row.rule_id} has a row for {row.week_start!r}, which isn't a week to judge")
    for measured in profile:
        if not measured.scope:
            raise ValueError(f"rule {measured.rule_id} of week {measured.week_start} has a row without a scope")
        by_week[measured.week_start].rows.append(measured)
    for demand in required:
        _note_missing(by_week[demand.week_start], demand)
    for week in by_week.values():
        if not week.rows and not week.missing:
            raise ValueError(f"week {week.week_start} has no profile and no required rule: nothing would be judged")
    return list(by_week.values())


def _note_missing(week: WeekProfile, demand: RequiredRow) -> None:
    scopes = {row.scope for row in week.rows if row.rule_id == demand.rule_id}
    if demand.scope is None and not scopes:
        week.missing[demand.rule_id, "all"] = None
    elif demand.scope is not None and demand.scope not in scopes:
        week.missing[demand.rule_id, demand.scope] = None


def _is_broken(row: ProfileRow) -> bool:
    return row.observed is not None and not math.isfinite(row.observed)


def _finite(observed: float | None) -> float | None:
    return float(observed) if observed is not None and math.isfinite(observed) else None
