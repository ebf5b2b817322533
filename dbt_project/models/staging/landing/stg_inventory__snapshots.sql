select snapshot_at, seller_id, sku_id, system, quantity from {{ source("landing", "inventory_snapshots") }}
