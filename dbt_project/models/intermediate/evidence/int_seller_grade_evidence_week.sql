{{ config(materialized="view") }}
{#
    One row per week, metric of the seller grade, and sub-order or order that counts against the metric.
    A view: it streams into int_metric_evidence_week.
#}
{% set metrics_of_lines = (
    evidence_families().seller_grade.metrics | reject("eq", "shipment_in_target_duration") | list
) %}
with

    metrics as ({{ judged_metrics("seller_grade") }}),

    lines as (select * from {{ ref("int_seller_grade_lines_week") }}),

    orders as (select * from {{ ref("int_seller_grade_orders_week") }})

select
    lines.week_start,
    metrics.metric_id,
    lines.seller_id,
    lines.sub_order_id as unit_id,
    'sub_order' as unit,
    lines.order_id,
    lines.cancelled_at as happened_at,
    cast(null as timestamp) as due_at,
    lines.cancellation_reason as detail,
    cast(null as timestamp) as had_from,
    cast(null as timestamp) as had_until
from lines
cross join metrics
where
    case
        metrics.metric_id
        {% for metric_id in metrics_of_lines %} when '{{ metric_id }}' then lines.is_in_{{ metric_id }} {% endfor %}
    end
    = metrics.counts_in_numerator
union all
select
    orders.week_start,
    metrics.metric_id,
    orders.seller_id,
    orders.order_id as unit_id,
    'order' as unit,
    orders.order_id,
    orders.shipped_at as happened_at,
    orders.due_at,
    cast(null as string) as detail,
    cast(null as timestamp) as had_from,
    cast(null as timestamp) as had_until
from orders
inner join
    metrics
    on metrics.metric_id = 'shipment_in_target_duration'
    and orders.is_in_shipment_in_target_duration = metrics.counts_in_numerator
