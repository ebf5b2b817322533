{# One row per week and OMS client with a call: how its calls ended, and which of the failed ones are the OMS's fault. #}
with

    weeks as ({{ weeks_by_utc_day() }}),

    calls as (
        select logged_at, oms_client, flow, call_status, failure_reason from {{ ref("stg_oms__logs") }} where is_call
    ),

    oms_faults as (select flow, failure_reason from {{ ref("stg_config__failure_reasons") }} where is_oms_fault)

select
    weeks.week_start,
    calls.oms_client,
    count(*) as calls,
    count(*) filter (where calls.call_status = 'success') as succeeded,
    count(*) filter (where calls.call_status = 'failed' and oms_faults.failure_reason is not null) as failed_by_oms
from calls
inner join weeks on cast(calls.logged_at as date) = weeks.utc_day
left join oms_faults on calls.flow = oms_faults.flow and calls.failure_reason = oms_faults.failure_reason
where calls.logged_at >= weeks.starts_at and calls.logged_at < weeks.ends_at
group by all
