{# One row per week and seller with a log in [S, E): through which channels its calls of the two flows came. #}
with

    weeks as ({{ weeks_by_utc_day() }}),

    logs as (select logged_at, seller_id, is_call, channel from {{ ref("stg_oms__logs") }}),

    channels as (
        select
            weeks.week_start,
            logs.seller_id,
            max(case when logs.is_call and logs.channel = 'oms' then 1 else 0 end) as has_oms_calls,
            max(case when logs.is_call and logs.channel = 'supplier_panel' then 1 else 0 end) as has_panel_calls
        from logs
        inner join weeks on cast(logs.logged_at as date) = weeks.utc_day
        where logs.logged_at >= weeks.starts_at and logs.logged_at < weeks.ends_at
        group by all
    )

select
    week_start,
    seller_id,
    case
        when has_oms_calls = 1 and has_panel_calls = 1
        then 'non_parallel'
        when has_oms_calls = 1
        then 'parallel'
        when has_panel_calls = 1
        then 'panel_only'
        else 'no_flow'
    end as user_type
from channels
