{{ config(materialized="view") }}
{#
    One row per policy of the order volume limit and working day: the readings, when work begins and when it ends, of a
    clock that runs in working time only.
#}
with

    working_days as (
        select
            valid_from,
            day,
            working_day_number,
            work_starts_at,
            work_ends_at,
            {{ lag_us("work_starts_at", "work_ends_at") }} as worked_us
        from {{ ref("int_ovl_calendar") }}
        where is_working
    ),

    summed as (
        select
            *,
            cast(
                sum(worked_us) over (
                    partition by valid_from order by day rows between unbounded preceding and current row
                ) as bigint
            ) as worked_us_after
        from working_days
    )

select
    valid_from,
    day,
    working_day_number,
    work_starts_at,
    work_ends_at,
    worked_us_after - worked_us as worked_us_before,
    worked_us_after,
    lead(day) over (partition by valid_from order by day) is null as is_last
from summed
