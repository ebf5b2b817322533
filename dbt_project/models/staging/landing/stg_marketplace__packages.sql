select package_id, order_id, seller_id, shipped_at from {{ source("landing", "packages") }}
