{#
    One row per policy of the order volume limit and local day from the first order of a cross-border seller on: when it
    begins and ends, whether it is a working day, and how many working days there were up to it.
#}
with

    policies as (select * from {{ ref("int_ovl_policies") }}),

    holidays as (select calendar, date as day from {{ ref("stg_config__holidays") }}),

    last_week as (select max(week_start) as week_start from {{ ref("int_weeks") }}),

    first_order as (select min(first_ordered_at) as ordered_at from {{ ref("int_ovl_sellers") }}),

    first_policy as (select min(valid_from) as valid_from from policies),

    span as (
        select
            greatest(
                {{ date_add_days("cast(first_order.ordered_at as date)", -1) }}, first_policy.valid_from
            ) as first_day,
            -- a confirmation may run out after the due date; more than a year after the week to come is as good as
            -- never
            {{ date_add_days("last_week.week_start", 14 + 366) }} as last_day
        from last_week
        cross join first_order
        cross join first_policy
    ),

    days as ({{ days_of("span") }}),

    local_days as (
        select
            policies.valid_from,
            days.day,
            {{ local_day_starts_at("days.day", "policies.time_zone") }} as starts_at,
            {{ local_day_starts_at(date_add_days("days.day", 1), "policies.time_zone") }} as ends_at,
            {{ local_time_at("days.day", "policies.workday_start", "policies.time_zone") }} as work_starts_at,
            {{ local_time_at("days.day", "policies.workday_end", "policies.time_zone") }} as work_ends_at,
            holidays.day is null and policies.workdays like '%' || {{ weekday_name("days.day") }} || '%' as is_workday
        from policies
        inner join days on policies.valid_from <= days.day
        left join holidays on policies.holiday_calendar = holidays.calendar and days.day = holidays.day
    ),

    -- a workday whose hours the clock skips, where summer time begins, has no working time
    marked as (
        select
            valid_from,
            day,
            starts_at,
            ends_at,
            work_starts_at,
            work_ends_at,
            is_workday and work_starts_at < work_ends_at as is_working
        from local_days
    )

select
    *,
    sum(case when is_working then 1 else 0 end) over (
        partition by valid_from order by day rows between unbounded preceding and current row
    ) as working_day_number
from marked
