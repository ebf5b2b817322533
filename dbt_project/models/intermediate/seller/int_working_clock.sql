{#
    One row per weekend pattern and local day, cut at midnight UTC: a clock that runs on the working days of a seller
    with these weekend days. Holds the days of the run's rating periods, from a Monday on.
#}
with

    periods as (select period_start, period_end from {{ ref("int_seller_rating_periods_week") }}),

    patterns as (
        select 'sun' as weekend_days
        union
        select weekend_days
        from {{ ref("int_sellers_as_of_week") }}
    ),

    span as (
        select
            cast(
                date_trunc(
                    'week', cast({{ utc_to_local("min(period_start)", setting("reporting_timezone")) }} as date)
                ) as date
            ) as first_day,
            cast({{ utc_to_local("max(period_end)", setting("reporting_timezone")) }} as date) as last_day
        from periods
    ),

    digits as (
        {% for digit in range(10) %}
            select {{ digit }} as digit
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    -- 100,000 days are more than any calendar of orders holds
    numbers as (
        select
            ones.digit
            + 10 * tens.digit
            + 100 * hundreds.digit
            + 1000 * thousands.digit
            + 10000 * ten_thousands.digit as number
        from digits as ones
        cross join digits as tens
        cross join digits as hundreds
        cross join digits as thousands
        cross join digits as ten_thousands
    ),

    days as (
        select {{ date_add_days("span.first_day", "numbers.number") }} as day, numbers.number % 7 as weekday
        from span
        inner join numbers on {{ date_add_days("span.first_day", "numbers.number") }} <= span.last_day
    ),

    weekdays as (
        {% for name in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] %}
            select {{ loop.index0 }} as weekday, '{{ name }}' as weekday_name
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    local_days as (
        select
            days.day,
            weekdays.weekday_name,
            {{ local_day_starts_at("days.day", setting("reporting_timezone")) }} as starts_at,
            {{ local_day_starts_at(date_add_days("days.day", 1), setting("reporting_timezone")) }} as ends_at
        from days
        inner join weekdays on days.weekday = weekdays.weekday
    ),

    -- a local day lies in up to three days of UTC
    parts as (
        select
            local_days.day,
            local_days.weekday_name,
            {{ date_add_days("cast(local_days.starts_at as date)", "digits.digit") }} as utc_day,
            greatest(
                local_days.starts_at,
                cast({{ date_add_days("cast(local_days.starts_at as date)", "digits.digit") }} as timestamp)
            ) as starts_at,
            least(
                local_days.ends_at,
                cast({{ date_add_days("cast(local_days.starts_at as date)", "digits.digit + 1") }} as timestamp)
            ) as ends_at
        from local_days
        inner join digits on digits.digit < 3
    ),

    ticking as (
        select
            patterns.weekend_days,
            parts.day,
            parts.utc_day,
            parts.starts_at,
            parts.ends_at,
            patterns.weekend_days not like '%' || parts.weekday_name || '%' as is_working
        from parts
        cross join patterns
        where parts.starts_at < parts.ends_at
    )

select
    weekend_days,
    day,
    utc_day,
    starts_at,
    ends_at,
    is_working,
    cast(
        coalesce(
            sum(case when is_working then {{ lag_us("starts_at", "ends_at") }} else 0 end) over (
                partition by weekend_days order by starts_at rows between unbounded preceding and 1 preceding
            ),
            0
        ) as bigint
    ) as worked_us_before
from ticking
