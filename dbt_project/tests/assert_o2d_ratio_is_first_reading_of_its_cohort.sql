{{ config(meta={"dagster": {"ref": {"name": "fct_o2d_maturity_week"}}}) }}
{# o2d_ratio of a week is the maturity of the week's own cohort, read by another way from the sub-orders. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    readings as (
        select maturity.week_start, maturity.mall_segment, maturity.placed, maturity.shipped
        from {{ ref("fct_o2d_maturity_week") }} as maturity
        inner join weeks on maturity.week_start = weeks.week_start
        where maturity.cohort_week_start = maturity.week_start
    ),

    ratios as (
        select week_start, member as mall_segment, denominator as placed, numerator as shipped
        from {{ ref("int_metric_week") }}
        where metric_id = 'o2d_ratio'
    )

select
    week_start,
    mall_segment,
    readings.placed,
    readings.shipped,
    ratios.placed as placed_of_ratio,
    ratios.shipped as shipped_of_ratio
from readings
full join ratios using (week_start, mall_segment)
where readings.placed is distinct from ratios.placed or readings.shipped is distinct from ratios.shipped
