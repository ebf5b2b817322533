{{ config(meta={"key": ["week_start", "flow", "retry_reason"]}) }}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    logs as (
        select logged_at, flow, coalesce(retry_reason, 'unknown') as retry_reason, attempt, request_id, sub_order_id
        from {{ ref("stg_oms__logs") }}
        where is_call
    ),

    greatest_attempts as (
        select weeks.week_start, logs.flow, max(logs.attempt) as attempt
        from logs
        inner join weeks on logs.logged_at >= weeks.starts_at and logs.logged_at < weeks.ends_at
        group by all
    )

select
    weeks.week_start,
    logs.flow,
    logs.retry_reason,
    count(*) filter (where logs.attempt > 1) as retried_calls,
    count(distinct logs.request_id) filter (where logs.attempt > 1) as requests,
    count(distinct logs.sub_order_id) filter (where logs.attempt = greatest_attempts.attempt) as at_max_attempts
from logs
inner join weeks on logs.logged_at >= weeks.starts_at and logs.logged_at < weeks.ends_at
inner join greatest_attempts on weeks.week_start = greatest_attempts.week_start and logs.flow = greatest_attempts.flow
where logs.attempt > 1 or logs.attempt = greatest_attempts.attempt
group by weeks.week_start, logs.flow, logs.retry_reason
