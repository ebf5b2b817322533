{{ config(materialized="table") }}
{# One row per metric of any family: its names, bounds and texts, and what the registry says of it. #}
select
    metric_id,
    family,
    setup_name,
    seller_name,
    export_name,
    unit,
    cast(minimum as decimal(18, 6)) as minimum,
    cast(maximum as decimal(18, 6)) as maximum,
    direction,
    formula,
    description,
    case
        metric_id
        {% for metric_id, place in formula_places().items() %} when '{{ metric_id }}' then '{{ place }}' {% endfor %}
    end as sql,
    case
        metric_id {% for metric in var("metrics") %} when '{{ metric.id }}' then '{{ metric.total }}' {% endfor %}
    end as total,
    case
        metric_id
        {% for metric in var("metrics") if metric.evidence %}
            when '{{ metric.id }}' then '{{ metric.evidence.unit }}'
        {% endfor %}
    end as evidence_unit
from {{ ref("stg_config__metric_catalog") }}
