{# One row per seller that is cross-border as of A of a week of the run, and has a landed sub-order. #}
with

    cross_border as (select distinct seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border),

    first_orders as (select * from {{ ref("int_first_orders_seller") }})

select first_orders.seller_id, first_orders.first_ordered_at
from first_orders
inner join cross_border on first_orders.seller_id = cross_border.seller_id
