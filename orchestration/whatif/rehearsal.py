"""Rehearses a peak: which hop of which OMS client breaks first, and at how many times its busiest hour.

Each hop of a client is taken for one queue (M/M/1 in Kendall's notation): calls come at random within an hour, one
station of constant capacity serves them, and none is turned away. Then a call takes `service / (1 - load / capacity)`
on average (Kleinrock, Queueing Systems I, 3.2), so that 1 / mean falls in a straight line with the load, from
1 / service at none to 0 at the capacity. That line is fitted to the published hours (`fct_hop_load_hour`).

A hop with several stations bears more before it slows down than the formula says; one that breaks without slowing down
before is not foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

#: Hours of about the same load are taken together, because the mean of a single hour says little.
_LOAD_CLASSES = 20
#: A line through fewer hours, or one that explains less of the differences, is no forecast.
_LEAST_HOURS = 48
_LEAST_FIT = 0.5

COLUMNS = (
    *("oms_client", "hop", "busiest_hour", "busiest_hour_calls", "mean_seconds", "service_seconds"),
    *("hourly_capacity", "saturates_at_factor", "fit", "utilisation", "seconds_at_factor", "waiting_after_hour"),
)

_QUERY = f"""
with

    hours as (
        select oms_client, hop, started_at, calls, cast(total_seconds as double) as total_seconds
        from marts.fct_hop_load_hour
        where list_contains($weeks, week_start)
    ),

    ranked as (
        select
            *,
            ntile({_LOAD_CLASSES}) over (partition by oms_client, hop order by calls, started_at) as load_class,
            row_number() over (partition by oms_client, hop order by calls desc, started_at) as busy_rank
        from hours
    ),

    -- the load is that which a call of the class met, not that of its hours
    classes as (
        select
            oms_client,
            hop,
            load_class,
            sum(calls * calls) / sum(calls) as hourly_calls,
            sum(total_seconds) / sum(calls) as mean_seconds
        from ranked
        group by all
        having sum(total_seconds) > 0
    ),

    lines as (
        select
            oms_client,
            hop,
            regr_slope(1 / mean_seconds, hourly_calls) as slope,
            regr_intercept(1 / mean_seconds, hourly_calls) as intercept,
            regr_r2(1 / mean_seconds, hourly_calls) as fit
        from classes
        group by all
    ),

    hops as (
        select
            oms_client,
            hop,
            count(*) as hours,
            max(started_at) filter (where busy_rank = 1) as busiest_hour,
            max(calls) as busiest_hour_calls,
            sum(total_seconds) / sum(calls) as mean_seconds
        from ranked
        group by all
    ),

    fitted as (
        select
            hops.*,
            lines.fit,
            slope < 0 and intercept > 0 and fit >= {_LEAST_FIT} and hours >= {_LEAST_HOURS} as is_forecast,
            case when is_forecast then 1 / intercept end as service_seconds,
            case when is_forecast then -intercept / slope end as capacity,
            $factor * busiest_hour_calls / capacity as load
        from hops
        left join lines using (oms_client, hop)
    )

select
    oms_client,
    hop,
    busiest_hour,
    busiest_hour_calls,
    cast(mean_seconds as decimal(18, 3)) as mean_seconds,
    cast(service_seconds as decimal(18, 3)) as service_seconds,
    cast(round(capacity) as bigint) as hourly_capacity,
    cast(capacity / busiest_hour_calls as decimal(18, 2)) as saturates_at_factor,
    cast(fit as decimal(9, 2)) as fit,
    cast(100 * load as decimal(18, 1)) as utilisation,
    case when load < 1 then cast(service_seconds / (1 - load) as decimal(18, 3)) end as seconds_at_factor,
    cast(round(greatest(load - 1, 0) * capacity) as bigint) as waiting_after_hour
from fitted
order by capacity / busiest_hour_calls nulls last, oms_client, hop
"""


@dataclass(frozen=True)
class Rehearsal:
    """One row per OMS client and hop, those that saturate first at the top; `COLUMNS` names the values.

    saturates_at_factor: capacity / busiest_hour_calls; None, like all that follows from it, where latency doesn't grow
    with the load, or too little is known. fit: the share of the differences in latency that the load explains (R²).
    utilisation (percent), seconds_at_factor and waiting_after_hour (calls) are those of an hour `factor` times the
    busiest one; a hop that can't bear it has no mean, but calls that wait when the hour is over.
    """

    factor: float
    weeks: Sequence[date]
    rows: Sequence[tuple[Any, ...]]

    @property
    def first_to_saturate(self) -> dict[str, Any] | None:
        """The row of the hop with the lowest factor; None where no hop has one."""
        first = dict(zip(COLUMNS, self.rows[0], strict=True)) if self.rows else {}
        return first if first.get("saturates_at_factor") is not None else None


def rehearse(store: duckdb.DuckDBPyConnection, weeks: Sequence[date], factor: float) -> Rehearsal:
    """The hops of all clients under `factor` times the busiest of their hours in these published weeks."""
    rows = store.execute(_QUERY, {"weeks": list(weeks), "factor": factor}).fetchall()
    return Rehearsal(factor, weeks, rows)
