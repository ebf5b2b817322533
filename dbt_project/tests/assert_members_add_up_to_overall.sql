{{ config(meta={"dagster": {"ref": {"name": "int_metric_week"}}}) }}
{#
    A record has one client, event, type, channel and topic, so the members of such a dimension add up to `overall`.
    Distinct request_ids are left out: one may have logs of several clients and kinds of sellers.
#}
with

    totals as (
        select week_start, metric_id, numerator, denominator
        from {{ ref("int_metric_week") }}
        where dimension = 'overall'
    ),

    members as (
        select week_start, metric_id, dimension, sum(numerator) as numerator, sum(denominator) as denominator
        from {{ ref("int_metric_week") }}
        where dimension not in ('overall', 'mall_segment') and metric_id <> 'request_ids_processed'
        group by week_start, metric_id, dimension
    )

select
    members.week_start,
    members.metric_id,
    members.dimension,
    members.numerator,
    members.denominator,
    totals.numerator as overall_numerator,
    totals.denominator as overall_denominator
from members
inner join totals on members.week_start = totals.week_start and members.metric_id = totals.metric_id
where members.numerator <> totals.numerator or coalesce(members.denominator, 0) <> coalesce(totals.denominator, 0)
