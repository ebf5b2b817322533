{# S, E and A of the README of the metrics, for the weeks of the run. Dates of A are those of the reporting time zone. #}
with

    run_weeks as (select * from {{ source("inputs", "run_weeks") }}),

    bounds as (
        select
            week_start,
            is_published,
            {{ local_to_utc("week_start", setting("reporting_timezone")) }} as starts_at,
            {{ local_to_utc(date_add_days("week_start", 7), setting("reporting_timezone")) }} as ends_at
        from run_weeks
    ),

    calculated as (
        select
            *,
            {{ add_hours("ends_at", "cast(" ~ setting("calculation_offset_hours") ~ " as integer)") }} as calculated_at
        from bounds
    )

select
    week_start,
    starts_at,
    ends_at,
    calculated_at,
    cast({{ utc_to_local("calculated_at", setting("reporting_timezone")) }} as date) as calculated_on,
    {{ date_add_days("week_start", -7) }} as previous_week_start,
    is_published
from calculated
