{{ config(materialized="view") }}
{#
    One row per week of the run and order of a cross-border seller with its due date in that week. Each metric is a
    column: true is in numerator and denominator, false in the denominator only.
#}
with

    orders as (select * from {{ ref("int_ovl_orders") }}),

    sellers as (select week_start, seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border)

select orders.*
from orders
inner join sellers on orders.week_start = sellers.week_start and orders.seller_id = sellers.seller_id
