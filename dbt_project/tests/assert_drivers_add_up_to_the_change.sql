{{ config(meta={"dagster": {"ref": {"name": "fct_metric_driver_week"}}}) }}
{#
    What the members of a dimension brought adds up to the change of the overall rate, but for half a hundredth that each
    effect may be rounded by. Of the weeks of the run: what stands from before was tested when it was made. Claims of
    members without deliveries are in no effect, and in no rate here.
#}
{%- set columns = ["metric_id", "dimension", "member", "numerator", "denominator"] %}
with
    {{ ctes_as_published(ref("int_metric_week"), ref("stg_run__published_metrics"), columns) }},

    dimensions as (
        {% for metric in metrics_of("brand") if "denominator" in metric %}
            {% for dimension in metric.dimensions %}
                select '{{ metric.id }}' as metric_id, '{{ dimension }}' as dimension
                {% if not loop.last %}
                    union all
                {% endif %}
            {% endfor %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    overall as (
        select week_start, metric_id, numerator, denominator
        from published
        where dimension = 'overall' and denominator > 0
    ),

    claims_without_deliveries as (
        select week_start, metric_id, dimension, sum(numerator) as numerator
        from published
        where dimension <> 'overall' and denominator = 0
        group by week_start, metric_id, dimension
    ),

    rates as (
        select
            overall.week_start,
            {{ date_add_days("overall.week_start", 7) }} as next_week_start,
            overall.metric_id,
            dimensions.dimension,
            100
            * cast(overall.numerator - coalesce(claims_without_deliveries.numerator, 0) as double)
            / cast(overall.denominator as double) as rate
        from overall
        inner join dimensions on overall.metric_id = dimensions.metric_id
        left join
            claims_without_deliveries
            on overall.week_start = claims_without_deliveries.week_start
            and overall.metric_id = claims_without_deliveries.metric_id
            and dimensions.dimension = claims_without_deliveries.dimension
    ),

    changes as (
        select now.week_start, now.metric_id, now.dimension, now.rate - before.rate as change
        from rates as now
        inner join {{ ref("int_weeks") }} as weeks on now.week_start = weeks.week_start
        inner join
            rates as before
            on now.week_start = before.next_week_start
            and now.metric_id = before.metric_id
            and now.dimension = before.dimension
    ),

    effects as (
        select week_start, metric_id, dimension, sum(mix_effect + rate_effect) as effects, count(*) as members
        from {{ ref("fct_metric_driver_week") }}
        group by week_start, metric_id, dimension
    )

select changes.week_start, changes.metric_id, changes.dimension, changes.change, effects.effects, effects.members
from changes
left join
    effects
    on changes.week_start = effects.week_start
    and changes.metric_id = effects.metric_id
    and changes.dimension = effects.dimension
where effects.members is null or abs(effects.effects - changes.change) > 0.01 * effects.members + 0.000001
