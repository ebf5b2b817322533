{# One row per week and metric that has no rows, because no landed file has a column that decides it. #}
select
    weeks.week_start,
    unmeasured.metric_id,
    {{ distinct_list("unmeasured.source || '.' || unmeasured.column_name") }} as missing_columns
from {{ ref("int_weeks") }} as weeks
cross join {{ ref("int_unmeasured_metrics") }} as unmeasured
group by weeks.week_start, unmeasured.metric_id
