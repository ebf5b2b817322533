{# One row per seller of a landed sub-order: when its first one was placed. #}
select seller_id, min(ordered_at) as first_ordered_at from {{ ref("stg_marketplace__sub_orders") }} group by seller_id
