{{ config(materialized="view") }}
{# One row per week and sub-order placed in it, of any seller, that was cancelled as of A because the stock wasn't there. #}
with

    sub_orders as (
        select *
        from {{ ref("int_sub_orders_as_of_week") }}
        where {{ is_within("ordered_at", "starts_at", "ends_at") }} and cancelled_at is not null
    ),

    out_of_stock_reasons as ({{ reasons_of("cancellation", "out_of_stock") }})

select sub_orders.week_start, sub_orders.sub_order_id, sub_orders.oms_client
from sub_orders
inner join out_of_stock_reasons on sub_orders.cancellation_reason = out_of_stock_reasons.reason
