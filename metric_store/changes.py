"""What moved a figure of all sellers together against the week before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from metric_store.errors import MetricStoreError, unknown_name
from metric_store.words import WEEK

#: The rates of failed orders, with the flow whose failures fct_failure_contribution_week has by category.
FLOWS = {"acceptance_failure_rate": "acceptance", "manifestation_failure_rate": "manifestation"}


def require_brand_metric(connection: duckdb.DuckDBPyConnection, metric: str) -> None:
    """Raises MetricStoreError for what is no metric of all sellers together."""
    known = dict(connection.execute("select metric_id, family from marts.dim_metric").fetchall())
    brand = sorted(one for one, family in known.items() if family == "brand")
    if metric not in known:
        raise unknown_name("metric", metric, brand)
    if metric not in brand:
        raise MetricStoreError(
            f"{metric} is no figure of all sellers together, so nothing says what moved it.\n"
            f"Explained are {', '.join(brand)}."
        )


def change(connection: duckdb.DuckDBPyConnection, metric: str, week: date) -> duckdb.DuckDBPyRelation:
    """A metric's overall figure, its change, whether that is a signal, and what is usual: a row, or none.

    Rates in percent, change and its 99 % interval in points. has_interval: whether the rest of them is known.
    """
    return connection.sql(
        """
        select
            metric_id, week_start, unit, numerator, denominator, value, display_value, previous_value, change,
            is_small_sample, interval_low, interval_high, changes.week_start is not null as has_interval,
            previous_numerator, previous_denominator, change_low, change_high, is_signal, usual_low, usual_high,
            usual_weeks, is_unusual, value_year_before
        from marts.fct_metric_week
        inner join marts.dim_metric using (metric_id)
        left join marts.fct_metric_change_week as changes using (week_start, metric_id, dimension, member)
        where week_start = $week and metric_id = $metric and dimension = 'overall'
        """,
        params={"week": week, "metric": metric},
    )


def drivers(connection: duckdb.DuckDBPyConnection, metrics: Sequence[str], week: date) -> duckdb.DuckDBPyRelation:
    """What each member of each dimension brought to the change of these metrics, in points.

    metric_id, dimension, member, effect (of its rate and its share together), rate_effect, mix_effect, rate_before,
    rate_now, share_before, share_now, driver_rank; the greatest effect of a dimension first.
    """
    return connection.sql(
        """
        select
            metric_id, dimension, member, coalesce(effect, mix_effect + rate_effect) as effect, rate_effect,
            mix_effect, rate_before, rate_now, share_before, share_now, driver_rank
        -- a store of an earlier release has no effect
        from (from marts.fct_metric_driver_week union all by name select null::decimal(18, 2) as effect where false)
        where week_start = $week and list_contains($metrics, metric_id)
        order by metric_id, dimension, driver_rank, member
        """,
        params={"week": week, "metrics": list(metrics)},
    )


def changed_failures(
    connection: duckdb.DuckDBPyConnection, flows: Sequence[str], week: date, clients: int
) -> duckdb.DuckDBPyRelation:
    """The failure categories whose number of failed orders moved since the week before, the greatest move first.

    place (of the category, from 1 on), flow, l2_category, oms_client, failed_before, failed, contribution_before,
    contribution (percent of the flow's failures). A category's row of `all` clients stands before those of the
    `clients` that moved most. No row where the week before isn't published.
    """
    return connection.sql(
        """
        with
            -- a category without a failure has no row
            failures as (
                select
                    flow, l2_category, oms_client, coalesce(before.failed, 0) as failed_before,
                    coalesce(now.failed, 0) as failed, before.contribution as contribution_before, now.contribution,
                    abs(coalesce(now.failed, 0) - coalesce(before.failed, 0)) as moved
                from (from marts.fct_failure_contribution_week where week_start = $week) as now
                full join (from marts.fct_failure_contribution_week where week_start = $before) as before
                    using (flow, l2_category, oms_client)
                where list_contains($flows, flow)
                    and $before in (select week_start from marts.publication where is_current)
            ),
            categories as (
                select flow, l2_category, row_number() over (order by moved desc, flow, l2_category) as place
                from failures
                where oms_client = 'all' and moved > 0
            ),
            clients as (
                select
                    *,
                    row_number() over (
                        partition by flow, l2_category order by moved desc, oms_client
                    ) as client_place
                from failures
                where oms_client <> 'all' and moved > 0
            )
        select
            place, flow, l2_category, oms_client, failed_before, failed, contribution_before, contribution
        from categories
        inner join (
            select *, 0 as client_place from failures where oms_client = 'all'
            union all
            from clients where client_place <= $clients
        ) using (flow, l2_category)
        order by place, client_place
        """,
        params={"flows": list(flows), "week": week, "before": week - WEEK, "clients": clients},
    )
