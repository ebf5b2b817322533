{#
    One row per week, of the run or up to four before, that landed: no present source that no day may be missing from
    lacks one. A few stray records of long ago are no week to compare another with.
#}
with

    weeks as (select week_start from {{ ref("int_quality_weeks") }}),

    sources as (
        select source from {{ ref("stg_run__sources") }} where is_present and source in ({{ source_names("is_vital") }})
    ),

    records as (select week_start, source, days_with_records from {{ ref("int_records_week") }})

select weeks.week_start
from weeks
cross join sources
left join records on weeks.week_start = records.week_start and sources.source = records.source
group by weeks.week_start
having min(coalesce(records.days_with_records, 0)) = 7
