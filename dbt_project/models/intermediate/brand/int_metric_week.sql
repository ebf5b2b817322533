{#
    One row per week, brand metric, dimension and member: the figure as it is published if the gate lets the week pass,
    all but its comparison with the week before.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    metrics as (select * from {{ ref("int_brand_metrics") }}),

    measures as (select * from {{ ref("int_brand_measures_week") }}),

    segments as (
        {% for segment in mall_segments() %}
            select '{{ segment }}' as mall_segment
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    -- these have a row in every week, other members only where there is something to count
    lasting_members as (
        select weeks.week_start, metrics.metric_id, 'overall' as dimension, metrics.overall_member as member
        from weeks
        cross join metrics
        union all
        select weeks.week_start, metrics.metric_id, 'mall_segment' as dimension, segments.mall_segment as member
        from weeks
        cross join metrics
        cross join segments
        where metrics.has_segments
    ),

    members as (
        select week_start, metric_id, dimension, member
        from lasting_members
        union
        select week_start, metric_id, dimension, member
        from measures
        where coalesce(denominator, numerator) > 0
    ),

    counted as (
        select
            members.week_start,
            members.metric_id,
            members.dimension,
            members.member,
            metrics.is_rate,
            metrics.has_interval,
            coalesce(measures.numerator, 0) as numerator,
            case when metrics.is_rate then coalesce(measures.denominator, 0) end as denominator
        from members
        inner join metrics on members.metric_id = metrics.metric_id
        left join
            measures
            on members.week_start = measures.week_start
            and members.metric_id = measures.metric_id
            and members.dimension = measures.dimension
            and members.member = measures.member
    ),

    valued as (
        select
            *,
            case
                when is_rate then {{ percent("numerator", "denominator") }} else cast(numerator as decimal(18, 2))
            end as value
        from counted
    )

select
    week_start,
    metric_id,
    dimension,
    member,
    numerator,
    denominator,
    value,
    case when is_rate then {{ display_rate("value") }} else cast(numerator as string) end as display_value,
    denominator < cast({{ setting("small_sample") }} as bigint) as is_small_sample,
    case when has_interval then {{ wilson_bound("numerator", "denominator", "-") }} end as interval_low,
    case when has_interval then {{ wilson_bound("numerator", "denominator", "+") }} end as interval_high
from valued
