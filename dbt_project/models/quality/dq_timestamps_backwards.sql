{# One row per week and source whose timestamps have an order: the share of its records that run backwards. #}
with

    weeks as ({{ sources_of_weeks("marks_backwards") }}),

    counted as (
        select week_start, source, sum(records) as records, sum(backwards) as backwards
        from {{ ref("int_seller_records_week") }}
        group by week_start, source
    )

select
    weeks.week_start,
    weeks.source as scope,
    {{ share("counted.backwards", "counted.records") }} as observed,
    case when counted.records is null then 'no record in the week' end as note
from weeks
left join counted on weeks.week_start = counted.week_start and weeks.source = counted.source
