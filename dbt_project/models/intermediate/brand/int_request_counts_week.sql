{#
    One row per week, dimension and member: distinct request_ids logged in [S, E), of all sellers; for all of the week
    also the most distinct sub-orders under one of them.
#}
{% set dimensions = ["user_type", "oms_client"] %}
with

    weeks as ({{ weeks_by_utc_day() }}),

    user_types as (select * from {{ ref("int_seller_user_type_week") }}),

    logs as (
        select logged_at, request_id, seller_id, oms_client, sub_order_id
        from {{ ref("stg_oms__logs") }}
        where
            request_id is not null
            and logged_at >= (select min(starts_at) from weeks)
            and logged_at < (select max(ends_at) from weeks)
    ),

    -- a request has some 25 records: far fewer rows before they are counted several ways
    called_sub_orders as (
        select distinct weeks.week_start, logs.request_id, logs.seller_id, logs.oms_client, logs.sub_order_id
        from logs
        inner join weeks on cast(logs.logged_at as date) = weeks.utc_day
        where logs.logged_at >= weeks.starts_at and logs.logged_at < weeks.ends_at
    ),

    sub_orders_per_request as (
        select week_start, request_id, count(distinct sub_order_id) as sub_orders
        from called_sub_orders
        group by week_start, request_id
    ),

    callers as (select distinct week_start, request_id, seller_id, oms_client from called_sub_orders),

    requests as (
        select callers.week_start, callers.request_id, callers.oms_client, user_types.user_type
        from callers
        left join user_types on callers.week_start = user_types.week_start and callers.seller_id = user_types.seller_id
    ),

    most_sub_orders as (
        select week_start, 'overall' as dimension, max(sub_orders) as max_sub_orders
        from sub_orders_per_request
        group by week_start
    ),

    request_ids as (
        select week_start, {{ dimension_and_member(dimensions, "all") }}, count(distinct request_id) as request_ids
        from requests
        group by {{ by_dimensions(dimensions) }}
    )

select
    request_ids.week_start,
    request_ids.dimension,
    request_ids.member,
    request_ids.request_ids,
    most_sub_orders.max_sub_orders
from request_ids
left join
    most_sub_orders
    on request_ids.week_start = most_sub_orders.week_start
    and request_ids.dimension = most_sub_orders.dimension
