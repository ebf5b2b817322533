{#
    One row per week and source with sellers and event times: the share of its records that name a seller nobody knows.
    Without a list of sellers there is nothing to know.
#}
with

    weeks as ({{ sources_of_weeks("has_seller") }}),

    records as (select week_start, source, seller_id, records from {{ ref("int_seller_records_week") }}),

    known as (select distinct seller_id from {{ ref("stg_marketplace__sellers") }}),

    counted as (
        select
            records.week_start,
            records.source,
            sum(records.records) as records,
            coalesce(sum(records.records) filter (where known.seller_id is null), 0) as unknown_records
        from records
        left join known on records.seller_id = known.seller_id
        group by records.week_start, records.source
    )

select
    weeks.week_start,
    weeks.source as scope,
    {{ share("counted.unknown_records", "counted.records") }} as observed,
    case when counted.records is null then 'no record in the week' end as note
from weeks
left join counted on weeks.week_start = counted.week_start and weeks.source = counted.source
where {{ source_is_present("sellers") }}
