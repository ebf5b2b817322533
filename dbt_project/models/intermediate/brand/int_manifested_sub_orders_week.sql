{#
    One row per week and Mall sub-order that was first sent for a label in it: a manifestation call in [S, E), and none
    in the days before S that the registry says. Its calls count from S to A.
#}
{% set days_before = metric_entry("manifestation_failure_rate").looks_back %}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    calls as (
        select week_start, sub_order_id, has_succeeded
        from {{ ref("int_sub_order_calls_week") }}
        where flow = 'manifestation' and is_called_in_week
    ),

    sub_orders as (select sub_order_id, order_id, seller_id, ordered_at from {{ ref("stg_marketplace__sub_orders") }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall),

    -- before the sellers of each week: read twice it is kept, and no engine joins all orders with all weeks first
    called_in_week as (
        select
            calls.week_start,
            calls.sub_order_id,
            sub_orders.order_id,
            sub_orders.seller_id,
            sub_orders.ordered_at,
            not calls.has_succeeded as is_not_manifested
        from calls
        inner join sub_orders on calls.sub_order_id = sub_orders.sub_order_id
    ),

    earlier_calls as (
        select sub_order_id, logged_at
        from {{ ref("stg_oms__logs") }}
        where
            flow = 'manifestation'
            and logged_at >= (select {{ add_days("min(starts_at)", -days_before) }} from weeks)
            and logged_at < (select max(starts_at) from weeks)
    ),

    called_before as (
        select distinct called_in_week.week_start, called_in_week.sub_order_id
        from called_in_week
        inner join weeks on called_in_week.week_start = weeks.week_start
        inner join
            earlier_calls
            on called_in_week.sub_order_id = earlier_calls.sub_order_id
            and earlier_calls.logged_at >= {{ add_days("weeks.starts_at", -days_before) }}
            and earlier_calls.logged_at < weeks.starts_at
    )

select
    called_in_week.week_start,
    called_in_week.sub_order_id,
    called_in_week.order_id,
    called_in_week.seller_id,
    called_in_week.ordered_at,
    mall_sellers.mall_segment,
    mall_sellers.oms_client,
    called_in_week.is_not_manifested
from called_in_week
inner join
    mall_sellers
    on called_in_week.week_start = mall_sellers.week_start
    and called_in_week.seller_id = mall_sellers.seller_id
left join
    called_before
    on called_in_week.week_start = called_before.week_start
    and called_in_week.sub_order_id = called_before.sub_order_id
where called_before.sub_order_id is null
