{#
    One row per week, seller with a line in the grade window, and measured metric of the grade. Weight and contribution are scaled
    to the metrics that have data; a metric without has its zero counts only.
#}
select
    week_start,
    seller_id,
    metric_id,
    numerator,
    denominator,
    value,
    cast(score as decimal(18, 2)) as score,
    case
        when denominator > 0 then {{ percent(millionths("weight"), millionths("scored_weight"), "decimal(9,2)") }}
    end as weight,
    {{
        exact_ratio(
            weighted_score("score", "weight"), weighted_by("scored_weight"), 2, 1, "decimal(9,2)", wide_integer_type()
        )
    }} as contribution
from {{ ref("int_seller_grade_metrics_week") }}
where is_measured
