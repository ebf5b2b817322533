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

    days as ({{ days_of("span") }}),

    local_days as (
        select
            day,
            {{ weekday_name("day") }} as weekday_name,
            {{ local_day_starts_at("day", setting("reporting_timezone")) }} as starts_at,
            {{ local_day_starts_at(date_add_days("day", 1), setting("reporting_timezone")) }} as ends_at
        from days
    ),

    parts as ({{ cut_at_utc_midnight("local_days", ["day", "weekday_name"]) }}),

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
