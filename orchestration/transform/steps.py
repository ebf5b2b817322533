"""How far a run has got with what `run_inputs` prepared: no step goes on with other weeks, or with older work.

The marks lie in the warehouse beside what they are about, so that they are gone when it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from metric_store.errors import MetricStoreError
from metric_store.reading import published_weeks
from metric_store.words import in_words
from orchestration.configuration import Configuration
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.transform.warehouse import open_warehouse, read_rows, run_weeks
from orchestration.weeks.planning import Week, plans_of, state_of

#: The steps that follow run_inputs, each of which needs all that stand before it.
STEPS = ("build", "gate", "after_gate", "published_store")
_TOGETHER = "run_inputs, build, gate and published_store together, as the job weekly_run does"


class OtherWorkError(MetricStoreError):
    """The warehouse holds something else than the run was launched for."""


def begin(home: Home, configuration: Configuration, asked: Sequence[date], step: str) -> list[Week]:
    """The weeks to go on with; the step and those after it count as not done from here on.

    asked: the weeks that the run was launched for; none, where what it was launched for has no weeks. Raises
    OtherWorkError where these weeks aren't prepared, where what they are made from has changed since, and where a step
    before this one isn't done.
    """
    weeks = _prepared(home, configuration, asked, STEPS[: STEPS.index(step)])
    with open_warehouse(home) as db:
        db.execute("delete from inputs.steps where list_contains(?, step)", [list(STEPS[STEPS.index(step) :])])
    return weeks


def require(home: Home, configuration: Configuration, asked: Sequence[date], step: str) -> list[Week]:
    """The weeks of a step that is done, where only a part of it is made again. Raises OtherWorkError as `begin`."""
    return _prepared(home, configuration, asked, STEPS[: STEPS.index(step) + 1])


def done(home: Home, step: str) -> None:
    """The whole step is done for the prepared weeks."""
    with open_warehouse(home) as db:
        db.execute("insert into inputs.steps values (?)", [step])


def _prepared(home: Home, configuration: Configuration, asked: Sequence[date], needed: Sequence[str]) -> list[Week]:
    try:
        weeks = run_weeks(home)
        prepared = [row["week_start"] for row in read_rows(home, "select week_start from inputs.asked_weeks")]
        steps = {row["step"] for row in read_rows(home, "select step from inputs.steps")}
    except (duckdb.CatalogException, duckdb.IOException, TypeError):  # none, or one of an earlier release
        raise OtherWorkError(f"No week is prepared. Launch {_TOGETHER}.") from None
    names = [week.week_start for week in weeks]
    if asked and set(asked) not in ({*prepared}, {*names}):
        raise OtherWorkError(
            f"This run is for {in_words(asked)}, but {in_words(prepared or names) or 'no week'} was prepared last.\n"
            f"Launch {_TOGETHER}, for the weeks that you want."
        )
    if changed := _changed(home, configuration, weeks):
        raise OtherWorkError(
            f"{in_words(names)} was prepared from other {changed} than there {'are' if 'records' in changed else 'is'} "
            f"since.\nLaunch {_TOGETHER}."
        )
    if missing := [step for step in needed if step not in steps]:
        raise OtherWorkError(
            f"The step {missing[0]} isn't done for {in_words(names) or 'the last run'} as it was prepared last.\n"
            f"Launch {_TOGETHER}."
        )
    return weeks


def _changed(home: Home, configuration: Configuration, weeks: Sequence[Week]) -> str:
    """What of the weeks' marks is no longer as it was when they were prepared, in words."""
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, published_weeks(home.published_store))
    now = {plan.week_start: plan for plan in plans_of(state, configuration, [week.week_start for week in weeks])}
    marks = {"raw_fingerprint": "records", "config_hash": "configuration", "code_version": "code"}
    return " and ".join(
        name
        for mark, name in marks.items()
        if any(getattr(week, mark) != getattr(now[week.week_start], mark) for week in weeks)
    )
