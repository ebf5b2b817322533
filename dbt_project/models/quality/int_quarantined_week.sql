{#
    One row per week of the run, source, file and reason with rejected records whose key hasn't landed since. A record's
    week is that of its event time; without one, or where it can't be read, that of the ingestion of its file.
#}
with

    weeks as (select week_start, starts_at, ends_at from {{ ref("int_weeks") }}),

    quarantined as (
        select
            source,
            file_id,
            reason,
            coalesce(
                case when source in ({{ source_names("event_time") }}) then event_at end, ingested_at
            ) as counted_at
        from {{ ref("stg_run__quarantined") }}
        where not has_landed_since
    )

select weeks.week_start, quarantined.source, quarantined.file_id, quarantined.reason, count(*) as records
from quarantined
inner join weeks on quarantined.counted_at >= weeks.starts_at and quarantined.counted_at < weeks.ends_at
group by weeks.week_start, quarantined.source, quarantined.file_id, quarantined.reason
