select week_start, starts_at, ends_at, calculated_at, calculated_on, is_published
from {{ source("inputs", "run_weeks") }}
