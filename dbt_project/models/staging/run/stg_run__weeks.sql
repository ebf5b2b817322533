select week_start, starts_at, ends_at, calculated_at, calculated_on from {{ source("inputs", "weeks") }}
