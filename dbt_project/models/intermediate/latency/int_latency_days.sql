{# One row per day that the weeks of the run read: their own days, and the day before each Monday for the change. #}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    offsets as (select * from (values (-1), (0), (1), (2), (3), (4), (5), (6)) as offsets(days)),

    days as (
        select distinct
            {{ date_add_days("weeks.week_start", "offsets.days") }} as day,
            case
                when offsets.days < 0 then {{ date_add_days("weeks.week_start", -7) }} else weeks.week_start
            end as week_start
        from weeks
        cross join offsets
    )

select
    day,
    week_start,
    {{ local_to_utc("day", setting("reporting_timezone")) }} as starts_at,
    {{ local_to_utc(date_add_days("day", 1), setting("reporting_timezone")) }} as ends_at
from days
