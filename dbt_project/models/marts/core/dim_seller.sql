{{ config(materialized="table") }}
{# One row per seller: its newest version, whatever the weeks of the run. #}
with

    versions as (
        select *, row_number() over (partition by seller_id order by updated_at desc) as version_rank
        from {{ ref("stg_marketplace__sellers") }}
    )

select
    seller_id,
    seller_name,
    brand_id,
    brand_name,
    mall_segment,
    oms_client,
    is_cross_border,
    onboarded_at,
    oms_enabled_at
from versions
where version_rank = 1
