{{ config(materialized="view") }}
{#
    One row per policy of the order volume limit and stretch of a local day in which orders are created: when the working
    hours for their confirmation run out. A day is cut where working time begins, ends, or runs into another day.
    `confirm_due_at` is that of an order created at `runs_from`, and as much later as the order is; it is the same instant
    for the whole stretch where `runs_from` is null.
#}
with

    calendar as (select * from {{ ref("int_ovl_calendar") }}),

    clock as (select * from {{ ref("int_ovl_working_clock") }}),

    hours as (
        select valid_from, confirm_working_hours * {{ hour_us() }} as confirm_us from {{ ref("int_ovl_policies") }}
    ),

    -- the readings of the clock at which the hours of orders created on a working day run out
    running_out as (
        select
            clock.*,
            clock.worked_us_before + hours.confirm_us as first_us,
            clock.worked_us_after + hours.confirm_us as last_us
        from clock
        inner join hours on clock.valid_from = hours.valid_from
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
            clock as due
            on created.valid_from = due.valid_from
            and (created.first_us < due.worked_us_after or due.is_last)
            and created.last_us > due.worked_us_before
    ),

    in_working_time as (
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
        from in_working_time
        group by valid_from, working_day_number
    ),

    outside as (
        select
            valid_from,
            day,
            starts_at,
            case when is_working then work_starts_at else ends_at end as ends_at,
            working_day_number + case when is_working then 0 else 1 end as next_working_day_number
        from calendar
        union all
        select valid_from, day, work_ends_at as starts_at, ends_at, working_day_number + 1 as next_working_day_number
        from calendar
        where is_working
    )

select valid_from, day, starts_at, ends_at, confirm_due_at, starts_at as runs_from
from in_working_time
union all
select
    outside.valid_from,
    outside.day,
    outside.starts_at,
    outside.ends_at,
    opening.confirm_due_at,
    cast(null as timestamp) as runs_from
from outside
inner join
    opening on outside.valid_from = opening.valid_from and outside.next_working_day_number = opening.working_day_number
