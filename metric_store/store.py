"""`Store`: a published store whose figures are DataFrames."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas

from metric_store.changes import FLOWS, change, changed_failures, drivers, require_brand_metric
from metric_store.errors import MetricStoreError, unknown_name
from metric_store.figures import Tell, figures, seller_figures, totals, weeks_of
from metric_store.reading import open_store, require_week
from metric_store.sellers import evidence, recovery, require_evidence, require_seller
from metric_store.words import printable

#: A week by its Monday: a date, or YYYY-MM-DD.
Week = date | str
#: One week, or the first and the last of several.
Weeks = Week | tuple[Week, Week]


class Store:
    """A published store.

    Each call opens the file anew and closes it: it reads the newest publication, whatever was published since the
    call before, and leaves no connection open. Counts are integers, rates are in percent, weeks are their Mondays and
    timestamps are UTC; what is null is missing (NA, NaN, NaT).

    Each method raises MetricStoreError for a name, week or dimension that isn't there, with what may have been meant,
    and for a store of an earlier release that lacks what is asked for. What the rows don't show, such as a week that
    the gate withheld, is a warning.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"metric_store.open({str(self.path)!r})"

    def weeks(self) -> pandas.DataFrame:
        """The published weeks: the rows of `publication` that are current."""
        return self._frame(lambda db, _: db.sql("from marts.publication where is_current order by week_start"))

    def metrics(self) -> pandas.DataFrame:
        """The catalogue: `dim_metric`, with family, unit, bounds, direction, formula and description of each metric."""
        return self._frame(lambda db, _: db.sql("from marts.dim_metric order by metric_id"))

    def metric(
        self, metric: str | Iterable[str], *, by: str | None = None, weeks: Weeks | None = None, total: bool = False
    ) -> pandas.DataFrame:
        """One metric or several, week by week; overall or by seller, or by a dimension such as `mall_segment`.

        A row for each week and member or seller: metric_id, week_start, dimension and member or seller_id, numerator,
        denominator, value, interval_low and interval_high (95 %, rates of brand metrics), build_id, waiver (why the
        week is published in spite of a failure, and who answers for it), and what the family of the metric has besides.

        With `total` the weeks are added up: first_week, last_week and weeks (how many have a row) in place of
        week_start; numerator and denominator are the sums, value and interval follow from them. Raises MetricStoreError
        for a metric that doesn't add up, such as a distinct count.
        """
        metrics = [metric] if isinstance(metric, str) else list(dict.fromkeys(metric))
        first, last = _first_and_last(weeks)

        def read(db: duckdb.DuckDBPyConnection, tell: Tell) -> duckdb.DuckDBPyRelation:
            asked = weeks_of(db, first, last, tell)
            return (totals if total else figures)(db, metrics, by, asked, tell)

        frame = self._frame(read)
        for name in ("interval_low", "interval_high"):
            if name not in frame:
                frame[name] = float("nan")
        return frame

    def seller(self, seller_id: str, *, weeks: Weeks | None = None) -> pandas.DataFrame:
        """All that is published of a seller: the KPIs of the rating, the rates of the limit, the metrics of the grade.

        A row for each week and metric: week_start, seller_id, family, metric_id, numerator, denominator, value,
        display_value; score, weight and contribution of the grade, period_start and period_end of the rating,
        is_assessable and is_met of the limit; build_id, waiver.
        """
        first, last = _first_and_last(weeks)

        def read(db: duckdb.DuckDBPyConnection, tell: Tell) -> duckdb.DuckDBPyRelation:
            asked = weeks_of(db, first, last, tell)
            require_seller(db, seller_id, asked)
            return seller_figures(db, seller_id, asked)

        return self._frame(read)

    def evidence(self, metric: str, seller_id: str, week: Week) -> pandas.DataFrame:
        """The orders that count against a seller in a metric of a week, as `fct_metric_evidence_week` has them."""
        monday = _monday(week)
        with open_store(self.path) as db:
            require_week(db, monday)
            require_evidence(db, metric)
            require_seller(db, seller_id, [monday])
        with evidence(self.path, metric, seller_id, monday) as found:
            frame: pandas.DataFrame = found.df()
        return frame

    def change(self, metric: str, week: Week) -> pandas.DataFrame:
        """A figure of all sellers together, its change against the week before, and whether that is a signal: a row.

        unit, numerator, denominator, value, previous_value, change, change_low and change_high (99 %, points),
        is_signal, usual_low, usual_high, usual_weeks, is_unusual, value_year_before.
        """
        return self._frame(lambda db, _: change(db, metric, _published(db, week, metric)))

    def drivers(self, metric: str, week: Week) -> pandas.DataFrame:
        """What each member of each dimension brought to the change of a figure: effect, rate_effect, mix_effect in
        points, rates and shares before and now in percent; the greatest effect of a dimension first."""
        return self._frame(lambda db, _: drivers(db, [metric], _published(db, week, metric)))

    def changed_failures(self, metric: str, week: Week, *, clients: int = 3) -> pandas.DataFrame:
        """The failure categories behind acceptance_failure_rate or manifestation_failure_rate that moved since the week
        before, the greatest move first, each with the OMS clients of which it moved most.

        place, flow, l2_category, oms_client (`all` first), failed_before, failed, contribution_before, contribution.
        """
        if metric not in FLOWS:
            raise MetricStoreError(f"Failures have categories in {' and '.join(FLOWS)}, not in {metric}.")
        return self._frame(lambda db, _: changed_failures(db, [FLOWS[metric]], _published(db, week, metric), clients))

    def recovery(self, seller_id: str) -> pandas.DataFrame:
        """What stands against a seller in the newest week, and what would end that: a row for each metric with a miss.

        week_start, family, metric_id, misses of units, is_on_target, misses_allowed, clean_units_needed, recovers_on,
        next_units, next_misses; and all of it in sentences, lines.
        """

        def read(db: duckdb.DuckDBPyConnection, tell: Tell) -> duckdb.DuckDBPyRelation:
            week = max(weeks_of(db, None, None, tell))
            require_seller(db, seller_id, [week])
            return recovery(db, seller_id, week)

        return self._frame(read)

    def table(self, name: str, *, weeks: Weeks | None = None) -> pandas.DataFrame:
        """A published table as it is, such as `fct_promise_week`; of some weeks, where it has weeks."""
        first, last = _first_and_last(weeks)

        def read(db: duckdb.DuckDBPyConnection, tell: Tell) -> duckdb.DuckDBPyRelation:
            columns: dict[str, list[str]] = dict(
                db.execute(
                    "select table_name, list(column_name) from duckdb_columns() where schema_name = 'marts' group by 1"
                ).fetchall()
            )
            if name not in columns:
                raise unknown_name("table", name, columns)
            if first is None:
                return db.sql(f"from marts.{name}")
            if "week_start" not in columns[name]:
                raise MetricStoreError(f"{name} has no weeks: ask for it without.")
            asked = weeks_of(db, first, last, tell)
            return db.sql(f"from marts.{name} where list_contains($weeks, week_start)", params={"weeks": asked})

        return self._frame(read)

    def _frame(self, read: Callable[[duckdb.DuckDBPyConnection, Tell], duckdb.DuckDBPyRelation]) -> pandas.DataFrame:
        told: list[str] = []
        with open_store(self.path) as db:
            frame: pandas.DataFrame = read(db, told.append).df()
        for text in told:
            warnings.warn(text, stacklevel=3)
        return frame


def _published(db: duckdb.DuckDBPyConnection, week: Week, metric: str) -> date:
    """The week, which is published. Raises MetricStoreError for another one, and for a metric not of all sellers."""
    monday = _monday(week)
    require_week(db, monday)
    require_brand_metric(db, metric)
    return monday


def _monday(week: Week) -> date:
    try:
        day = date.fromisoformat(week if isinstance(week, str) else str(week)[:10])  # of a timestamp too
    except ValueError:
        raise MetricStoreError(
            f"{printable(repr(week))} is no week: write its Monday as YYYY-MM-DD; of several weeks the first and the "
            "last, as a tuple."
        ) from None
    if day.weekday() != 0:
        monday = day - timedelta(days=day.weekday())
        raise MetricStoreError(f"{day} is a {day:%A}; a week is named by its Monday: {monday}.")
    return day


def _first_and_last(weeks: Weeks | None) -> tuple[date, date] | tuple[None, None]:
    if weeks is None:
        return None, None
    # A list could mean these weeks and no others: it is refused, not taken for a range.
    first, last = map(_monday, weeks if isinstance(weeks, tuple) and len(weeks) == 2 else (weeks, weeks))
    if last < first:
        raise MetricStoreError(f"The last week, {last}, is before the first, {first}: change them round.")
    return first, last
