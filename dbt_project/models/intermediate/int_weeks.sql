{# S, E and A of the README of the metrics, for the weeks of the run. Dates of A are those of the reporting time zone. #}
with

    run_weeks as (select week_start, is_published from {{ source("inputs", "run_weeks") }}),

    weeks as ({{ with_instants("run_weeks") }})

select
    week_start,
    starts_at,
    ends_at,
    calculated_at,
    calculated_on,
    {{ date_add_days("week_start", -7) }} as previous_week_start,
    is_published
from weeks
