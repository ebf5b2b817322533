{#
    One row per week and OMS client with a call: its busiest hour, the p95 of t1_t5 in the busiest tenth of its hours and
    in the others, and the most calls of an hour of thirteen weeks that it answered within the latency SLO.
#}
with

    weeks as (select week_start, starts_at from {{ ref("int_weeks") }}),

    peak_weeks as ({{ peak_weeks() }}),

    hours as (select * from {{ ref("int_oms_calls_hour") }}),

    ranked_hours as (
        select
            week_start,
            oms_client,
            hour_of_week,
            calls,
            row_number() over (partition by week_start, oms_client order by calls desc, hour_of_week) as busy_rank,
            count(*) over (partition by week_start, oms_client) as hours_with_calls
        from hours
        where week_start in (select week_start from weeks)
    ),

    -- of n hours the busiest ceil(n / 10) are the busiest tenth
    busy_hours as (select *, busy_rank <= {{ int_div("hours_with_calls + 9", "10") }} as is_peak from ranked_hours),

    busiest_hours as (
        select week_start, oms_client, max(calls) as busiest_hour_calls from busy_hours group by week_start, oms_client
    ),

    observations as (
        select
            observations.week_start,
            observations.oms_client,
            {{ hour_of_week("weeks.starts_at", "observations.logged_at") }} as hour_of_week,
            observations.t1_t5_ms
        from {{ ref("int_latency_observations") }} as observations
        inner join weeks on observations.week_start = weeks.week_start
        where observations.t1_t5_ms is not null
    ),

    latencies as (
        select
            observations.week_start,
            observations.oms_client,
            {{ nearest_rank("case when busy_hours.is_peak then observations.t1_t5_ms end", 95) }} as p95_peak_ms,
            {{ nearest_rank("case when not busy_hours.is_peak then observations.t1_t5_ms end", 95) }} as p95_other_ms
        from observations
        inner join
            busy_hours
            on observations.week_start = busy_hours.week_start
            and observations.oms_client = busy_hours.oms_client
            and observations.hour_of_week = busy_hours.hour_of_week
        group by observations.week_start, observations.oms_client
    ),

    observed_loads as (
        select peak_weeks.week_start, hours.oms_client, max(hours.calls) as observed_hourly_calls
        from peak_weeks
        inner join hours on peak_weeks.peak_week_start = hours.week_start
        where {{ is_p95_within("hours.observations_within_slo", "hours.observations") }}
        group by peak_weeks.week_start, hours.oms_client
    )

select
    busiest_hours.week_start,
    busiest_hours.oms_client,
    busiest_hours.busiest_hour_calls,
    latencies.p95_peak_ms,
    latencies.p95_other_ms,
    observed_loads.observed_hourly_calls
from busiest_hours
left join
    latencies on busiest_hours.week_start = latencies.week_start and busiest_hours.oms_client = latencies.oms_client
left join
    observed_loads
    on busiest_hours.week_start = observed_loads.week_start
    and busiest_hours.oms_client = observed_loads.oms_client
