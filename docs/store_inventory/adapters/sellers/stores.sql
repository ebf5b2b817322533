-- One row per store. A store sells for itself and has its own order system, so it is both seller and OMS client:
-- figures by OMS client are then figures by store.
select
    'store-' || store_num as seller_id,
    city || ', ' || state as seller_name,
    'store-' || store_num as oms_client,
    false as is_cross_border,
    'none' as weekend_days,
    timestamp '2024-01-01 00:00:00' as updated_at
from read_parquet('store_inventory/store.parquet')
order by all
