{# One row per week and claim, as of A, raised in the week on a Mall sub-order. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    claims as (select * from {{ ref("stg_marketplace__claims") }}),

    -- all versions of a claim that any version dates into the weeks of the run: the one that holds decides
    recent_claims as (
        select *
        from claims
        where
            claim_id in (
                select claim_id
                from claims
                where raised_at >= (select min(starts_at) from weeks) and raised_at < (select max(ends_at) from weeks)
            )
    ),

    claims_as_of as ({{ versions_as_of("recent_claims", ["claim_id"]) }}),

    sub_orders as (select sub_order_id, seller_id from {{ ref("stg_marketplace__sub_orders") }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall)

select claims_as_of.week_start, claims_as_of.claim_id, mall_sellers.mall_segment
from claims_as_of
inner join
    weeks
    on claims_as_of.week_start = weeks.week_start
    and claims_as_of.raised_at >= weeks.starts_at
    and claims_as_of.raised_at < weeks.ends_at
inner join sub_orders on claims_as_of.sub_order_id = sub_orders.sub_order_id
inner join
    mall_sellers on claims_as_of.week_start = mall_sellers.week_start and sub_orders.seller_id = mall_sellers.seller_id
