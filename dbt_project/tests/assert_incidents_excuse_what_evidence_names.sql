{{ config(meta={"dagster": {"ref": {"name": "fct_incident_impact_week"}}}) }}
{# A seller's excused units are the rows of evidence that name an incident. #}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    impacts as (
        select impact.week_start, impact.metric_id, impact.member as seller_id, impact.excused
        from {{ ref("fct_incident_impact_week") }} as impact
        inner join weeks on impact.week_start = weeks.week_start
        where impact.dimension = 'seller'
    ),

    evidence as (
        select week_start, metric_id, seller_id, count(*) as units
        from {{ ref("fct_metric_evidence_week") }}
        where incident_id is not null and metric_id not in (select metric_id from {{ ref("int_brand_metrics") }})
        group by week_start, metric_id, seller_id
    )

select
    coalesce(impacts.week_start, evidence.week_start) as week_start,
    coalesce(impacts.metric_id, evidence.metric_id) as metric_id,
    coalesce(impacts.seller_id, evidence.seller_id) as seller_id,
    impacts.excused,
    evidence.units as rows_of_evidence
from impacts
full join
    evidence
    on impacts.week_start = evidence.week_start
    and impacts.metric_id = evidence.metric_id
    and impacts.seller_id = evidence.seller_id
where coalesce(impacts.excused, 0) <> coalesce(evidence.units, 0)
