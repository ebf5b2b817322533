{# One row per week, flow and sub-order with a call of that flow logged from S to A: how its calls went. #}
with

    weeks as ({{ weeks_to_a_by_utc_day() }}),

    calls as (
        select flow, sub_order_id, logged_at, call_status
        from {{ ref("stg_oms__logs") }}
        where
            is_call
            and sub_order_id is not null
            and logged_at >= (select min(starts_at) from weeks)
            and logged_at <= (select max(calculated_at) from weeks)
    )

select
    weeks.week_start,
    calls.flow,
    calls.sub_order_id,
    bool_or(calls.logged_at < weeks.ends_at) as is_called_in_week,
    bool_or(calls.call_status = 'success') as has_succeeded
from calls
inner join weeks on cast(calls.logged_at as date) = weeks.utc_day
where calls.logged_at >= weeks.starts_at and calls.logged_at <= weeks.calculated_at
group by weeks.week_start, calls.flow, calls.sub_order_id
