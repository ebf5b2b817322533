{{ config(meta={"dagster": {"ref": {"name": "fct_manifest_call_day"}}}) }}
{#
    Counted once more from the logs of [S, E): the manifestation calls of the week's days, of all clients together and
    client by client, and the records with and without a request_id.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    days as ({{ weeks_by_utc_day() }}),

    logs as (
        select
            days.week_start,
            count(*) as records,
            count(*) - count(logs.request_id) as null_records,
            count(*) filter (where logs.flow = 'manifestation' and logs.call_status = 'success') as success,
            count(*) filter (where logs.flow = 'manifestation' and logs.call_status = 'failed') as failed
        from {{ ref("stg_oms__logs") }} as logs
        inner join days on cast(logs.logged_at as date) = days.utc_day
        where logs.logged_at >= days.starts_at and logs.logged_at < days.ends_at
        group by days.week_start
    ),

    calls as (
        select
            week_start,
            sum(success) filter (where oms_client = 'all') as success,
            sum(failed) filter (where oms_client = 'all') as failed,
            sum(success) filter (where oms_client <> 'all') as client_success,
            sum(failed) filter (where oms_client <> 'all') as client_failed,
            sum(total) filter (where oms_client <> 'all') as client_total
        from {{ ref("fct_manifest_call_day") }}
        group by week_start
    ),

    records as (
        select week_start, sum(records) as records, sum(null_records) as null_records
        from {{ ref("fct_null_request_id_week") }}
        group by week_start
    )

select
    weeks.week_start,
    logs.success,
    logs.failed,
    logs.records,
    logs.null_records,
    calls.success as success_of_days,
    calls.failed as failed_of_days,
    calls.client_success,
    calls.client_failed,
    calls.client_total,
    records.records as published_records,
    records.null_records as published_null_records
from weeks
left join logs on weeks.week_start = logs.week_start
left join calls on weeks.week_start = calls.week_start
left join records on weeks.week_start = records.week_start
where
    coalesce(logs.success, 0) <> coalesce(calls.success, 0)
    or coalesce(logs.failed, 0) <> coalesce(calls.failed, 0)
    or coalesce(logs.success, 0) <> coalesce(calls.client_success, 0)
    or coalesce(logs.failed, 0) <> coalesce(calls.client_failed, 0)
    or coalesce(logs.success + logs.failed, 0) <> coalesce(calls.client_total, 0)
    or coalesce(logs.records, 0) <> coalesce(records.records, 0)
    or coalesce(logs.null_records, 0) <> coalesce(records.null_records, 0)
