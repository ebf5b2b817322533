{{ config(materialized="view") }}
{#
    One row per week, metric of the seller grade, and sub-order or order that counts against the metric.
    A view: it streams into int_metric_evidence_week.
#}
{% set judged = metrics_of("seller_grade") | selectattr("evidence") | list %}
{% set of_lines = judged | selectattr("evidence.unit", "equalto", "sub_order") | list %}
{% set of_orders = judged | selectattr("evidence.unit", "equalto", "order") | list %}
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
        {% for metric in of_lines %} when '{{ metric.id }}' then lines.is_in_{{ metric.id }} {% endfor %}
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
cross join metrics
where
    case
        metrics.metric_id
        {% for metric in of_orders %} when '{{ metric.id }}' then orders.is_in_{{ metric.id }} {% endfor %}
    end
    = metrics.counts_in_numerator
