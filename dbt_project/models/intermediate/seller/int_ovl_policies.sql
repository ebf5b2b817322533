{#
    One row per policy of the order volume limit, and the instants between which orders are created under it: the days of
    its validity in its own time zone. Where the next policy has another time zone, it takes over when its first day begins.
#}
with

    policies as (select * from {{ ref("stg_config__ovl_policy") }}),

    local_days as (
        select
            *,
            {{ local_day_starts_at("valid_from", "time_zone") }} as first_day_starts_at,
            {{ local_day_starts_at("valid_to", "time_zone") }} as last_day_ends_at,
            lead(valid_from) over (order by valid_from) as next_valid_from
        from policies
    ),

    successions as (select *, lead(first_day_starts_at) over (order by valid_from) as next_starts_at from local_days)

select
    valid_from,
    valid_to,
    first_day_starts_at as starts_at,
    case
        when next_valid_from = valid_to then next_starts_at else least(last_day_ends_at, next_starts_at)
    end as ends_at,
    time_zone,
    holiday_calendar,
    workdays,
    workday_start,
    workday_end,
    confirm_working_hours,
    handover_working_days,
    cast(max_cancellation_rate as decimal(9, 6)) as max_cancellation_rate,
    cast(min_on_time_rate as decimal(9, 6)) as min_on_time_rate,
    more_than_orders,
    more_than_days,
    lookback_weeks,
    cast(factor as decimal(10, 6)) as factor,
    recovery_weeks,
    release_after_weeks
from successions
