{# One row per week and source that had a file: its unreadable ones, which withhold weeks not yet published. #}
with

    weeks as (select week_start, is_published from {{ ref("int_weeks") }}),

    failed as (
        select source, count(*) as files from {{ ref("stg_run__files") }} where status = 'failed' group by source
    ),

    -- a source whose every file failed has landed nothing, and had a file
    sources as (
        select presence.source, coalesce(failed.files, 0) as failed_files
        from {{ ref("stg_run__sources") }} as presence
        left join failed on presence.source = failed.source
        where presence.is_present or failed.files > 0
    )

select
    weeks.week_start,
    sources.source as scope,
    cast(case when weeks.is_published then 0 else sources.failed_files end as double) as observed,
    -- what a published week says of files would stay when they are corrected, and depend on what came first
    cast(null as string) as note
from weeks
cross join sources
