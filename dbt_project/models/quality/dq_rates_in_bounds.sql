{# One row per week and metric of the catalogue with a figure: its figures outside the catalogue's bounds. #}
select
    figures.week_start,
    figures.metric_id as scope,
    cast(
        count(*) filter (where figures.figure < catalog.minimum or figures.figure > catalog.maximum) as double
    ) as observed,
    cast(null as string) as note
from {{ ref("int_judged_figures_week") }} as figures
inner join {{ ref("stg_config__metric_catalog") }} as catalog on figures.metric_id = catalog.metric_id
group by figures.week_start, figures.metric_id
