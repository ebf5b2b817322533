"""The step that publishes: of the prepared weeks those that the gate let through, unless they are published so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from metric_store.reading import published_weeks
from orchestration.configuration import Configuration
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.publication.store import Published, publish
from orchestration.publication.tables import PublishedTable
from orchestration.transform import steps
from orchestration.transform.warehouse import read_rows
from orchestration.weeks.change import check_whole
from orchestration.weeks.planning import is_as_published, state_of


@dataclass(frozen=True)
class Outcome:
    """How the prepared weeks ended. withheld: week -> rules, comma-separated. store: None where all is as it was."""

    published: list[date]
    withheld: dict[date, str]
    store: Published | None


def publish_prepared(
    home: Home,
    configuration: Configuration,
    tables: Sequence[PublishedTable],
    asked: Sequence[date],
    run_id: str,
    now: datetime,
) -> Outcome:
    """Publish the prepared weeks, and keep in the ledger how each ended. `asked`: the weeks of the run, if it has any.

    Raises OtherWorkError where what was built and judged isn't what would be published.
    """
    prepared = steps.begin(home, configuration, asked, "published_store")
    current = published_weeks(home.published_store)
    with Ledger(home.ledger, read_only=True) as ledger:
        state = state_of(ledger, current)
    weeks = [week for week in prepared if not is_as_published(state, week)]
    if not weeks:
        return Outcome([], {}, None)
    verdicts = {row["week_start"]: row for row in read_rows(home, "select * from inputs.gate_verdicts")}
    # A week without a verdict is withheld, and by nothing that could be waived.
    let_through = [week for week in weeks if verdicts.get(week.week_start, {}).get("is_publishable")]
    withheld = {
        week.week_start: verdicts.get(week.week_start, {}).get("withheld_by") or "no verdict"
        for week in weeks
        if week not in let_through
    }
    published = [week.week_start for week in let_through]
    build_id = f"{now:%Y%m%dT%H%M%S}-{run_id[:8]}"
    with Ledger(home.ledger) as ledger:
        check_whole(ledger, configuration, current, published)
        done = publish(home, tables, let_through, [week.week_start for week in weeks], build_id, now)
        ledger.record_attempts(
            (week.week_start, week.mark, run_id, now, withheld.get(week.week_start, "")) for week in weeks
        )
        ledger.keep_calendar("published", configuration.calendar_settings)
    return Outcome(published, withheld, done)
