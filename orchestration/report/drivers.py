"""Drivers of the changes of a week: the members of each dimension, from fct_metric_driver_week."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.report.tables import Store


@dataclass(frozen=True)
class Drivers:
    """The members of a dimension, the greatest effect first; `effect` is that of share and rate together, in points."""

    dimension: str
    members: tuple[Mapping[str, Any], ...]


def read_drivers(store: Store, week: date, metrics: Collection[str]) -> dict[str, list[Drivers]]:
    """By metric its dimensions, those first in which a single member moved the figure most. Members without an effect
    are left out."""
    if not store.has("fct_metric_driver_week"):
        return {}
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in store.records(
        "select * from marts.fct_metric_driver_week "
        "where week_start = $week and list_contains($metrics, metric_id) and (mix_effect <> 0 or rate_effect <> 0) "
        "order by metric_id, max(abs(effect)) over (partition by metric_id, dimension) desc, "
        "dimension, driver_rank, member",
        {"week": week, "metrics": list(metrics)},
    ):
        found.setdefault(row["metric_id"], {}).setdefault(row["dimension"], []).append(row)
    return {
        metric: [Drivers(dimension, tuple(rows)) for dimension, rows in dimensions.items()]
        for metric, dimensions in found.items()
    }


def read_changed_failures(store: Store, week: date) -> list[dict[str, Any]]:
    """The categories whose number of failed orders moved most since the week before, with the OMS client of whom it
    moved most: flow, l2_category, failed_before, failed, oms_client, client_before, client_now. Without a published
    week before nothing moved."""
    return store.records(
        """
        with
            failures as (
                select
                    flow, oms_client, l2_category, coalesce(before.failed, 0) as failed_before,
                    coalesce(now.failed, 0) as failed
                from (from marts.fct_failure_contribution_week where week_start = $week) as now
                full join (from marts.fct_failure_contribution_week where week_start = $before) as before
                    using (flow, oms_client, l2_category)
                where $before in (select week_start from marts.publication where is_current)
                    and coalesce(now.failed, 0) <> coalesce(before.failed, 0)
            ),
            clients as (
                from failures
                where oms_client <> 'all'
                qualify 1 = row_number() over (
                    partition by flow, l2_category order by abs(failed - failed_before) desc, oms_client
                )
            )
        select
            flow, l2_category, failures.failed_before, failures.failed, clients.oms_client,
            clients.failed_before as client_before, clients.failed as client_now
        from failures
        left join clients using (flow, l2_category)
        where failures.oms_client = 'all'
        order by abs(failures.failed - failures.failed_before) desc, flow, l2_category
        limit 8
        """,
        {"week": week, "before": week - timedelta(days=7)},
    )
