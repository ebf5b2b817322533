select
    week_start,
    metric_id,
    dimension,
    member,
    numerator,
    denominator,
    value,
    display_value,
    is_small_sample,
    interval_low,
    interval_high
from {{ source("inputs", "published_metrics") }}
