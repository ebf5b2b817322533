{{ config(materialized="view") }}
{#
    One row per week and sub-order placed in the grade window. Each metric that counts lines is a column: true is in
    numerator and denominator, false in the denominator only.
    A view: it streams into the counts per seller and into the evidence, and is far larger than either. It cuts
    timestamps at A itself, because the as-of view of all sub-orders pairs each of them with each week.
#}
with

    windows as (select * from {{ ref("int_seller_grade_windows_week") }}),

    sub_orders as (select * from {{ ref("stg_marketplace__sub_orders") }}),

    selected_reasons as (
        select weeks.week_start, reasons.cancellation_reason
        from {{ ref("int_weeks") }} as weeks
        inner join
            {{ ref("stg_config__grade_cancellation_reasons") }} as reasons
            on {{ is_valid_on("reasons", "weeks.calculated_on") }}
    ),

    lines as (
        select
            windows.week_start,
            sub_orders.seller_id,
            sub_orders.sub_order_id,
            sub_orders.order_id,
            sub_orders.ordered_at,
            {{ as_of("sub_orders.cancelled_at", "windows.calculated_at") }} as cancelled_at,
            case when sub_orders.cancelled_at <= windows.calculated_at then sub_orders.cancelled_by end as cancelled_by,
            case
                when sub_orders.cancelled_at <= windows.calculated_at then sub_orders.cancellation_reason
            end as cancellation_reason
        from sub_orders
        inner join windows on cast(sub_orders.ordered_at as date) = windows.utc_day
        where sub_orders.ordered_at >= windows.starts_at and sub_orders.ordered_at < windows.calculated_at
    )

select
    lines.week_start,
    lines.seller_id,
    lines.sub_order_id,
    lines.order_id,
    lines.ordered_at,
    lines.cancelled_at,
    lines.cancellation_reason,
    coalesce(lines.cancelled_by = 'seller', false) as is_in_seller_cancel_rate,
    coalesce(lines.cancelled_by = 'customer', false) as is_in_customer_cancel_rate,
    selected_reasons.cancellation_reason is not null as is_in_seller_related_delivery_problems
from lines
left join
    selected_reasons
    on lines.week_start = selected_reasons.week_start
    and lines.cancellation_reason = selected_reasons.cancellation_reason
