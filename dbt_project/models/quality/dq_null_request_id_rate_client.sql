{# One row per week and OMS client with a log record: the share of its records without a request_id, as published. #}
select week_start, member as scope, {{ share("numerator", "denominator") }} as observed, cast(null as string) as note
from {{ ref("int_metric_week") }}
where metric_id = 'null_request_id_rate' and dimension = 'oms_client'
