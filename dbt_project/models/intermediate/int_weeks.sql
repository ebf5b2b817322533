{# The weeks of the run, with S, E and A of the README of the metrics, and the date of A in the reporting time zone. #}
select
    week_start,
    starts_at,
    ends_at,
    calculated_at,
    calculated_on,
    {{ date_add_days("week_start", -7) }} as previous_week_start,
    is_published
from {{ ref("stg_run__run_weeks") }}
