{#
    One row per week and seller with a line in the grade window: the grade as it is published if the gate lets the week
    pass, all but its comparison with the week before.
#}
with

    metrics as (select * from {{ ref("int_seller_grade_metrics_week") }}),

    -- in whole millionths, so that the grade is exact; a metric without data has neither score nor weight
    weighed as (
        select
            week_start,
            seller_id,
            case when denominator > 0 then cast({{ millionths("score") }} as {{ wide_integer_type() }}) end as score,
            case when denominator > 0 then {{ millionths("weight") }} end as weight,
            denominator = 0 and weight > 0 as is_left_out
        from metrics
    ),

    graded as (
        select
            week_start,
            seller_id,
            {{
                exact_ratio(
                    "sum(score * weight)", "1000000 * sum(weight)", type="decimal(9,2)", whole=wide_integer_type()
                )
            }} as final_grade,
            bool_or(is_left_out) as is_partial
        from weighed
        group by week_start, seller_id
    ),

    tiers as ({{ steps_valid_at("grade_tiers", "min_grade", ["tier"]) }})

select graded.week_start, graded.seller_id, graded.final_grade, tiers.tier, graded.is_partial
from graded
left join tiers on graded.week_start = tiers.week_start and {{ is_on_step("graded.final_grade", "tiers") }}
