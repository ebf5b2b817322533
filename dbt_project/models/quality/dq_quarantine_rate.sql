{#
    One row per week and present source: the share of the week's records that were rejected and haven't landed since. The
    note names the file and the reason of most of them.
#}
with

    weeks as ({{ sources_of_weeks() }}),

    records as (
        select week_start, source, quarantined, landed + quarantined as records
        from {{ ref("int_landed_records_week") }}
    ),

    most as (
        select
            quarantined.week_start,
            quarantined.source,
            case when files.path like '%.sql' then '' else 'inbox/' || files.source || '/' end || files.path as place,
            quarantined.reason,
            quarantined.records
        from {{ ref("int_quarantined_week") }} as quarantined
        inner join {{ ref("stg_run__files") }} as files on quarantined.file_id = files.file_id
        qualify
            row_number() over (
                partition by quarantined.week_start, quarantined.source
                order by quarantined.records desc, files.path, quarantined.file_id, quarantined.reason
            )
            = 1
    )

select
    weeks.week_start,
    weeks.source as scope,
    {{ share("records.quarantined", "records.records") }} as observed,
    case
        when records.records is null
        then 'no record in the week'
        when most.records is not null
        then
            cast(records.quarantined as string)
            || ' rejected, most of them from '
            || most.place
            || ': '
            || cast(most.records as string)
            || ' '
            || most.reason
    end as note
from weeks
left join records on weeks.week_start = records.week_start and weeks.source = records.source
left join most on weeks.week_start = most.week_start and weeks.source = most.source
