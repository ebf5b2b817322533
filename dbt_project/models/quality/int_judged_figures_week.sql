{{ config(materialized="view") }}
{# One row per week of the run and published figure whose metric is in the catalogue: those of readiness may be left out. #}
with

    figures as (
        {% for table in figures_before_gate() %}
            select figures.week_start, {{ table.metric }} as metric_id, {{ table.figure }} as figure
            from {{ ref(table.relation) }} as figures
            inner join {{ ref("int_weeks") }} as weeks on figures.week_start = weeks.week_start
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select week_start, metric_id, figure
from figures
where metric_id in (select metric_id from {{ ref("stg_config__metric_catalog") }})
