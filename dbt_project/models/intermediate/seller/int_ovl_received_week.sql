{#
    One row per seller that is cross-border in the run, time zone of a policy, and local week with an order: the most that
    it received in one day.
#}
with

    orders as (select seller_id, created_at from {{ ref("int_ovl_orders") }}),

    weeks as (select * from {{ ref("int_ovl_weeks") }}),

    zones as (select distinct time_zone from weeks where time_zone is not null),

    span as (
        select
            {{ date_add_days("min(week_start)", "-7 * max(lookback_weeks)") }} as first_day,
            {{ date_add_days("max(week_start)", 6) }} as last_day
        from weeks
    ),

    days as ({{ days_of("span") }}),

    local_days as (
        select
            zones.time_zone,
            days.day,
            {{ local_day_starts_at("days.day", "zones.time_zone") }} as starts_at,
            {{ local_day_starts_at(date_add_days("days.day", 1), "zones.time_zone") }} as ends_at
        from days
        cross join zones
    ),

    parts as ({{ cut_at_utc_midnight("local_days", ["time_zone", "day"]) }}),

    dated_parts as (
        select parts.*, {{ monday_of("parts.day") }} as week_start, weeks.calculated_at
        from parts
        left join weeks on {{ monday_of("parts.day") }} = weeks.week_start
    ),

    received as (
        select
            orders.seller_id,
            dated_parts.time_zone,
            dated_parts.week_start,
            dated_parts.day,
            count(*) as orders,
            -- a local week may end after A
            count(*) filter (where orders.created_at <= dated_parts.calculated_at) as orders_by_a
        from orders
        inner join
            dated_parts
            on cast(orders.created_at as date) = dated_parts.utc_day
            and orders.created_at >= dated_parts.starts_at
            and orders.created_at < dated_parts.ends_at
        group by orders.seller_id, dated_parts.time_zone, dated_parts.week_start, dated_parts.day
    )

select
    seller_id, time_zone, week_start, max(orders) as most_orders_in_a_day, max(orders_by_a) as most_orders_in_a_day_by_a
from received
group by seller_id, time_zone, week_start
