-- Two snapshots per store, item and day: what the store has on hand, and what a marketplace would believe that was told
-- the stock of the evening before and knows its own sales.
--
-- The export has the first only. The second is derived: on hand the evening before, less what was ordered that day,
-- plus
-- what was cancelled that day. Where it is higher than on hand, units are offered that don't exist: sold over the
-- counter, lost or miscounted since. Where it is lower, a delivery came that the marketplace wasn't told of. A day
-- without an evening before it has no second snapshot.
with

    on_hand as (

        select store_num, item_id, gregorian_date as day, on_hand_qty as quantity
        from read_parquet('store_inventory/inventory.parquet')

    ),

    movements as (

        select store_num, item_id, order_dt as day, - plcd_qty as quantity
        from read_parquet('store_inventory/orders.parquet')

        union all

        select store_num, item_id, cancel_dt as day, cncl_qty as quantity
        from read_parquet('store_inventory/cancels.parquet')

    ),

    moved as (select store_num, item_id, day, sum(quantity) as quantity from movements group by all),

    believed as (

        select
            on_hand.store_num,
            on_hand.item_id,
            evening.day + interval 1 day as day,
            evening.quantity + coalesce(moved.quantity, 0) as quantity
        from on_hand
        inner join
            on_hand as evening
            on on_hand.store_num = evening.store_num
            and on_hand.item_id = evening.item_id
            and on_hand.day = evening.day + interval 1 day
        left join
            moved on on_hand.store_num = moved.store_num and on_hand.item_id = moved.item_id and on_hand.day = moved.day

    ),

    snapshots as (

        select *, 'oms' as system
        from on_hand

        union all

        select *, 'marketplace' as system
        from believed

    )

select
    -- counted when the day is over
    day + interval 23 hour as snapshot_at, 'store-' || store_num as seller_id, item_id as sku_id, system, quantity
from snapshots
order by all
