{# One row per week and source with event times: its records over the mean of the up to four landed weeks before. #}
with

    weeks as ({{ sources_of_weeks("event_time") }}),

    records as (select week_start, source, records from {{ ref("int_records_week") }}),

    landed_weeks as (select week_start from {{ ref("int_landed_weeks") }}),

    landed_records as (
        select records.week_start, records.source, records.records
        from records
        inner join landed_weeks on records.week_start = landed_weeks.week_start
    ),

    before as (
        select weeks.week_start, weeks.source, sum(landed_records.records) as records, count(*) as landed_weeks
        from weeks
        inner join
            landed_records
            on weeks.source = landed_records.source
            and landed_records.week_start < weeks.week_start
            and landed_records.week_start
            >= {{ date_add_days("weeks.week_start", -rule_entry("volume_shift").looks_back) }}
        group by weeks.week_start, weeks.source
    )

select
    weeks.week_start,
    weeks.source as scope,
    cast(coalesce(records.records, 0) * before.landed_weeks as double) / cast(before.records as double) as observed,
    case when before.records is null then 'no landed week with a record among the four before' end as note
from weeks
left join records on weeks.week_start = records.week_start and weeks.source = records.source
left join before on weeks.week_start = before.week_start and weeks.source = before.source
