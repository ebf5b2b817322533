{# One row per week and present source: the share of the week's records that were quarantined. #}
with

    weeks as ({{ sources_of_weeks() }}),

    records as (
        select week_start, source, quarantined, landed + quarantined as records
        from {{ ref("int_landed_records_week") }}
    )

select
    weeks.week_start,
    weeks.source as scope,
    {{ share("records.quarantined", "records.records") }} as observed,
    case when records.records is null then 'no record in the week' end as note
from weeks
left join records on weeks.week_start = records.week_start and weeks.source = records.source
