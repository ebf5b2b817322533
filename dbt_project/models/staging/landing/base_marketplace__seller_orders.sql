select * from {{ source("landing", "seller_orders") }}
