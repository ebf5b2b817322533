{# Every version of a seller; `weekend_days` is a comma-separated list of mon..sun, or none. #}
select
    seller_id,
    seller_name,
    brand_id,
    brand_name,
    mall_segment,
    oms_client,
    is_cross_border,
    onboarded_at,
    oms_enabled_at,
    coalesce(weekend_days, 'sun') as weekend_days,
    pending_to_shipped_hours,
    pending_to_ready_to_ship_hours,
    updated_at
from {{ source("landing", "sellers") }}
