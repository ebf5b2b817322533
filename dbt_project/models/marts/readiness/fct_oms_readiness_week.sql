{#
    One row per week and OMS client with a call: whether the client would bear the next peak. Rates and ratios are shown
    rounded; the verdict compares the exact whole numbers that they come from.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    settings as (
        select
            1000000 - {{ setting_millionths("availability_slo") }} as allowed_failures_ppm,
            {{ setting_millionths("latency_slo_seconds") }} as latency_slo_us,
            {{ setting_millionths("peak_multiplier") }} as peak_multiplier_ppm
    ),

    capacities as (select * from {{ ref("stg_config__oms_capacity") }}),

    loads as (
        select
            calls.week_start,
            calls.oms_client,
            calls.calls,
            calls.succeeded,
            peaks.busiest_hour_calls,
            {{ int_div(lag_us("weeks.starts_at", "weeks.ends_at"), "1000000") }} as seconds_of_week,
            peaks.p95_peak_ms,
            peaks.p95_other_ms,
            greatest(capacities.tested_hourly_calls, peaks.observed_hourly_calls) as sustained_hourly_calls,
            -- in millionths of a call, so that the settings' six decimals stay whole
            1000000 * calls.failed_by_oms as failures_ppm,
            settings.allowed_failures_ppm * calls.calls as error_budget_ppm,
            settings.peak_multiplier_ppm * peaks.busiest_hour_calls as projected_peak_ppm,
            1000000 * greatest(capacities.tested_hourly_calls, peaks.observed_hourly_calls) as sustained_ppm,
            coalesce(1000 * peaks.p95_peak_ms > settings.latency_slo_us, false) as is_slow
        from {{ ref("int_oms_calls_week") }} as calls
        inner join
            {{ ref("int_oms_peaks_week") }} as peaks
            on calls.week_start = peaks.week_start
            and calls.oms_client = peaks.oms_client
        inner join weeks on calls.week_start = weeks.week_start
        cross join settings
        left join capacities on calls.oms_client = capacities.oms_client
    ),

    judged as (
        select
            *,
            sustained_ppm is null as has_no_headroom,
            coalesce(sustained_ppm < projected_peak_ppm, false) as is_headroom_below_1,
            coalesce(5 * sustained_ppm < 6 * projected_peak_ppm, false) as is_headroom_below_1_2,
            failures_ppm > error_budget_ppm as is_error_budget_below_0,
            4 * failures_ppm > 3 * error_budget_ppm as is_error_budget_below_25
        from loads
    )

select
    week_start,
    oms_client,
    calls,
    busiest_hour_calls,
    {{ exact_ratio("3600 * calls", "seconds_of_week", 2, 1) }} as mean_hourly_calls,
    {{ exact_ratio("busiest_hour_calls * seconds_of_week", "3600 * calls", 2, 1) }} as peak_to_mean,
    {{ percent("succeeded", "calls", "decimal(9,2)") }} as success_rate,
    {{
        exact_ratio(
            "(error_budget_ppm - failures_ppm)", "error_budget_ppm", 2, 100, "decimal(18,2)", wide_integer_type()
        )
    }} as error_budget_left_pct,
    {{ ms_to_seconds("p95_peak_ms") }} as p95_peak_seconds,
    {{ ms_to_seconds("p95_other_ms") }} as p95_other_seconds,
    sustained_hourly_calls,
    {{ exact_ratio("projected_peak_ppm", "1000000", 2, 1) }} as projected_peak,
    {{ exact_ratio("sustained_ppm", "projected_peak_ppm", 2, 1) }} as headroom,
    case
        when has_no_headroom or is_headroom_below_1 or is_error_budget_below_0
        then 'not_ready'
        when is_headroom_below_1_2 or is_error_budget_below_25 or is_slow
        then 'at_risk'
        else 'ready'
    end as verdict,
    nullif(
        concat_ws(
            ',',
            case when has_no_headroom then 'no_sustained_load' end,
            case when is_headroom_below_1_2 then 'headroom' end,
            case when is_error_budget_below_25 then 'error_budget' end,
            case when is_slow then 'latency' end
        ),
        ''
    ) as reasons
from judged
