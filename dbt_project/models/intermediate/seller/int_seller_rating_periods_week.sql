{# One row per week and KPI of the seller rating: the period it is calculated over, [period_start, period_end). #}
with

    weeks as (select week_start, calculated_at from {{ ref("int_weeks") }}),

    configured as (select kpi_id, period_days from {{ ref("stg_config__kpi_periods") }}),

    kpis as (
        {% for kpi in metrics_of("seller_rating") %}
            select
                '{{ kpi.id }}' as kpi_id,
                {{ kpi.period.days }} as days,
                {{ kpi.period.ends_days_before or 0 }} as ends_days_before
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    lengths as (
        select kpis.kpi_id, kpis.ends_days_before, coalesce(configured.period_days, kpis.days) as period_days
        from kpis
        left join configured on kpis.kpi_id = configured.kpi_id
    )

select
    weeks.week_start,
    weeks.calculated_at,
    lengths.kpi_id,
    {{ add_days("weeks.calculated_at", "-(lengths.ends_days_before + lengths.period_days)") }} as period_start,
    {{ add_days("weeks.calculated_at", "-lengths.ends_days_before") }} as period_end
from weeks
cross join lengths
