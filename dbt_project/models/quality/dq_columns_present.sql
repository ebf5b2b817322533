{#
    One row per week and present source: the files with a record in the week that lack a column which an earlier file of
    the same folder, or of the same adapter, had. Of files with a head only: JSON lines may leave nulls out.
#}
with

    weeks as ({{ sources_of_weeks() }}),

    files as (
        select
            file_id,
            read_order,
            source,
            path,
            column_hints,
            case when path like '%.sql' then path else regexp_replace(path, '[^/]*$', '') end as folder
        from {{ ref("stg_run__files") }}
        where status = 'landed' and not (path like '%.jsonl' or path like '%.jsonl.gz' or path like '%.jsonl.zst')
    ),

    missing as (select file_id, column_name from {{ ref("stg_run__missing_columns") }}),

    lacking as (select files.*, missing.column_name from files inner join missing on files.file_id = missing.file_id),

    lacked as (select distinct source, folder, column_name from lacking),

    first_files as (
        select lacked.source, lacked.folder, lacked.column_name, min(files.read_order) as read_order
        from lacked
        inner join files on lacked.source = files.source and lacked.folder = files.folder
        left join missing on files.file_id = missing.file_id and lacked.column_name = missing.column_name
        where missing.file_id is null
        group by lacked.source, lacked.folder, lacked.column_name
    ),

    lost as (
        select
            weeks_of_files.week_start,
            lacking.source,
            lacking.file_id,
            case when lacking.path like '%.sql' then '' else 'inbox/' || lacking.source || '/' end
            || lacking.path
            || ' lacks '
            || lacking.column_name
            || ', which an earlier one had'
            || case
                when coalesce(lacking.column_hints, '') = '' then '' else ' (' || lacking.column_hints || ')'
            end as said
        from lacking
        inner join
            first_files
            on lacking.source = first_files.source
            and lacking.folder = first_files.folder
            and lacking.column_name = first_files.column_name
            and lacking.read_order > first_files.read_order
        inner join {{ ref("stg_run__weeks_of_files") }} as weeks_of_files on lacking.file_id = weeks_of_files.file_id
    ),

    counted as (
        select week_start, source, count(distinct file_id) as files, min(said) as said
        from lost
        group by week_start, source
    )

select
    weeks.week_start,
    weeks.source as scope,
    cast(coalesce(counted.files, 0) as double) as observed,
    counted.said as note
from weeks
left join counted on weeks.week_start = counted.week_start and weeks.source = counted.source
