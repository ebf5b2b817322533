{# One row per week, scope `all`: the sum of the grade's weights valid on the date of A. #}
select
    weeks.week_start,
    'all' as scope,
    cast(coalesce(sum(weights.weight), 0) as double) as observed,
    cast(null as string) as note
from {{ ref("int_weeks") }} as weeks
left join {{ ref("stg_config__grade_weights") }} as weights on {{ is_valid_on("weights", "weeks.calculated_on") }}
group by weeks.week_start
