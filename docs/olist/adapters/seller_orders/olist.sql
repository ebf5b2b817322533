-- One row per sub-order. An Olist order item is exactly that: one unit of one seller, with its own hand-over promise.
--
-- An order without items (in Olist mostly an `unavailable` one) names no seller and no product: it has no sub-order
-- and does not appear. An item without its order does appear, and is quarantined as missing_required.
--
-- Everything is read as text and passed on as it came, so that the ingest judges it and a bad value is quarantined with
-- its row, instead of failing the file. Only what is computed here is cast, with try_cast.
with

    order_items as (

        select *
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

        select
            *,
            -- The last step that is known to have happened. greatest() passes over nulls. Promises are not steps.
            greatest(
                try_cast(order_purchase_timestamp as timestamp),
                try_cast(order_approved_at as timestamp),
                try_cast(order_delivered_carrier_date as timestamp),
                try_cast(order_delivered_customer_date as timestamp)
            ) as last_step_at
        from
            read_csv(
                'olist/olist_orders_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    ),

    customers as (

        select *
        from
            read_csv(
                'olist/olist_customers_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    )

select
    order_items.order_id || '-' || order_items.order_item_id as sub_order_id,
    order_items.order_id,
    order_items.seller_id,
    order_items.product_id as sku_id,

    -- customer_id is new with every order; customer_unique_id is the person.
    customers.customer_unique_id as user_id,

    -- Olist's sellers keep their own stock and hand it to the carrier themselves.
    'drop_shipping' as shipment_type,
    1 as quantity,
    order_items.price as item_value,

    orders.order_purchase_timestamp as ordered_at,
    orders.order_purchase_timestamp as pending_at,
    orders.order_approved_at as ready_to_ship_at,

    -- The carrier time is the order's: in an order of several sellers they all share it.
    orders.order_delivered_carrier_date as shipped_at,
    orders.order_delivered_customer_date as delivered_at,

    -- Olist does not say when an order was cancelled. It was not before its last known step, so that is the time: the
    -- earliest possible one. The purchase would cancel orders before they were paid and shipped; a promise would keep
    -- them open, and count them against the seller, for weeks. Consequence: a cancellation is known too early as of A,
    -- and never too late.
    case when orders.order_status in ('canceled', 'unavailable') then orders.last_step_at end as cancelled_at,
    case orders.order_status when 'canceled' then 'customer' when 'unavailable' then 'seller' end as cancelled_by,

    -- Why a customer cancelled is not known, so it stays null.
    case when orders.order_status = 'unavailable' then 'OUT_OF_STOCK' end as cancellation_reason,

    order_items.shipping_limit_date as promised_ship_at,
    orders.order_estimated_delivery_date as promised_delivery_at,

    -- Whole days of 24 hours from purchase to promise.
    date_sub(
        'day',
        try_cast(orders.order_purchase_timestamp as timestamp),
        try_cast(orders.order_estimated_delivery_date as timestamp)
    ) as estimated_delivery_days,

    -- Never null: the purchase is one of the steps.
    orders.last_step_at as updated_at

from order_items
left join orders on order_items.order_id = orders.order_id
left join customers on orders.customer_id = customers.customer_id
-- By every column, the key first: the order is the same even where a key repeats.
order by all
