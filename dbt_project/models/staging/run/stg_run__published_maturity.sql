select week_start, cohort_week_start, mall_segment, placed, shipped, ratio
from {{ source("inputs", "published_maturity") }}
