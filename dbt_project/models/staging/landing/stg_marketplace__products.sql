{# Every version of a product. #}
select sku_id, seller_id, listed_at, delisted_at, logo_image_status, updated_at from {{ source("landing", "products") }}
