{{ config(meta={"dagster": {"ref": {"name": "int_metric_week"}}}) }}
{#
    A Mall seller is in one segment, so the segments add up to the Mall, numerator and denominator alike.
    Brands are left out: one brand may sell in several segments.
#}
select
    week_start,
    metric_id,
    sum(numerator) filter (where dimension = 'overall') as overall_numerator,
    sum(numerator) filter (where dimension = 'mall_segment') as segments_numerator,
    sum(denominator) filter (where dimension = 'overall') as overall_denominator,
    sum(denominator) filter (where dimension = 'mall_segment') as segments_denominator
from {{ ref("int_metric_week") }}
where
    metric_id in (select metric_id from {{ ref("int_brand_metrics") }} where has_segments)
    and metric_id not in ('brands_onboarded', 'brands_enabled')
group by week_start, metric_id
having overall_numerator <> segments_numerator or coalesce(overall_denominator, 0) <> coalesce(segments_denominator, 0)
