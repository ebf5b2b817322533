{#
    One row per week, OMS client and hour with a call, of the weeks of the run and the twelve before each: how many calls
    there were, and how many of the hour's t1_t5 lags were within the latency SLO. Whether the hour's p95 was follows
    from the two counts (see `is_p95_within`), so that no lag of 13 weeks has to be kept for a percentile.
#}
with

    peak_weeks as (select distinct peak_week_start as week_start from ({{ peak_weeks() }}) as peak_weeks),

    weeks as (
        select
            week_start,
            {{ local_to_utc("week_start", setting("reporting_timezone")) }} as starts_at,
            {{ local_to_utc(date_add_days("week_start", 7), setting("reporting_timezone")) }} as ends_at
        from peak_weeks
    ),

    days as ({{ by_utc_day("weeks", days=9) }}),

    calls as (
        select
            logged_at,
            oms_client,
            case
                when flow = 'manifestation' and request_id is not null
                then {{ observed_lag_ms("t1_received_at", "t5_label_sent_at") }}
            end as t1_t5_ms
        from {{ ref("stg_oms__logs") }}
        where is_call
    )

select
    days.week_start,
    calls.oms_client,
    {{ hour_of_week("days.starts_at", "calls.logged_at") }} as hour_of_week,
    count(*) as calls,
    count(calls.t1_t5_ms) as observations,
    count(*) filter (
        where 1000 * calls.t1_t5_ms <= {{ setting_millionths("latency_slo_seconds") }}
    ) as observations_within_slo
from calls
inner join days on cast(calls.logged_at as date) = days.utc_day
where calls.logged_at >= days.starts_at and calls.logged_at < days.ends_at
group by all
