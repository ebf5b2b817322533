"""Published figures by metric and by seller, with build and waiver, and added up over weeks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import duckdb

from metric_store.errors import MetricStoreError, unknown_name
from metric_store.reading import current_builds, not_published, unmeasured_metrics, waivers_in, withheld_in
from metric_store.words import in_words, printable

#: Says in a sentence what the rows don't show.
Tell = Callable[[str], None]

#: SQL: the rows of the metrics of a family. A figure by seller has seller_id, another one dimension and member.
_FAMILIES = {
    "brand": """
        select
            metric_id, week_start, dimension, member, numerator, denominator, value, display_value, previous_value,
            change, is_small_sample, interval_low, interval_high, is_signal, usual_low, usual_high, is_unusual
        from marts.fct_metric_week
        left join ({changes}) using (week_start, metric_id, dimension, member)
    """,
    "seller_rating": """
        select
            kpi_id as metric_id, week_start, seller_id, numerator, denominator, value, display_value, period_start,
            period_end
        from marts.fct_seller_rating_week
    """,
    "seller_grade": """
        select metric_id, week_start, seller_id, numerator, denominator, value, score, weight, contribution
        from marts.fct_seller_grade_metric_week
    """,
    "order_volume_limit": """
        select
            'ovl_cancellation_rate' as metric_id, week_start, seller_id, cancelled_seller_fault as numerator,
            orders_due as denominator, cancellation_rate as value, is_assessable, is_met
        from marts.fct_seller_operational_week
        union all
        select
            'ovl_on_time_rate', week_start, seller_id, orders_due - not_on_time, orders_due, on_time_rate,
            is_assessable, is_met
        from marts.fct_seller_operational_week
    """,
    "readiness": """
        select
            metric_id, week_start, case when member = 'mall' then 'overall' else 'mall_segment' end as dimension,
            member, numerator, denominator, value
        from (
            select
                'ship_kept_rate' as metric_id, week_start, mall_segment as member, ship_kept as numerator,
                ship_due as denominator, ship_kept_rate as value
            from marts.fct_promise_week
            union all
            select
                'delivery_kept_rate', week_start, mall_segment, delivery_kept, delivery_due, delivery_kept_rate
            from marts.fct_promise_week
        )
        union all
        select
            'inventory_accuracy_rate', week_start, case when oms_client = 'all' then 'overall' else 'oms_client' end,
            oms_client, matched, compared, accuracy_rate
        from marts.fct_inventory_sync_week
        union all
        select metric_id, week_start, 'oms_client', oms_client, null, null, value
        from (
            select week_start, oms_client, success_rate::decimal(18, 2) as oms_success_rate,
                error_budget_left_pct::decimal(18, 2) as oms_error_budget_left, headroom as oms_headroom
            from marts.fct_oms_readiness_week
        )
        unpivot include nulls (value for metric_id in (oms_success_rate, oms_error_budget_left, oms_headroom))
    """,
}
_OF_SELLERS = ("seller_rating", "seller_grade", "order_volume_limit")
#: Columns of fct_metric_change_week that stand beside a figure; a store of an earlier release lacks some, or all.
_CHANGES = {
    "is_signal": "boolean",
    "usual_low": "decimal(18,2)",
    "usual_high": "decimal(18,2)",
    "is_unusual": "boolean",
}
_KEY = "week_start, metric_id, dimension, member"
#: Why a metric doesn't add up over weeks, by what dim_metric says of it.
_NO_TOTAL = {
    "distinct_count": "it counts distinct things, and those of two weeks may be the same",
    "stock": "it is what there is at the end of the week",
    "maximum": "it is the greatest of the week",
    "overlapping_periods": "its periods overlap: a week repeats what the week before counted",
    "not_counted": "it is no count and no share of one",
}


def figures(
    connection: duckdb.DuckDBPyConnection,
    metrics: Sequence[str],
    by: str | None,
    weeks: Sequence[date],
    tell: Tell,
) -> duckdb.DuckDBPyRelation:
    """The rows of these metrics in these weeks, by a dimension of theirs; overall or by seller without one.

    metric_id, week_start, then dimension and member or seller_id, numerator, denominator, value, what the family has
    besides, build_id and waiver. Brand metrics have interval_low and interval_high. `tell` is told what isn't measured.

    Raises MetricStoreError for an unknown metric or dimension.
    """
    rows, of, parameters = _rows(connection, metrics, by, tell)
    _tell_unmeasured(connection, metrics, weeks, tell)
    return connection.sql(
        f"{_with_builds(rows)} order by list_position($metrics, metric_id), week_start, {of}",
        params={**parameters, **_builds(connection, weeks)},
    )


def totals(
    connection: duckdb.DuckDBPyConnection,
    metrics: Sequence[str],
    by: str | None,
    weeks: Sequence[date],
    tell: Tell,
) -> duckdb.DuckDBPyRelation:
    """These metrics added up over these weeks: numerators and denominators are summed, the rest follows from the sums.

    metric_id, first_week, last_week, weeks (how many have a row), dimension and member or seller_id, numerator,
    denominator, value, display_value, interval_low, interval_high.

    Raises MetricStoreError as `figures` does, and for a metric whose weeks don't add up.
    """
    rows, of, parameters = _rows(connection, metrics, by, tell)
    for metric in metrics:
        _require_total(connection, metric)
    _tell_unmeasured(connection, metrics, weeks, tell)
    known = families(connection)
    # Only a rate whose numerator is part of its denominator has an interval.
    has_interval = "count(interval_low) > 0" if any(known[metric] == "brand" for metric in metrics) else "false"
    return connection.sql(
        f"""
        with
            added as (
                select
                    metric_id, min(week_start) as first_week, max(week_start) as last_week,
                    count(distinct week_start) as weeks, {of}, sum(numerator)::bigint as numerator,
                    sum(denominator)::bigint as denominator, {has_interval} as has_interval
                from ({rows})
                where list_contains($weeks, week_start)
                group by metric_id, {of}
            ),
            valued as (
                select *, case when unit = 'percent' then {percent("numerator", "denominator")}
                    else numerator::decimal(18, 2) end as value
                from added
                inner join (select metric_id, unit from marts.dim_metric) using (metric_id)
            )
        select
            metric_id, first_week, last_week, weeks, {of}, numerator, denominator, value,
            case when unit <> 'percent' then numerator::varchar
                else coalesce(value || '%', 'No data available') end as display_value,
            case when has_interval then {wilson_bound("numerator", "denominator", "-")} end as interval_low,
            case when has_interval then {wilson_bound("numerator", "denominator", "+")} end as interval_high
        from valued
        order by list_position($metrics, metric_id), {of}
        """,
        params={**parameters, "weeks": list(weeks)},
    )


def seller_figures(
    connection: duckdb.DuckDBPyConnection, seller_id: str | None, weeks: Sequence[date]
) -> duckdb.DuckDBPyRelation:
    """All that is published of a seller by metric in these weeks, or of every seller.

    week_start, seller_id, family, metric_id, numerator, denominator, value, display_value, score, weight and
    contribution of the grade, period_start and period_end of the rating, is_assessable and is_met of the limit,
    build_id, waiver.
    """
    rows = " union all by name ".join(f"select * from ({_FAMILIES[family]})" for family in _OF_SELLERS)
    rows = f"""
        select week_start, seller_id, family, metric_id, figures.* exclude (week_start, seller_id, metric_id)
        from ({rows}) as figures
        inner join (select metric_id, family from marts.dim_metric) using (metric_id)
        where $seller is null or seller_id = $seller
    """
    return connection.sql(
        f"{_with_builds(rows)} order by week_start, seller_id, family, metric_id",
        params={"seller": seller_id, **_builds(connection, weeks)},
    )


def weeks_of(connection: duckdb.DuckDBPyConnection, first: date | None, last: date | None, tell: Tell) -> list[date]:
    """The published weeks from first to last, or all of them; `tell` is told which between them aren't published.

    Raises MetricStoreError where none of them is.
    """
    published = list(current_builds(connection))
    if first is None or last is None:
        if not published:
            raise MetricStoreError("No week is published in this store; metric-store status says what keeps them.")
        return published
    withheld = withheld_in(connection)
    if first == last and first not in published:
        raise not_published(first, published, withheld.get(first))
    weeks = [week for week in published if first <= week <= last]
    if not weeks:
        raise MetricStoreError(
            f"No week from {first} to {last} is published. Published: {in_words(published) or 'no week'}."
        )
    missing = [week for week in _mondays(first, last) if week not in weeks]
    if missing:
        because = [f"{week} is withheld, by {withheld[week]}" for week in missing if week in withheld]
        tell("; ".join([f"Not published, and so not in this: {in_words(missing)}", *because]))
    return weeks


def percent(numerator: str, denominator: str) -> str:
    """SQL: a rate in percent, rounded half away from zero from the whole numbers, as the marts have it."""
    return (
        f"case when {denominator} > 0 then (divide(20000 * {numerator} + {denominator}, 2 * {denominator})"
        "::decimal(18, 0) * 0.01::decimal(9, 2))::decimal(18, 2) end"
    )


def wilson_bound(numerator: str, denominator: str, sign: str) -> str:
    """SQL: a bound of the 95 % Wilson score interval in percent, as the marts have it; `sign` is - or +."""
    z, n = "1.959963984540054e0", f"{denominator}::double"
    p = f"({numerator}::double / {n})"
    centre, spread = f"{p} + {z} * {z} / (2 * {n})", f"{z} * sqrt({p} * (1 - {p}) / {n} + {z} * {z} / (4 * {n} * {n}))"
    share = f"least(1e0, greatest(0e0, ({centre} {sign} {spread}) / (1 + {z} * {z} / {n})))"
    return f"case when {denominator} > 0 then round({share} * 100, 2)::decimal(9, 2) end"


def families(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The family of each metric that is published."""
    found = connection.execute("select metric_id, family from marts.dim_metric order by metric_id").fetchall()
    return {metric: family for metric, family in found if family in _FAMILIES}


def _with_builds(rows: str) -> str:
    """SQL: these rows of the weeks that are asked for, with build_id and waiver."""
    return f"""
        select figures.*, build_id, waiver
        from ({rows}) as figures
        inner join (select week_start, build_id from marts.publication where is_current) using (week_start)
        left join (select unnest($waived) as week_start, unnest($waivers)::varchar as waiver) using (week_start)
        where list_contains($weeks, week_start)
    """


def _builds(connection: duckdb.DuckDBPyConnection, weeks: Sequence[date]) -> dict[str, object]:
    waivers = waivers_in(connection)
    texts = ["; ".join(map(str, of_week)) for of_week in waivers.values()]
    return {"weeks": list(weeks), "waived": list(waivers), "waivers": texts}


def _rows(
    connection: duckdb.DuckDBPyConnection, metrics: Sequence[str], by: str | None, tell: Tell
) -> tuple[str, str, dict[str, object]]:
    """SQL: all weeks of these metrics by this dimension; the columns that say of what a row is; the parameters."""
    known = families(connection)
    if not metrics:
        raise MetricStoreError("No metric is named: name one or several; metrics() lists them.")
    for metric in metrics:
        if metric not in known:
            raise unknown_name("metric", metric, known)
    asked = list(dict.fromkeys(known[metric] for metric in metrics))
    parts: list[str] = []
    parameters: dict[str, object] = {"metrics": list(metrics)}
    for family in asked:
        rows = _FAMILIES[family].replace("{changes}", _changes(connection, tell) if family == "brand" else "")
        of_family = [metric for metric in metrics if known[metric] == family]
        if family in _OF_SELLERS:
            for metric in of_family if by not in (None, "seller_id") else ():
                raise _no_dimension(metric, by, ["seller_id"])
            parts.append(f"select * from ({rows}) where list_contains($metrics, metric_id)")
            continue
        dimensions = [_dimension(connection, rows, metric, by) for metric in of_family]
        parts.append(
            f"select * from ({rows}) semi join (select unnest($metrics_{family}) as metric_id, "
            f"unnest($dimensions_{family}) as dimension) using (metric_id, dimension)"
        )
        parameters |= {f"metrics_{family}": of_family, f"dimensions_{family}": dimensions}
    kinds = {family in _OF_SELLERS for family in asked}
    of = [name for name in ("dimension", "member", "seller_id") if (name == "seller_id") in kinds]
    return " union all by name ".join(parts), ", ".join(of), parameters


def _dimension(connection: duckdb.DuckDBPyConnection, rows: str, metric: str, by: str | None) -> str:
    """The dimension that is asked for, or the one that a metric is shown by."""
    known = [
        name
        for (name,) in connection.execute(
            f"select distinct dimension from ({rows}) where metric_id = $metric order by 1", {"metric": metric}
        ).fetchall()
    ]
    wanted = by if by is not None else "overall" if "overall" in known or not known else known[0]
    if known and wanted not in known:
        raise _no_dimension(metric, wanted, known)
    return wanted


def _no_dimension(metric: str, by: str | None, known: Iterable[str]) -> MetricStoreError:
    return MetricStoreError(f"{metric} has no dimension {printable(str(by))}; it has {', '.join(known)}.")


def _changes(connection: duckdb.DuckDBPyConnection, tell: Tell) -> str:
    """SQL: what stands beside a figure, null where an earlier release didn't publish it."""
    try:
        have = connection.sql("from marts.fct_metric_change_week").columns
    except duckdb.CatalogException:
        have = []
    if lacking := [name for name in _CHANGES if name not in have]:
        tell(f"This store is of an earlier release, without {', '.join(lacking)}: left empty here.")
    columns = [name if name in have else f"null::{kind} as {name}" for name, kind in _CHANGES.items()]
    source = "fct_metric_change_week" if have else "fct_metric_week where false"
    return f"select {_KEY}, {', '.join(columns)} from marts.{source}"


def _require_total(connection: duckdb.DuckDBPyConnection, metric: str) -> None:
    try:
        [(total,)] = connection.execute(
            "select total from marts.dim_metric where metric_id = $metric", {"metric": metric}
        ).fetchall()
    except duckdb.BinderException:
        raise MetricStoreError(
            "This store is of an earlier release, which doesn't say which metrics add up over weeks.\n"
            "Publish a week with this release: metric-store run."
        ) from None
    if total != "sum":
        because = _NO_TOTAL.get(total, "nothing says that it does")
        raise MetricStoreError(f"{metric} doesn't add up over weeks: {because}. Ask for it week by week.")


def _tell_unmeasured(
    connection: duckdb.DuckDBPyConnection, metrics: Iterable[str], weeks: Sequence[date], tell: Tell
) -> None:
    said: dict[str, list[date]] = {}
    for week, lines in unmeasured_metrics(connection).items():
        for metric in metrics:
            if week in weeks and metric in lines:
                said.setdefault(lines[metric], []).append(week)
    for line, of_weeks in said.items():
        tell(f"{in_words(of_weeks)}: {line}")


def _mondays(first: date, last: date) -> list[date]:
    return [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1, 7)]
