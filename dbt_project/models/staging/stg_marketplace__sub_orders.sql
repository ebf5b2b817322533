{{ config(materialized="table") }}
{# The newest version of every sub-order; its timestamps are cut at A where a week reads it. #}
with

    versions as (
        select *, row_number() over (partition by sub_order_id order by updated_at desc) as version_rank
        from {{ source("landing", "seller_orders") }}
    )

select
    sub_order_id,
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
    < ordered_at as runs_backwards
from versions
where version_rank = 1
