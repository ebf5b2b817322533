-- One row per cancellation, and one for what is left of a store's orders of an item and a day. The export has neither
-- order ids nor baskets nor times: an order is what a store, an item and a day have in common, and counts from
-- midnight.
with

    cancellations as (

        select
            *,
            row_number() over (
                partition by store_num, item_id, order_dt
                order by cancel_dt, cncl_rsn_desc, cncl_rsn_sub_desc, cncl_qty, cncl_amt
            ) as number
        from read_parquet('store_inventory/cancels.parquet')

    ),

    cancelled as (select store_num, item_id, order_dt, sum(cncl_qty) as quantity from cancellations group by all),

    placed as (

        select store_num, item_id, order_dt, sum(plcd_qty) as quantity, sum(plcd_amt) as amount
        from read_parquet('store_inventory/orders.parquet')
        group by all

    ),

    lines as (

        select
            concat_ws('-', 'placed', placed.store_num, placed.item_id, strftime(placed.order_dt, '%Y%m%d')) as id,
            placed.store_num,
            placed.item_id,
            placed.order_dt,
            placed.quantity - coalesce(cancelled.quantity, 0) as quantity,
            -- what is left of the amount, unit by unit
            placed.amount * (placed.quantity - coalesce(cancelled.quantity, 0)) / placed.quantity as amount,
            null as cancel_dt,
            null as cancelled_by,
            null as reason
        from placed
        left join cancelled using (store_num, item_id, order_dt)
        where placed.quantity > coalesce(cancelled.quantity, 0)

        union all

        -- Orders before the export begins are known by their cancellations only. They count all the same.
        select
            concat_ws('-', 'cancelled', store_num, item_id, strftime(order_dt, '%Y%m%d'), number),
            store_num,
            item_id,
            order_dt,
            cncl_qty,
            cncl_amt,
            cancel_dt,
            case
                when is_oos_flag or cncl_rsn_desc like '%Store%' or cncl_rsn_desc like 'Expired%'
                then 'seller'
                when cncl_rsn_desc like '%Customer%' or cncl_rsn_desc like 'Rejected%'
                then 'customer'
                else 'external'
            end,
            -- The export's own mark for want of stock; the other reasons keep their words.
            case
                when is_oos_flag
                then 'OUT_OF_STOCK'
                else upper(regexp_replace(cncl_rsn_desc, '[^A-Za-z0-9]+', '_', 'g'))
            end
        from cancellations

    )

select
    id as sub_order_id,
    id as order_id,
    'store-' || store_num as seller_id,
    item_id as sku_id,
    'drop_shipping' as shipment_type,
    quantity,
    round(amount, 2) as item_value,
    order_dt as ordered_at,
    cancel_dt as cancelled_at,
    cancelled_by,
    reason as cancellation_reason,
    coalesce(cancel_dt, order_dt) as updated_at
from lines
order by all
