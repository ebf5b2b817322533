"""What stands against a seller, and the orders that count against one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from metric_store.errors import EvidenceMissingError, MetricStoreError, unknown_name
from metric_store.reading import evidence_relation, open_store
from metric_store.recovery import LIMITS, STANDING
from metric_store.words import in_words, printable


def recovery(connection: duckdb.DuckDBPyConnection, seller_id: str, week: date) -> duckdb.DuckDBPyRelation:
    """What counts against a seller in the limit and the grade, and what would end that: a row for each metric.

    week_start, family, metric_id, misses of units, is_on_target, misses_allowed, clean_units_needed, recovers_on,
    of the week after next_units, next_misses; and all of it in sentences, lines.
    """
    return connection.sql(
        f"""
        select
            week_start, family, metric_id, misses, units, is_on_target, misses_allowed, clean_units_needed,
            recovers_on, next_units, next_misses, lines
        from ({STANDING})
        where seller_id = $seller
        order by family, metric_id
        """,
        params={"week": week, "seller": seller_id},
    )


def standing(connection: duckdb.DuckDBPyConnection, seller_id: str, week: date) -> duckdb.DuckDBPyRelation:
    """A seller's grade and limit, a row: is_graded, final_grade, tier, and what its limit is in a sentence, or null."""
    return connection.sql(
        f"""
        select grades.seller_id is not null as is_graded, final_grade, tier, line as limit_line
        from (select $seller as seller_id)
        left join (from marts.fct_seller_grade_week where week_start = $week) as grades using (seller_id)
        left join ({LIMITS}) using (seller_id)
        """,
        params={"week": week, "seller": seller_id},
    )


@contextmanager
def evidence(store: Path, metric: str, seller_id: str, week: date) -> Iterator[duckdb.DuckDBPyConnection]:
    """The orders that count against a seller in a metric, as fct_metric_evidence_week has them: to be fetched.

    A publication may remove a build's files while they are looked for: then it looks again. Raises MetricStoreError for
    a week that isn't published, and where the files are missing or broken.
    """
    for last_time in (False, True):
        with open_store(store) as connection:
            try:
                relation = evidence_relation(connection, store, week)
                found = connection.execute(
                    f"from {relation} where metric_id = $metric and seller_id = $seller order by unit_id",
                    {"metric": metric, "seller": seller_id},
                )
            except EvidenceMissingError:
                if last_time:
                    raise
                continue
            except duckdb.Error as error:
                if last_time:
                    raise MetricStoreError(
                        f"The evidence of {week} can't be read: {str(error).splitlines()[0]}\n"
                        f"Remove {store.parent / 'evidence' / f'week_start={week}'} and make it again: "
                        f"metric-store run --home {shlex.quote(str(store.parent.parent))} --weeks {week}"
                    ) from error
                continue
            yield found
            return


def require_evidence(connection: duckdb.DuckDBPyConnection, metric: str) -> None:
    """Raises MetricStoreError for a metric that isn't there, and for one without evidence."""
    units: dict[str, str | None] = dict(
        connection.execute(
            "select metric_id, evidence_unit from (from marts.dim_metric union all by name "
            "select null::varchar as evidence_unit where false) order by metric_id"
        ).fetchall()
    )
    known = [one for one, unit in units.items() if unit]
    if metric not in units:
        raise unknown_name("metric", metric, known or units)
    if known and metric not in known:  # a store of an earlier release doesn't say
        raise MetricStoreError(
            f"{metric} has no evidence: it doesn't tell good orders from bad ones.\n"
            f"Metrics with evidence: {', '.join(known)}."
        )


def require_seller(connection: duckdb.DuckDBPyConnection, seller_id: str, weeks: Sequence[date]) -> None:
    """Raises MetricStoreError for a seller that has neither a record nor a figure in these weeks.

    Orders name sellers that no record describes.
    """
    sellers = (
        "select seller_id from marts.dim_seller "
        "union select seller_id from marts.fct_seller_rating_week where list_contains($weeks, week_start)"
    )
    parameters = {"seller": seller_id, "weeks": list(weeks)}
    if connection.execute(f"select 1 from ({sellers}) where seller_id = $seller limit 1", parameters).fetchall():
        return
    near = connection.execute(
        f"select seller_id from ({sellers}) where jaro_winkler_similarity(lower(seller_id), lower($seller)) > 0.8 "
        "order by jaro_winkler_similarity(lower(seller_id), lower($seller)) desc, seller_id limit 3",
        parameters,
    ).fetchall()
    hint = f"Did you mean {' or '.join(printable(row[0]) for row in near)}?" if near else "Ids are those of dim_seller."
    raise MetricStoreError(f"There is no seller {printable(seller_id)} in {in_words(weeks)}. {hint}")
