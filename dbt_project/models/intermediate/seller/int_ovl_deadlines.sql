{#
    One row per stretch of time in which orders are created under one policy of the order volume limit, and fall due by
    the week after the run's last: the stretches of int_ovl_confirmations, cut at midnight UTC and to the time of their
    policy. An order is due so many working days after its day of creation, at 24:00.
#}
with

    policies as (select * from {{ ref("int_ovl_policies") }}),

    last_week as (select max(week_start) as week_start from {{ ref("int_weeks") }}),

    calendar as (select * from {{ ref("int_ovl_calendar") }}),

    stretches as (select * from {{ ref("int_ovl_confirmations") }}),

    parts as ({{ cut_at_utc_midnight("stretches", ["valid_from", "day", "confirm_due_at", "runs_from"]) }}),

    due as (
        select
            parts.utc_day,
            greatest(parts.starts_at, policies.starts_at) as starts_at,
            least(parts.ends_at, policies.ends_at) as ends_at,
            created.day as created_on,
            handover.day as due_on,
            {{ monday_of("handover.day") }} as week_start,
            handover.ends_at as handover_due_at,
            parts.confirm_due_at,
            parts.runs_from
        from parts
        inner join policies on parts.valid_from = policies.valid_from
        inner join calendar as created on parts.valid_from = created.valid_from and parts.day = created.day
        inner join
            calendar as handover
            on created.valid_from = handover.valid_from
            and created.working_day_number + policies.handover_working_days = handover.working_day_number
            and handover.is_working
    )

select due.*
from due
inner join last_week on due.week_start <= {{ date_add_days("last_week.week_start", 7) }}
where due.starts_at < due.ends_at
