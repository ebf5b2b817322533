"""Another time zone or hour of calculation for a home with published weeks: all weeks change in one run, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from metric_store.errors import MetricStoreError
from metric_store.reading import PublishedWeek, published_weeks
from metric_store.words import in_words
from orchestration.configuration import Configuration
from orchestration.home.layout import Home
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.recount import recount_weeks
from orchestration.limits import DEFAULT_LIMITS, EngineLimits


def calendar_differs(ledger: Ledger, configuration: Configuration, published: dict[date, PublishedWeek]) -> bool:
    """Whether published weeks follow another calendar than the settings name now."""
    known = ledger.calendar("published")
    if not published or known == configuration.calendar_settings:
        return False
    if all(week.config_hash == configuration.config_hash(start) for start, week in published.items()):
        return False  # the run that published them so was killed before it could write that down
    # An earlier release wrote down A of each week, and no more.
    return known is not None or any(
        week.calculated_at != configuration.calculated_at(start) for start, week in published.items()
    )


def check_calendar(
    ledger: Ledger, configuration: Configuration, published: dict[date, PublishedWeek], following: Iterable[date] | None
) -> None:
    """Raises MetricStoreError where the store would mix weeks of two calendars.

    following: the weeks of a run that was told to follow the new calendar; None for every other run.
    """
    if not calendar_differs(ledger, configuration, published) or published.keys() <= set(following or ()):
        return
    zone, hours = configuration.calendar_settings
    raise MetricStoreError(
        f"The published weeks have another reporting_timezone or calculation_offset_hours than settings.csv names now "
        f"({zone}, {hours}); one store can't hold both.\nSet them back, or compute every published week in one run: "
        f"metric-store run --weeks {min(published)}..{max(published)} --new-calendar"
    )


def follow_calendar(
    home: Home,
    configuration: Configuration,
    following: Sequence[date] | None = None,
    limits: EngineLimits = DEFAULT_LIMITS,
) -> None:
    """Have the ledger name weeks as the settings do. Raises MetricStoreError as check_calendar."""
    calendar = configuration.calendar_settings
    with Ledger(home.ledger) as ledger:
        published = published_weeks(home.published_store)
        check_calendar(ledger, configuration, published, following)
        landed = ledger.calendar("landed")
        if landed == calendar:
            return
        # Without a note, an earlier release landed them: by the calendar of what is published, where anything is.
        is_as_published = landed is None and bool(published) and not calendar_differs(ledger, configuration, published)
        if is_as_published or not ledger.files():
            ledger.keep_calendar("landed", calendar)
        else:
            recount_weeks(home, ledger, calendar, limits)


def check_whole(
    ledger: Ledger, configuration: Configuration, published: dict[date, PublishedWeek], let_through: Iterable[date]
) -> None:
    """Raises MetricStoreError where a publication under another calendar would leave a week as it was."""
    left = published.keys() - set(let_through)
    if left and calendar_differs(ledger, configuration, published):
        raise MetricStoreError(
            f"Not published: under the new calendar the gate withholds {in_words(left)}, and the store can't hold "
            "weeks of two calendars.\nCorrect or waive what is wrong (see the gate's checks), and run it again."
        )
