{{ config(materialized="view") }}
{#
    One row per week, KPI of the seller rating, and sub-order that counts against the KPI; with the time that it had, where
    an incident can excuse it. A view: it streams into int_metric_evidence_week.
#}
{% set deciding_steps = {
    "cancellation_rate": "cancelled_at",
    "pending_to_shipped_48h_rate": "shipped_at",
    "pending_to_shipped_n_hours_rate": "shipped_at",
    "pending_to_ready_to_ship_n_hours_rate": "ready_to_ship_at",
    "return_rate": "returned_at",
    "shipping_on_time_rate": "shipped_at",
    "global_cancellation_rate": "cancelled_at",
    "global_return_rate": "returned_at",
    "rejection_rate": "failed_delivery_at",
} %}
{% set allowed_times = {
    "pending_to_shipped_48h_rate": "shipping_limit_48h_us",
    "pending_to_shipped_n_hours_rate": "shipping_limit_us",
    "pending_to_ready_to_ship_n_hours_rate": "packing_limit_us",
} %}
{% set reasons = {
    "cancellation_rate": "cancellation_reason",
    "global_cancellation_rate": "cancellation_reason",
    "rejection_rate": "failed_delivery_reason",
} %}
with

    metrics as ({{ judged_metrics("seller_rating") }}),

    items as (select * from {{ ref("int_seller_rating_items_week") }}),

    weeks as (select * from {{ ref("int_weeks") }}),

    first_orders as (select * from {{ ref("int_first_orders_seller") }}),

    items_against as (
        select
            items.week_start,
            metrics.metric_id,
            items.seller_id,
            items.sub_order_id,
            items.order_id,
            items.weekend_days,
            items.ordered_at,
            case
                metrics.metric_id
                {% for kpi_id, step in deciding_steps.items() %} when '{{ kpi_id }}' then items.{{ step }} {% endfor %}
            end as happened_at,
            case when metrics.metric_id = 'shipping_on_time_rate' then items.promised_ship_at end as promised_at,
            items.pending_since_us + case
                metrics.metric_id
                {% for kpi_id, limit_us in allowed_times.items() %}
                    when '{{ kpi_id }}' then items.{{ limit_us }}
                {% endfor %}
            end as due_us,
            case
                metrics.metric_id
                {% for kpi_id, reason in reasons.items() %} when '{{ kpi_id }}' then items.{{ reason }} {% endfor %}
            end as detail
        from items
        cross join metrics
        where
            case
                metrics.metric_id
                {% for kpi_id in seller_rating_kpis() %} when '{{ kpi_id }}' then items.is_in_{{ kpi_id }} {% endfor %}
            end
            = metrics.counts_in_numerator
    )

select
    items_against.week_start,
    items_against.metric_id,
    items_against.seller_id,
    items_against.sub_order_id as unit_id,
    'sub_order' as unit,
    items_against.order_id,
    items_against.happened_at,
    coalesce(items_against.promised_at, {{ instant_of_reading("worked_days", "items_against.due_us") }}) as due_at,
    items_against.detail,
    case when items_against.metric_id = 'shipping_on_time_rate' then items_against.ordered_at end as had_from,
    items_against.promised_at as had_until
from items_against
inner join weeks on items_against.week_start = weeks.week_start
-- a seller without a figure: its first order was placed at A itself
inner join
    first_orders
    on items_against.seller_id = first_orders.seller_id
    and first_orders.first_ordered_at < weeks.calculated_at
    {{ join_worked_days("worked_days", "items_against.weekend_days", "items_against.due_us") }}
