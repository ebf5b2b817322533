{# One row per day, oms_client, event name, flow and call status: the log records, of all sellers. #}
with

    days as ({{ by_utc_day(ref("int_latency_days")) }}),

    logs as (select logged_at, oms_client, event_name, flow, call_status, request_id from {{ ref("stg_oms__logs") }})

select
    days.day,
    days.week_start,
    logs.oms_client,
    logs.event_name,
    logs.flow,
    logs.call_status,
    count(*) as records,
    count(*) filter (where logs.request_id is null) as null_records
from logs
inner join days on cast(logs.logged_at as date) = days.utc_day
where logs.logged_at >= days.starts_at and logs.logged_at < days.ends_at
group by all
