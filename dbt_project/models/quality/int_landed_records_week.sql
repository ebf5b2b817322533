{#
    One row per week of the run and source with records as they came: versions of a thing count one by one. A record's
    week is that of its event time; without one, or where it can't be read, that of the ingestion of its file.
#}
{#- the staging models of these hold the newest version alone #}
{%- set all_versions = {"seller_orders": "base_marketplace__seller_orders", "tickets": "base_marketplace__tickets"} %}
with

    weeks as (select week_start, starts_at, ends_at from {{ ref("int_weeks") }}),

    days as ({{ weeks_by_utc_day() }}),

    undated_files as (
        select source, ingested_at, landed
        from {{ ref("stg_run__files") }}
        where status = 'landed' and source not in ({{ source_names("event_time") }})
    ),

    counted as (
        {% for entry in var("sources") | selectattr("event_time") %}
            select days.week_start, '{{ entry.id }}' as source, count(*) as landed, 0 as quarantined
            from {{ ref(all_versions.get(entry.id, entry.relation)) }} as records
            inner join days on cast(records.{{ entry.event_time }} as date) = days.utc_day
            where records.{{ entry.event_time }} >= days.starts_at and records.{{ entry.event_time }} < days.ends_at
            group by days.week_start
            union all
        {% endfor %}
        select weeks.week_start, undated_files.source, sum(undated_files.landed) as landed, 0 as quarantined
        from undated_files
        inner join weeks on undated_files.ingested_at >= weeks.starts_at and undated_files.ingested_at < weeks.ends_at
        group by weeks.week_start, undated_files.source
        union all
        select week_start, source, 0 as landed, sum(records) as quarantined
        from {{ ref("int_quarantined_week") }}
        group by week_start, source
    )

select week_start, source, cast(sum(landed) as bigint) as landed, cast(sum(quarantined) as bigint) as quarantined
from counted
group by week_start, source
