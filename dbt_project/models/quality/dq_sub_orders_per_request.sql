{# One row per week, scope `all`: the most distinct sub-orders under one request_id, as it is published. #}
select week_start, 'all' as scope, cast(numerator as double) as observed, cast(null as string) as note
from {{ ref("int_metric_week") }}
where metric_id = 'max_sub_orders_per_request' and dimension = 'overall'
