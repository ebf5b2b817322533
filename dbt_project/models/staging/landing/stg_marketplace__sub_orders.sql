{{ config(materialized="table") }}
{# The newest version of every sub-order; its timestamps are cut at A where a week reads it. #}
with

    landed as (select * from {{ ref("base_marketplace__seller_orders") }}),

    -- no two versions are of one instant; ranking them all takes twice as long, and the memory of whole records
    several as (select sub_order_id, max(updated_at) as newest_at from landed group by sub_order_id having count(*) > 1)

select
    landed.sub_order_id,
    order_id,
    seller_id,
    sku_id,
    user_id,
    shipment_type,
    shipment_type in ('cross_docking', 'drop_shipping') as is_seller_shipped,
    quantity,
    item_value,
    ordered_at,
    pending_at,
    confirmed_at,
    ready_to_ship_at,
    shipped_at,
    delivered_at,
    cancelled_at,
    cancelled_by,
    cancellation_reason,
    returned_at,
    failed_delivery_at,
    failed_delivery_reason,
    promised_ship_at,
    promised_delivery_at,
    estimated_delivery_days,
    updated_at,
    least(
        coalesce(pending_at, ordered_at),
        coalesce(confirmed_at, ordered_at),
        coalesce(ready_to_ship_at, ordered_at),
        coalesce(shipped_at, ordered_at),
        coalesce(delivered_at, ordered_at),
        coalesce(cancelled_at, ordered_at),
        coalesce(returned_at, ordered_at),
        coalesce(failed_delivery_at, ordered_at)
    )
    < ordered_at as is_backwards
from landed
left join several on landed.sub_order_id = several.sub_order_id
where several.newest_at is null or landed.updated_at = several.newest_at
