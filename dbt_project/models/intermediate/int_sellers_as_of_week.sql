{# One row per week and seller: the version that holds as of A. #}
with sellers as ({{ versions_as_of(ref("stg_marketplace__sellers"), ["seller_id"]) }})

select
    week_start,
    seller_id,
    seller_name,
    brand_id,
    brand_name,
    mall_segment,
    mall_segment is not null as is_mall,
    oms_client,
    is_cross_border,
    onboarded_at,
    oms_enabled_at,
    weekend_days,
    pending_to_shipped_hours,
    pending_to_ready_to_ship_hours
from sellers
