-- One row per order and seller that was handed to the carrier.
--
-- Olist has no packages of its own. It knows one carrier time per order, so the items of one seller are taken to travel
-- together, and every seller of the order has the same time.
with

    order_items as (

        select order_id, seller_id
        from
            read_csv(
                'olist/olist_order_items_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    ),

    orders as (

        select order_id, order_delivered_carrier_date
        from
            read_csv(
                'olist/olist_orders_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    )

select distinct
    order_items.order_id || '-' || order_items.seller_id as package_id,
    order_items.order_id,
    order_items.seller_id,
    orders.order_delivered_carrier_date as shipped_at
from order_items
inner join orders on order_items.order_id = orders.order_id
where orders.order_delivered_carrier_date is not null
order by all
