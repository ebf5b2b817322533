{{ config(materialized="view") }}
{#
    One row per week, KPI of the seller rating, and sub-order that counts against the KPI; with the time that it had, where
    an incident can excuse it. A view: it streams into int_metric_evidence_week.
#}
{% set kpis = metrics_of("seller_rating") | selectattr("evidence") | list %}
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
            {% for name in ["happened_at", "due_at", "detail"] %}
                case
                    metrics.metric_id
                    {% for kpi in kpis if kpi.evidence[name] %}
                        when '{{ kpi.id }}' then items.{{ kpi.evidence[name] }}
                    {% endfor %}
                end as {{ "promised_at" if name == "due_at" else name }},
            {% endfor %}
            items.pending_since_us + case
                metrics.metric_id
                {% for kpi in kpis | selectattr("evidence.limit") %}
                    when '{{ kpi.id }}' then items.{{ kpi.evidence.limit }}
                {% endfor %}
            end as due_us
        from items
        cross join metrics
        where
            case
                metrics.metric_id {% for kpi in kpis %} when '{{ kpi.id }}' then items.is_in_{{ kpi.id }} {% endfor %}
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
    case when items_against.promised_at is not null then items_against.ordered_at end as had_from,
    items_against.promised_at as had_until
from items_against
inner join weeks on items_against.week_start = weeks.week_start
-- a seller without a figure: its first order was placed at A itself
inner join
    first_orders
    on items_against.seller_id = first_orders.seller_id
    and first_orders.first_ordered_at < weeks.calculated_at
    {{ join_worked_days("worked_days", "items_against.weekend_days", "items_against.due_us") }}
