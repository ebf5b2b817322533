{#
    One row per stretch of time in which orders are created under one policy of the order volume limit, and fall due by
    the week after the run's last: local days, cut at midnight UTC and where working time begins, ends, or runs into another day.
    The confirmation runs out so many working hours after the creation: `confirm_due_at` for an order created at
    `runs_from`, as much later as the order is; the same instant for the whole stretch where `runs_from` is null.
#}
with

    policies as (select * from {{ ref("int_ovl_policies") }}),

    holidays as (select calendar, date as day from {{ ref("stg_config__holidays") }}),

    run_weeks as (select max(week_start) as week_start from {{ ref("int_weeks") }}),

    sellers as (select min(first_ordered_at) as first_ordered_at from {{ ref("int_ovl_sellers") }}),

    first_policy as (select min(valid_from) as valid_from from policies),

    span as (
        select
            greatest(
                {{ date_add_days("cast(sellers.first_ordered_at as date)", -1) }}, first_policy.valid_from
            ) as first_day,
            -- a confirmation may run out after the due date; more than a year after that week is as good as never
            {{ date_add_days("run_weeks.week_start", 14 + 366) }} as last_day
        from run_weeks
        cross join sellers
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
    marked as (select *, is_workday and work_starts_at < work_ends_at as is_working from local_days),

    calendar as (
        select
            *,
            sum(case when is_working then 1 else 0 end) over (
                partition by valid_from order by day rows between unbounded preceding and current row
            ) as working_day_number
        from marked
    ),

    working_days as (select * from calendar where is_working),

    -- the readings of a clock that runs in working time only
    worked as (
        select
            valid_from,
            day,
            working_day_number,
            work_starts_at,
            cast(
                sum({{ lag_us("work_starts_at", "work_ends_at") }}) over (
                    partition by valid_from order by day rows between unbounded preceding and current row
                ) as bigint
            )
            - {{ lag_us("work_starts_at", "work_ends_at") }} as worked_us_before,
            cast(
                sum({{ lag_us("work_starts_at", "work_ends_at") }}) over (
                    partition by valid_from order by day rows between unbounded preceding and current row
                ) as bigint
            ) as worked_us_after,
            lead(day) over (partition by valid_from order by day) is null as is_last
        from working_days
    ),

    hours as (select valid_from, confirm_working_hours * {{ hour_us() }} as confirm_us from policies),

    -- the readings at which the hours of orders created on a working day run out
    running_out as (
        select
            worked.*,
            worked.worked_us_before + hours.confirm_us as first_us,
            worked.worked_us_after + hours.confirm_us as last_us
        from worked
        inner join hours on worked.valid_from = hours.valid_from
    ),

    -- cut where they run into another working day: the last instant at which so much has been worked begins a day
    running_into as (
        select
            created.valid_from,
            created.day,
            created.working_day_number,
            created.work_starts_at as created_from,
            created.first_us,
            due.work_starts_at as due_from,
            due.worked_us_before,
            greatest(created.first_us, due.worked_us_before) as from_us,
            case when due.is_last then created.last_us else least(created.last_us, due.worked_us_after) end as until_us
        from running_out as created
        inner join
            worked as due
            on created.valid_from = due.valid_from
            and (created.first_us < due.worked_us_after or due.is_last)
            and created.last_us > due.worked_us_before
    ),

    running as (
        select
            valid_from,
            day,
            working_day_number,
            {{ add_us("created_from", "from_us - first_us") }} as starts_at,
            {{ add_us("created_from", "until_us - first_us") }} as ends_at,
            {{ add_us("due_from", "from_us - worked_us_before") }} as confirm_due_at
        from running_into
    ),

    -- outside working time an order is as if created when the next working day begins
    opening as (
        select valid_from, working_day_number, min(confirm_due_at) as confirm_due_at
        from running
        group by valid_from, working_day_number
    ),

    stretches as (
        select valid_from, day, starts_at, ends_at, confirm_due_at, starts_at as runs_from
        from running
        union all
        select
            calendar.valid_from,
            calendar.day,
            calendar.starts_at,
            case when calendar.is_working then calendar.work_starts_at else calendar.ends_at end as ends_at,
            opening.confirm_due_at,
            cast(null as timestamp) as runs_from
        from calendar
        inner join
            opening
            on calendar.valid_from = opening.valid_from
            and calendar.working_day_number + case when calendar.is_working then 0 else 1 end
            = opening.working_day_number
        union all
        select
            working_days.valid_from,
            working_days.day,
            working_days.work_ends_at as starts_at,
            working_days.ends_at,
            opening.confirm_due_at,
            cast(null as timestamp) as runs_from
        from working_days
        inner join
            opening
            on working_days.valid_from = opening.valid_from
            and working_days.working_day_number + 1 = opening.working_day_number
    ),

    parts as ({{ cut_at_utc_midnight("stretches", ["valid_from", "day", "confirm_due_at", "runs_from"]) }}),

    due as (
        select
            parts.utc_day,
            greatest(parts.starts_at, policies.starts_at) as starts_at,
            least(parts.ends_at, policies.ends_at) as ends_at,
            calendar.day as created_on,
            handover.day as due_on,
            {{ monday_of("handover.day") }} as week_start,
            handover.ends_at as handover_due_at,
            parts.confirm_due_at,
            parts.runs_from
        from parts
        inner join policies on parts.valid_from = policies.valid_from
        inner join calendar on parts.valid_from = calendar.valid_from and parts.day = calendar.day
        inner join
            working_days as handover
            on calendar.valid_from = handover.valid_from
            and calendar.working_day_number + policies.handover_working_days = handover.working_day_number
    )

select due.*
from due
inner join run_weeks on due.week_start <= {{ date_add_days("run_weeks.week_start", 7) }}
where due.starts_at < due.ends_at
