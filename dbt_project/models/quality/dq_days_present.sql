{# One row per week and source that no day may be missing from: the local days of the week with a record. #}
with

    weeks as ({{ sources_of_weeks("is_vital") }}),

    records as (select week_start, source, days_with_records from {{ ref("int_records_week") }})

select
    weeks.week_start,
    weeks.source as scope,
    cast(coalesce(records.days_with_records, 0) as double) as observed,
    cast(null as string) as note
from weeks
left join records on weeks.week_start = records.week_start and weeks.source = records.source
