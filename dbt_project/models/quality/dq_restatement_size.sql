{#
    One row per week, scope `all`: by how many points the overall rate that moves most would differ from its published
    value, of the rates with an interval. The note names up to three that move.
#}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    metrics as (select metric_id from {{ ref("int_brand_metrics") }} where has_interval),

    compared as (
        select
            figures.week_start,
            figures.metric_id,
            published.value as published_value,
            figures.value,
            abs(figures.value - published.value) as moved
        from {{ ref("int_metric_week") }} as figures
        inner join metrics on figures.metric_id = metrics.metric_id
        inner join
            {{ ref("stg_run__published_metrics") }} as published
            on figures.week_start = published.week_start
            and figures.metric_id = published.metric_id
            and figures.dimension = published.dimension
            and figures.member = published.member
        where figures.dimension = 'overall'
    ),

    ranked as (
        select
            *,
            row_number() over (partition by week_start order by coalesce(moved, 0) desc, metric_id) as place,
            metric_id
            || ' would go from '
            || cast(cast(published_value as decimal(9, 2)) as string)
            || ' to '
            || cast(cast(value as decimal(9, 2)) as string) as said
        from compared
    ),

    summed as (
        select
            week_start,
            cast(coalesce(max(moved), 0) as double) as observed,
            {% for place in range(1, 4) %}
                max(case when place = {{ place }} and moved > 0 then said end) as said_{{ place }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from ranked
        group by week_start
    )

select
    weeks.week_start,
    'all' as scope,
    summed.observed,
    case
        when summed.week_start is null
        then 'nothing of the week is published yet'
        else summed.said_1 || coalesce(', ' || summed.said_2, '') || coalesce(', ' || summed.said_3, '')
    end as note
from weeks
left join summed on weeks.week_start = summed.week_start
