{#
    One row per week that a limit of the run's weeks can follow from: from the first order of a cross-border seller, or
    the first policy, to the last week of the run, whether or not the run computes it. A, and the policy valid then.
#}
with

    run_weeks as (select max(week_start) as last_day from {{ ref("int_weeks") }}),

    sellers as (select min(first_ordered_at) as first_ordered_at from {{ ref("int_ovl_sellers") }}),

    policies as (select * from {{ ref("int_ovl_policies") }}),

    first_policy as (select min(valid_from) as valid_from from policies),

    span as (
        select
            run_weeks.last_day,
            -- a local day may begin before the day of UTC; A is at most two weeks after the Monday
            greatest(
                {{ monday_of(date_add_days("cast(sellers.first_ordered_at as date)", -1)) }},
                {{ monday_of(date_add_days("first_policy.valid_from", -14)) }}
            ) as first_day
        from run_weeks
        cross join sellers
        cross join first_policy
    ),

    weeks as (
        select calendar.week_start, calendar.calculated_at, calendar.calculated_on
        from {{ ref("stg_run__weeks") }} as calendar
        inner join span on calendar.week_start between span.first_day and span.last_day
    )

select
    weeks.week_start,
    weeks.calculated_at,
    policies.time_zone,
    policies.max_cancellation_rate,
    policies.min_on_time_rate,
    policies.more_than_orders,
    policies.more_than_days,
    policies.lookback_weeks,
    policies.factor,
    policies.recovery_weeks,
    policies.release_after_weeks
from weeks
left join policies on {{ is_valid_on("policies", "weeks.calculated_on") }}
