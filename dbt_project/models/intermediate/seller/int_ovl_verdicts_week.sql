{#
    One row per seller that is cross-border in the run, and week from its first order to the last week of the run,
    published or not: what it did, and whether it met the targets of the policy valid at A.
    Compact: limits of any week follow from it, and no order is read for them.
#}
with

    weeks as (select * from {{ ref("int_ovl_weeks") }}),

    sellers as (select * from {{ ref("int_ovl_sellers") }}),

    received as (select * from {{ ref("int_ovl_received_week") }}),

    orders as (
        select
            seller_id,
            week_start,
            count(*) as orders_due,
            count(*) filter (where is_in_ovl_cancellation_rate) as cancelled_seller_fault,
            count(*) filter (where is_in_ovl_on_time_rate) as on_time
        from {{ ref("int_ovl_orders") }}
        where week_start is not null
        group by seller_id, week_start
    ),

    looked_back as (
        select received.seller_id, weeks.week_start, received.most_orders_in_a_day
        from weeks
        inner join
            received
            on weeks.time_zone = received.time_zone
            and received.week_start < weeks.week_start
            and received.week_start > {{ date_add_days("weeks.week_start", "-7 * weeks.lookback_weeks") }}
        union all
        select received.seller_id, weeks.week_start, received.most_orders_in_a_day_by_a
        from weeks
        inner join received on weeks.time_zone = received.time_zone and weeks.week_start = received.week_start
    ),

    most as (
        select seller_id, week_start, max(most_orders_in_a_day) as most_orders_in_a_day
        from looked_back
        group by seller_id, week_start
    ),

    known as (
        select
            weeks.*,
            sellers.seller_id,
            sellers.first_ordered_at,
            coalesce(orders.orders_due, 0) as orders_due,
            coalesce(orders.cancelled_seller_fault, 0) as cancelled_seller_fault,
            coalesce(orders.orders_due - orders.on_time, 0) as not_on_time,
            coalesce(most.most_orders_in_a_day, 0) as most_orders_in_a_day
        from weeks
        cross join sellers
        left join orders on weeks.week_start = orders.week_start and sellers.seller_id = orders.seller_id
        left join most on weeks.week_start = most.week_start and sellers.seller_id = most.seller_id
        where
            {{ as_of("sellers.first_ordered_at", "weeks.calculated_at") }} is not null
            {% for metric in metrics_of("order_volume_limit") %}
                and {{ is_measured("'" ~ metric.id ~ "'") }}
            {% endfor %}
    ),

    judged as (
        select
            *,
            {{ monday_of(utc_to_local("first_ordered_at", "time_zone")) }} <= week_start as is_from_first_order_on,
            coalesce(
                orders_due > more_than_orders and {{ add_days("first_ordered_at", "more_than_days") }} < calculated_at,
                false
            ) as is_assessable,
            100 * cast(cancelled_seller_fault as decimal(18, 0))
            > max_cancellation_rate * cast(orders_due as decimal(18, 0)) as is_cancellation_rate_missed,
            100 * cast(orders_due - not_on_time as decimal(18, 0))
            < min_on_time_rate * cast(orders_due as decimal(18, 0)) as is_on_time_rate_missed
        from known
    )

select
    week_start,
    seller_id,
    is_from_first_order_on,
    orders_due,
    cancelled_seller_fault,
    not_on_time,
    most_orders_in_a_day,
    is_assessable,
    case when is_assessable then not (is_cancellation_rate_missed or is_on_time_rate_missed) end as is_met,
    case
        when not is_assessable
        then null
        when is_cancellation_rate_missed and is_on_time_rate_missed
        then 'both'
        when is_cancellation_rate_missed
        then 'cancellation_rate'
        when is_on_time_rate_missed
        then 'on_time_rate'
    end as missed,
    cast(
        greatest(1, floor(factor * cast(most_orders_in_a_day as decimal(18, 0)))) as bigint
    ) as daily_order_limit_if_missed,
    recovery_weeks,
    release_after_weeks
from judged
