{{ config(meta={"key": ["week_start", "flow", "retry_reason"]}) }}
with

    weeks as ({{ weeks_by_utc_day() }}),

    logs as (
        select
            weeks.week_start,
            logs.flow,
            {{ member_name("logs.retry_reason") }} as retry_reason,
            logs.attempt,
            logs.request_id,
            logs.sub_order_id
        from {{ ref("stg_oms__logs") }} as logs
        inner join weeks on cast(logs.logged_at as date) = weeks.utc_day
        where logs.is_call and logs.logged_at >= weeks.starts_at and logs.logged_at < weeks.ends_at
    ),

    greatest_attempts as (select week_start, flow, max(attempt) as attempt from logs group by week_start, flow)

select
    logs.week_start,
    logs.flow,
    logs.retry_reason,
    count(*) filter (where logs.attempt > 1) as retried_calls,
    count(distinct logs.request_id) filter (where logs.attempt > 1) as requests,
    count(distinct logs.sub_order_id) filter (where logs.attempt = greatest_attempts.attempt) as at_max_attempts
from logs
inner join greatest_attempts on logs.week_start = greatest_attempts.week_start and logs.flow = greatest_attempts.flow
where logs.attempt > 1 or logs.attempt = greatest_attempts.attempt
group by logs.week_start, logs.flow, logs.retry_reason
