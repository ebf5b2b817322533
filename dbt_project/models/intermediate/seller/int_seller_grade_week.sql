{#
    One row per week and seller with a line in the grade window: the grade as it is published if the gate lets the week
    pass, all but its comparison with the week before.
#}
with

    metrics as (select * from {{ ref("int_seller_grade_metrics_week") }}),

    summed as (
        select
            week_start,
            seller_id,
            sum({{ weighted_score("score", "weight") }}) as weighted_score,
            {{ weighted_by("max(scored_weight)") }} as weighted_by,
            sum(weight) > max(scored_weight) as is_partial
        from metrics
        group by week_start, seller_id
    ),

    graded as (
        select
            week_start,
            seller_id,
            {{ exact_ratio("weighted_score", "weighted_by", 2, 1, "decimal(9,2)", wide_integer_type()) }}
            as final_grade,
            is_partial
        from summed
    ),

    tiers as ({{ steps_valid_at("grade_tiers", "min_grade", ["tier"]) }})

select graded.week_start, graded.seller_id, graded.final_grade, tiers.tier, graded.is_partial
from graded
left join tiers on graded.week_start = tiers.week_start and {{ is_on_step("graded.final_grade", "tiers") }}
