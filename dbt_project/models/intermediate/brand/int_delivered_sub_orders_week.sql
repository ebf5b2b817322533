{{ config(materialized="view") }}
{# One row per week and Mall sub-order delivered in it. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    sub_orders as (select sub_order_id, seller_id, delivered_at from {{ ref("stg_marketplace__sub_orders") }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall)

select weeks.week_start, sub_orders.sub_order_id, mall_sellers.mall_segment
from sub_orders
inner join weeks on {{ is_within("sub_orders.delivered_at", "weeks.starts_at", "weeks.ends_at") }}
inner join mall_sellers on weeks.week_start = mall_sellers.week_start and sub_orders.seller_id = mall_sellers.seller_id
