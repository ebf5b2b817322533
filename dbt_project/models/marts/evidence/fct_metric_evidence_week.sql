{{ config(materialized="view") }}
{#
    One row per week of the run, metric, seller, and sub-order or order that counts against the seller's part in the
    figure. A view, and not incremental like the other marts: what is published lies beside the store, a file for each week.
#}
with

    evidence as (select * from {{ ref("int_metric_evidence_week") }}),

    first_excuses as (
        select week_start, metric_id, seller_id, unit_id, {{ first_by("incident_id", "starts_at") }} as incident_id
        from {{ ref("int_excused_units_week") }}
        group by week_start, metric_id, seller_id, unit_id
    )

select
    evidence.week_start,
    evidence.metric_id,
    evidence.seller_id,
    evidence.unit_id,
    evidence.unit,
    evidence.order_id,
    evidence.happened_at,
    evidence.due_at,
    evidence.detail,
    first_excuses.incident_id
from evidence
left join
    first_excuses
    on evidence.week_start = first_excuses.week_start
    and evidence.metric_id = first_excuses.metric_id
    and evidence.seller_id = first_excuses.seller_id
    and evidence.unit_id = first_excuses.unit_id
