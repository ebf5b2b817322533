{# One row per week and product: the version that holds as of A. #}
with products as ({{ versions_as_of(ref("stg_marketplace__products"), ["sku_id"]) }})

select week_start, sku_id, seller_id, listed_at, delisted_at, logo_image_status
from products
