{{ config(materialized="view") }}
{#
    One row per week, metric of the order volume limit, and order that counts against the metric; with the time that it
    had. A view: it streams into int_metric_evidence_week.
#}
with

    metrics as ({{ judged_metrics("order_volume_limit") }}),

    orders as (
        select
            *,
            not coalesce(confirmed_at <= confirm_due_at, false) as is_confirmed_late,
            not coalesce(handed_over_at <= handover_due_at, false) as is_handed_over_late
        from {{ ref("int_ovl_orders_week") }}
    )

select
    orders.week_start,
    metrics.metric_id,
    orders.seller_id,
    orders.order_id as unit_id,
    'order' as unit,
    orders.order_id,
    case
        when metrics.metric_id = 'ovl_cancellation_rate'
        then orders.fault_cancelled_at
        -- an order that missed both deadlines was late at the first of them
        when orders.is_confirmed_late
        then orders.confirmed_at
        else orders.handed_over_at
    end as happened_at,
    case
        when metrics.metric_id = 'ovl_cancellation_rate'
        then null
        when orders.is_confirmed_late
        then orders.confirm_due_at
        else orders.handover_due_at
    end as due_at,
    case
        when metrics.metric_id = 'ovl_cancellation_rate'
        then orders.fault_reason
        when orders.is_confirmed_late and orders.is_handed_over_late
        then 'confirmation,handover'
        when orders.is_confirmed_late
        then 'confirmation'
        when orders.is_handed_over_late
        then 'handover'
    end as detail,
    orders.created_at as had_from,
    case
        when metrics.metric_id = 'ovl_cancellation_rate' then orders.fault_cancelled_at else orders.handover_due_at
    end as had_until
from orders
cross join metrics
where
    case
        metrics.metric_id
        {% for metric in metrics_of("order_volume_limit") %}
            when '{{ metric.id }}' then orders.is_in_{{ metric.id }}
        {% endfor %}
    end
    = metrics.counts_in_numerator
