{{ config(materialized="view") }}
{#
    One row per week and sub-order that lies in a period of the seller rating. Each KPI is a column: true in numerator
    and denominator, false in the denominator only, null in neither.
    A view: it streams into the counts per seller and into the evidence, and is far larger than either.
#}
{% set kpis = metrics_of("seller_rating") %}
with

    sub_orders as (select * from {{ ref("int_sub_orders_as_of_week") }}),

    periods as (
        select
            {% for kpi in kpis %}
                max(period_start) filter (where kpi_id = '{{ kpi.id }}') as {{ kpi.id }}_from,
                max(period_end) filter (where kpi_id = '{{ kpi.id }}') as {{ kpi.id }}_to,
            {% endfor %}
            week_start
        from {{ ref("int_seller_rating_periods_week") }}
        group by week_start
    ),

    rejections as ({{ reasons_of("failed_delivery", "rejected_by_customer") }}),

    dated as (
        select
            {% for kpi in kpis %}
                coalesce(
                    periods.{{ kpi.id }}_from <= sub_orders.{{ kpi.period.dated_by }}
                    and sub_orders.{{ kpi.period.dated_by }} < periods.{{ kpi.id }}_to,
                    false
                ) as is_dated_for_{{ kpi.id }},
            {% endfor %}
            sub_orders.*,
            -- a step done before the item was pending took no time
            case
                when sub_orders.shipped_at is not null
                then greatest(sub_orders.shipped_at, sub_orders.pending_since)
                else sub_orders.calculated_at
            end as shipping_ends_at,
            case
                when sub_orders.ready_to_ship_at is not null
                then greatest(sub_orders.ready_to_ship_at, sub_orders.pending_since)
                else sub_orders.calculated_at
            end as packing_ends_at
        from sub_orders
        inner join periods on sub_orders.week_start = periods.week_start
    ),

    items as (
        select *
        from dated
        where {% for kpi in kpis %} is_dated_for_{{ kpi.id }} {% if not loop.last %} or {% endif %} {% endfor %}
    ),

    timed as (
        select
            items.*,
            rejections.reason is not null as is_rejected,
            {{ worked_us("pending", "items.pending_since") }} as pending_since_us,
            {{ worked_us("shipping_end", "items.shipping_ends_at") }}
            - {{ worked_us("pending", "items.pending_since") }} as shipping_us,
            {{ worked_us("packing_end", "items.packing_ends_at") }}
            - {{ worked_us("pending", "items.pending_since") }} as packing_us,
            48 * {{ hour_us() }} as shipping_limit_48h_us,
            items.pending_to_shipped_hours * {{ hour_us() }} as shipping_limit_us,
            items.pending_to_ready_to_ship_hours * {{ hour_us() }} as packing_limit_us
        from items
        left join
            rejections on items.failed_delivery_reason = rejections.reason
            {{ join_working_clock("pending", "items.weekend_days", "items.pending_since") }}
            {{ join_working_clock("shipping_end", "items.weekend_days", "items.shipping_ends_at") }}
            {{ join_working_clock("packing_end", "items.weekend_days", "items.packing_ends_at") }}
    )

select
    week_start,
    seller_id,
    sub_order_id,
    order_id,
    weekend_days,
    ordered_at,
    pending_since,
    pending_since_us,
    shipping_limit_48h_us,
    shipping_limit_us,
    packing_limit_us,
    ready_to_ship_at,
    shipped_at,
    delivered_at,
    cancelled_at,
    cancellation_reason,
    returned_at,
    failed_delivery_at,
    failed_delivery_reason,
    promised_ship_at,
    case
        when is_dated_for_cancellation_rate and is_seller_shipped then coalesce(cancelled_by = 'seller', false)
    end as is_in_cancellation_rate,
    case
        when not (is_dated_for_pending_to_shipped_48h_rate and is_seller_shipped) or shipped_at < ordered_at
        then null
        when shipped_at is not null
        then shipping_us <= shipping_limit_48h_us
        when cancelled_at is null and shipping_us > shipping_limit_48h_us
        then false
    end as is_in_pending_to_shipped_48h_rate,
    case
        when not (is_dated_for_pending_to_shipped_n_hours_rate and is_seller_shipped) or shipped_at < ordered_at
        then null
        when shipped_at is not null
        then shipping_us <= shipping_limit_us
        when cancelled_at is null and shipping_us > shipping_limit_us
        then false
    end as is_in_pending_to_shipped_n_hours_rate,
    case
        when
            not (is_dated_for_pending_to_ready_to_ship_n_hours_rate and is_seller_shipped)
            or ready_to_ship_at < ordered_at
        then null
        when ready_to_ship_at is not null
        then packing_us <= packing_limit_us
        when shipped_at is null and cancelled_at is null and packing_us > packing_limit_us
        then false
    end as is_in_pending_to_ready_to_ship_n_hours_rate,
    case
        when is_dated_for_return_rate and delivered_at is not null then returned_at is not null
    end as is_in_return_rate,
    case
        when not (is_dated_for_shipping_on_time_rate and is_seller_shipped)
        then null
        when shipped_at is not null
        then shipped_at <= promised_ship_at
        when cancelled_at is null and promised_ship_at < calculated_at
        then false
    end as is_in_shipping_on_time_rate,
    case
        when is_dated_for_global_cancellation_rate then is_seller_shipped and cancelled_at is not null
    end as is_in_global_cancellation_rate,
    case when is_dated_for_global_return_rate then returned_at is not null end as is_in_global_return_rate,
    case when is_dated_for_rejection_rate then is_rejected end as is_in_rejection_rate
from timed
