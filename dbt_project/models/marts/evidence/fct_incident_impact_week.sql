{#
    One row per week, metric, dimension and member some of whose units are excused by an incident: the figure as it is
    published, and what it is without them.
#}
{% set dimensions = {"mall_segment": "sellers.mall_segment", "oms_client": "coalesce(sellers.oms_client, 'unknown')"} %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    metrics as (
        {% for family in ["brand", "seller_rating", "order_volume_limit"] %}
            {{ judged_metrics(family) }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    overall_members as (select metric_id, overall_member from {{ ref("int_brand_metrics") }}),

    sellers as (select week_start, seller_id, mall_segment, oms_client from {{ ref("int_sellers_as_of_week") }}),

    excuses as (select week_start, metric_id, seller_id, unit_id, incident_id from {{ ref("int_excused_units_week") }}),

    operational as (
        select operational.*
        from {{ ref("fct_seller_operational_week") }} as operational
        inner join weeks on operational.week_start = weeks.week_start
    ),

    -- in which figures an excused unit counts; those that there are not find none below
    excuses_of_members as (
        select excuses.*, 'overall' as dimension, overall_members.overall_member as member
        from excuses
        inner join overall_members on excuses.metric_id = overall_members.metric_id
        union all
        {% for dimension, member in dimensions.items() %}
            select excuses.*, '{{ dimension }}' as dimension, {{ member }} as member
            from excuses
            left join sellers on excuses.week_start = sellers.week_start and excuses.seller_id = sellers.seller_id
            union all
        {% endfor %}
        select excuses.*, 'seller' as dimension, seller_id as member
        from excuses
    ),

    excused as (
        select
            week_start,
            metric_id,
            dimension,
            member,
            count(distinct unit_id) as excused,
            {{ distinct_list("incident_id") }} as incident_ids
        from excuses_of_members
        group by week_start, metric_id, dimension, member
    ),

    figures as (
        select week_start, metric_id, dimension, member, numerator, denominator, value
        from {{ ref("int_metric_week") }}
        union all
        select rating.week_start, rating.kpi_id, 'seller', rating.seller_id, rating.numerator, rating.denominator, value
        from {{ ref("fct_seller_rating_week") }} as rating
        inner join weeks on rating.week_start = weeks.week_start
        union all
        select week_start, metric_id, 'seller', seller_id, numerator, denominator, value
        from
            (
                {{ figures_of_columns(metrics_of("order_volume_limit"), "operational", ["week_start", "seller_id"]) }}
            ) as limits
    ),

    adjusted as (
        select
            figures.*,
            excused.excused,
            excused.incident_ids,
            figures.numerator
            - case when metrics.counts_in_numerator then excused.excused else 0 end as adjusted_numerator,
            figures.denominator - excused.excused as adjusted_denominator
        from figures
        inner join metrics on figures.metric_id = metrics.metric_id
        inner join
            excused
            on figures.week_start = excused.week_start
            and figures.metric_id = excused.metric_id
            and figures.dimension = excused.dimension
            and figures.member = excused.member
    )

select
    week_start,
    metric_id,
    dimension,
    member,
    numerator,
    denominator,
    cast(value as decimal(9, 2)) as value,
    excused,
    adjusted_numerator,
    adjusted_denominator,
    {{ percent("adjusted_numerator", "adjusted_denominator", "decimal(9,2)") }} as adjusted_value,
    adjusted_denominator < cast({{ setting("small_sample") }} as bigint) as is_small_sample,
    incident_ids
from adjusted
