{{ config(meta={"dagster": {"ref": {"name": "fct_seller_recovery_week"}}}) }}
{# What stands against a seller in fct_seller_recovery_week has as many rows of evidence, and all of them. #}
{% set metrics = metrics_of("order_volume_limit") + metrics_of("seller_grade") %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    misses as (
        select recovery.week_start, recovery.seller_id, recovery.metric_id, recovery.misses
        from {{ ref("fct_seller_recovery_week") }} as recovery
        inner join weeks on recovery.week_start = weeks.week_start
    ),

    evidence as (
        select week_start, seller_id, metric_id, count(*) as units
        from {{ ref("fct_metric_evidence_week") }}
        where metric_id in ({{ ids_of(metrics | selectattr("evidence") | list) }})
        group by week_start, seller_id, metric_id
    )

select
    coalesce(misses.week_start, evidence.week_start) as week_start,
    coalesce(misses.seller_id, evidence.seller_id) as seller_id,
    coalesce(misses.metric_id, evidence.metric_id) as metric_id,
    misses.misses,
    evidence.units as rows_of_evidence
from misses
full join
    evidence
    on misses.week_start = evidence.week_start
    and misses.seller_id = evidence.seller_id
    and misses.metric_id = evidence.metric_id
where coalesce(misses.misses, 0) <> coalesce(evidence.units, 0)
