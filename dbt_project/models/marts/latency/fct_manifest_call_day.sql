{{ config(meta={"key": ["day", "oms_client"]}) }}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    log_counts as (select * from {{ ref("int_log_counts_day") }}),

    calls as (
        select
            day,
            week_start,
            coalesce(oms_client, 'all') as oms_client,
            cast(coalesce(sum(records) filter (where call_status = 'success'), 0) as bigint) as success,
            cast(coalesce(sum(records) filter (where call_status = 'failed'), 0) as bigint) as failed,
            cast(sum(records) as bigint) as total
        from log_counts
        where flow = 'manifestation'
        group by grouping sets ((day, week_start, oms_client), (day, week_start))
    )

select
    calls.day,
    calls.week_start,
    calls.oms_client,
    calls.success,
    calls.failed,
    calls.total,
    {{ percent("calls.failed", "calls.total", "decimal(9,2)") }} as failure_rate,
    {{ change_pct("calls.success", "day_before.success") }} as success_change_pct,
    {{ change_pct("calls.failed", "day_before.failed") }} as failed_change_pct,
    {{ change_pct("calls.total", "day_before.total") }} as total_change_pct
from calls
left join
    calls as day_before
    on day_before.day = {{ date_add_days("calls.day", -1) }}
    and calls.oms_client = day_before.oms_client
where calls.week_start in (select week_start from weeks)
