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

    digits as (
        {% for digit in range(10) %}
            select {{ digit }} as digit
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    -- the configuration allows for windows of up to 3,650 days
    numbers as (
        select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as number
        from digits as ones
        cross join digits as tens
        cross join digits as hundreds
        cross join digits as thousands
    )

select
    windows.week_start,
    windows.calculated_at,
    windows.starts_at,
    {{ date_add_days("cast(windows.starts_at as date)", "numbers.number") }} as utc_day
from windows
inner join
    numbers
    on {{ date_add_days("cast(windows.starts_at as date)", "numbers.number") }} <= cast(windows.calculated_at as date)
