{#
    One row per week and UTC day that its grade window, [A - grade_window_days, A), has a part of. The day makes the
    search for what lies in the window an equi-join, whose cost is that of the window and not of the history.
#}
with

    weeks as (select week_start, calculated_at from {{ ref("int_weeks") }}),

    windows as (
        select
            week_start,
            calculated_at,
            {{ add_days("calculated_at", "-cast(" ~ setting("grade_window_days") ~ " as integer)") }} as starts_at
        from weeks
    ),

    span as (
        select cast(min(starts_at) as date) as first_day, cast(max(calculated_at) as date) as last_day from windows
    ),

    days as ({{ days_of("span") }})

select windows.week_start, windows.calculated_at, windows.starts_at, days.day as utc_day
from windows
inner join days on days.day between cast(windows.starts_at as date) and cast(windows.calculated_at as date)
