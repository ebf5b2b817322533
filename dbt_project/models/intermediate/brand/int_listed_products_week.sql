{{ config(materialized="view") }}
{# One row per week and product of a Mall seller that is listed at the end of the week. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    products as (select * from {{ ref("int_products_as_of_week") }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall)

select
    products.week_start,
    products.sku_id,
    mall_sellers.mall_segment,
    products.logo_image_status = 'accurate' as has_accurate_logo
from products
inner join
    weeks
    on products.week_start = weeks.week_start
    and products.listed_at < weeks.ends_at
    and (products.delisted_at is null or products.delisted_at >= weeks.ends_at)
inner join mall_sellers on products.week_start = mall_sellers.week_start and products.seller_id = mall_sellers.seller_id
