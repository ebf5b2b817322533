{#
    One row per week, metric and range of values that meet its target: what the policy of the order volume limit asks for,
    and the bands of a grade metric with the greatest score. As configured for the date of A.
#}
with

    weeks as (select week_start, calculated_on from {{ ref("int_weeks") }}),

    policies as (
        select weeks.week_start, policies.max_cancellation_rate, policies.min_on_time_rate
        from weeks
        inner join
            {{ ref("stg_config__ovl_policy") }} as policies on {{ is_valid_on("policies", "weeks.calculated_on") }}
    ),

    bands as ({{ steps_valid_at("grade_bands", "min", ["metric_id", "score"], of=["metric_id"]) }}),

    best_bands as (select * from bands qualify score = max(score) over (partition by week_start, metric_id)),

    targets as (
        select
            week_start,
            'ovl_cancellation_rate' as metric_id,
            cast(0 as decimal(18, 6)) as lower,
            max_cancellation_rate as upper,
            true as is_upper_included
        from policies
        union all
        select week_start, 'ovl_on_time_rate', min_on_time_rate, cast(100 as decimal(18, 6)), true
        from policies
        union all
        select week_start, metric_id, starts_at, coalesce(ends_before, cast(100 as decimal(18, 6))), ends_before is null
        from best_bands
    )

select
    week_start,
    metric_id,
    cast(lower as decimal(18, 6)) as lower,
    cast(upper as decimal(18, 6)) as upper,
    is_upper_included
from targets
