{#
    One row per week, seller, metric of the grade, and number of coming weeks in whose grade window a unit of the week still
    lies: those units, and how many of them are in the numerator. The windows are A + 7 days, A + 14 days, and so on.
#}
{% set metrics = metrics_of("seller_grade") %}
with

    windows as (
        select week_start, min(starts_at) as starts_at
        from {{ ref("int_seller_grade_windows_week") }}
        group by week_start
    ),

    lines as (
        select
            lines.week_start,
            lines.seller_id,
            {{ int_div(lag_us("windows.starts_at", "lines.ordered_at"), "7 * 24 * " ~ hour_us()) }} as weeks_left,
            count(*) as lines,
            count(*) filter (where lines.is_in_seller_cancel_rate) as seller_cancelled,
            count(*) filter (where lines.is_in_customer_cancel_rate) as customer_cancelled,
            count(*) filter (where lines.is_in_seller_related_delivery_problems) as with_problem
        from {{ ref("int_seller_grade_lines_week") }} as lines
        inner join windows on lines.week_start = windows.week_start
        group by 1, 2, 3
    ),

    orders as (
        select
            orders.week_start,
            orders.seller_id,
            {{ int_div(lag_us("windows.starts_at", "orders.created_at"), "7 * 24 * " ~ hour_us()) }} as weeks_left,
            count(*) as judged,
            count(*) filter (where orders.is_in_shipment_in_target_duration) as in_target
        from {{ ref("int_seller_grade_orders_week") }} as orders
        inner join windows on orders.week_start = windows.week_start
        where orders.is_in_shipment_in_target_duration is not null
        group by 1, 2, 3
    )

{% for metric in metrics %}
    select
        week_start,
        seller_id,
        '{{ metric.id }}' as metric_id,
        cast(weeks_left as integer) as weeks_left,
        {{ metric.denominator }} as units,
        {{ metric.numerator }} as numerator
    from {{ metric.relation }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
