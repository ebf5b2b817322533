{# One row per week, scope `all`: the share of log records without a request_id, as it is published. #}
select
    week_start,
    'all' as scope,
    {{ share("numerator", "denominator") }} as observed,
    case when denominator = 0 then 'no log record in the week' end as note
from {{ ref("int_metric_week") }}
where metric_id = 'null_request_id_rate' and dimension = 'overall'
