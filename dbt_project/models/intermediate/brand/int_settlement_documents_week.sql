{#
    One row per week and payout or invoice document, as of A, generated in the week for a Mall seller whose OMS is
    enabled before its end.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    documents as (select * from {{ ref("stg_marketplace__settlements") }}),

    -- all versions of a document that any version dates into the weeks of the run: the one that holds decides
    recent_documents as (
        select *
        from documents
        where
            document_id in (
                select document_id
                from documents
                where
                    generated_at >= (select min(starts_at) from weeks)
                    and generated_at < (select max(ends_at) from weeks)
            )
    ),

    documents_as_of as ({{ versions_as_of("recent_documents", ["document_id"]) }}),

    mall_sellers as (select * from {{ ref("int_sellers_as_of_week") }} where is_mall)

select
    documents_as_of.week_start,
    documents_as_of.document_id,
    documents_as_of.document_type,
    mall_sellers.mall_segment,
    mall_sellers.oms_client,
    documents_as_of.sync_status = 'synced'
    and coalesce(documents_as_of.synced_at <= documents_as_of.calculated_at, false) as is_synced
from documents_as_of
inner join
    weeks
    on documents_as_of.week_start = weeks.week_start
    and documents_as_of.generated_at >= weeks.starts_at
    and documents_as_of.generated_at < weeks.ends_at
inner join
    mall_sellers
    on documents_as_of.week_start = mall_sellers.week_start
    and documents_as_of.seller_id = mall_sellers.seller_id
    and mall_sellers.oms_enabled_at < weeks.ends_at
