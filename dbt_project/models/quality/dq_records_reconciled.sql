{# One row per week and present source: records of its landed files of which nobody can say what became of them. #}
with

    weeks as ({{ sources_of_weeks() }}),

    lost as (
        select source, sum(abs(rows_read - landed - quarantined - duplicates)) as records
        from {{ ref("stg_run__files") }}
        where status = 'landed'
        group by source
    )

select
    weeks.week_start,
    weeks.source as scope,
    cast(coalesce(lost.records, 0) as double) as observed,
    cast(null as string) as note
from weeks
left join lost on weeks.source = lost.source
