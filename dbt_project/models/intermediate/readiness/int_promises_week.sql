{#
    One row per week, promise (ship or delivery) and Mall sub-order for which it fell due in the week, of all shipment
    types. What was cancelled before the step was done is due no more.
#}
{% set steps = {"ship": "shipped_at", "delivery": "delivered_at"} %}
with sub_orders as (select * from {{ ref("int_sub_orders_as_of_week") }} where is_mall)

{% for promise, step in steps.items() %}
    select
        week_start,
        '{{ promise }}' as promise,
        sub_order_id,
        mall_segment,
        {{ step }} is not null as is_done,
        coalesce({{ step }} <= promised_{{ promise }}_at, false) as is_kept,
        {{ lag_us("ordered_at", step) }} as taken_us
    from sub_orders
    where
        promised_{{ promise }}_at >= starts_at
        and promised_{{ promise }}_at < ends_at
        and ({{ step }} is not null or cancelled_at is null)
        and {{ is_measured("'" ~ promise ~ "_kept_rate'") }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
