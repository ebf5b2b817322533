{# One row per week, seller and KPI of the seller rating. #}
{% set kpis = metrics_of("seller_rating") %}
with

    periods as (select * from {{ ref("int_seller_rating_periods_week") }}),

    first_orders as (select * from {{ ref("int_first_orders_seller") }}),

    sellers as (select * from {{ ref("int_sellers_as_of_week") }}),

    counts as (
        select
            week_start,
            {% for kpi in kpis %}
                count(*) filter (where is_in_{{ kpi.id }}) as {{ kpi.id }}_numerator,
                count(is_in_{{ kpi.id }}) as {{ kpi.id }}_denominator,
            {% endfor %}
            seller_id
        from {{ ref("int_seller_rating_items_week") }}
        group by week_start, seller_id
    ),

    rated as (
        select
            periods.*,
            first_orders.seller_id,
            coalesce(
                case
                    periods.kpi_id
                    {% for kpi in kpis %} when '{{ kpi.id }}' then counts.{{ kpi.id }}_numerator {% endfor %}
                end,
                0
            ) as numerator,
            coalesce(
                case
                    periods.kpi_id
                    {% for kpi in kpis %} when '{{ kpi.id }}' then counts.{{ kpi.id }}_denominator {% endfor %}
                end,
                0
            ) as denominator
        from periods
        inner join first_orders on first_orders.first_ordered_at < periods.calculated_at
        left join sellers on periods.week_start = sellers.week_start and first_orders.seller_id = sellers.seller_id
        left join counts on periods.week_start = counts.week_start and first_orders.seller_id = counts.seller_id
        where
            {{ is_measured("periods.kpi_id") }}
            and case
                periods.kpi_id
                {% for kpi in kpis | selectattr("needs_setting") %}
                    when '{{ kpi.id }}' then sellers.{{ kpi.needs_setting }} is not null
                {% endfor %}
                else true
            end
    ),

    valued as (select *, {{ percent("numerator", "denominator", "decimal(9,2)") }} as value from rated)

select
    week_start,
    seller_id,
    kpi_id,
    numerator,
    denominator,
    value,
    {{ display_rate("value") }} as display_value,
    calculated_at,
    period_start,
    period_end
from valued
