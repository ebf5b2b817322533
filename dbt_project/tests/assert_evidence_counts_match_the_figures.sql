{{ config(meta={"dagster": {"ref": {"name": "fct_metric_evidence_week"}}}) }}
{#
    What counts against a figure has as many rows as the figure says: the numerator where low is good, the denominator
    less the numerator where high is good. Seller by seller where the figures are a seller's. Where they are those of
    many sellers, all of them together, and those of each segment and OMS client.
#}
{% set brand_metrics_with_evidence = ids_of(metrics_of("brand") | selectattr("evidence") | list) %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    evidence as (
        select week_start, metric_id, seller_id, count(*) as units
        from {{ ref("fct_metric_evidence_week") }}
        group by week_start, metric_id, seller_id
    ),

    brand_evidence as (
        select evidence.*, sellers.mall_segment, sellers.oms_client
        from evidence
        left join
            {{ ref("int_sellers_as_of_week") }} as sellers
            on evidence.week_start = sellers.week_start
            and evidence.seller_id = sellers.seller_id
        where evidence.metric_id in ({{ brand_metrics_with_evidence }})
    ),

    brand_units as (
        select week_start, metric_id, 'overall' as scope, sum(units) as units
        from brand_evidence
        group by week_start, metric_id
        {% for dimension in ["mall_segment", "oms_client"] %}
            union all
            select
                week_start, metric_id, '{{ dimension }}=' || {{ member_name(dimension) }} as scope, sum(units) as units
            from brand_evidence
            where metric_id in (select metric_id from {{ ref("int_metric_week") }} where dimension = '{{ dimension }}')
            group by week_start, metric_id, {{ member_name(dimension) }}
        {% endfor %}
    ),

    units as (
        select week_start, metric_id, scope, units
        from brand_units
        union all
        select week_start, metric_id, 'seller=' || seller_id as scope, units
        from evidence
        where metric_id not in ({{ brand_metrics_with_evidence }})
    ),

    figures as (
        select
            week_start,
            metric_id,
            case dimension when 'overall' then dimension else dimension || '=' || member end as scope,
            numerator,
            denominator
        from {{ ref("int_metric_week") }}
        where
            dimension in ('overall', 'mall_segment', 'oms_client') and metric_id in ({{ brand_metrics_with_evidence }})
        union all
        select rating.week_start, rating.kpi_id as metric_id, 'seller=' || rating.seller_id, numerator, denominator
        from {{ ref("fct_seller_rating_week") }} as rating
        inner join weeks on rating.week_start = weeks.week_start
        union all
        select limits.week_start, limits.metric_id, 'seller=' || limits.seller_id, numerator, denominator
        from
            (
                {{
                    figures_of_columns(
                        metrics_of("order_volume_limit"),
                        ref("fct_seller_operational_week"),
                        ["week_start", "seller_id"],
                    )
                }}
            ) as limits
        inner join weeks on limits.week_start = weeks.week_start
        union all
        select grades.week_start, grades.metric_id, 'seller=' || grades.seller_id, grades.numerator, grades.denominator
        from {{ ref("fct_seller_grade_metric_week") }} as grades
        inner join weeks on grades.week_start = weeks.week_start
    ),

    expected as (
        select
            figures.week_start,
            figures.metric_id,
            figures.scope,
            case
                metrics.direction
                when 'low'
                then figures.numerator
                when 'high'
                then figures.denominator - figures.numerator
                else 0
            end as units
        from figures
        inner join {{ ref("dim_metric") }} as metrics on figures.metric_id = metrics.metric_id
    )

select
    coalesce(units.week_start, expected.week_start) as week_start,
    coalesce(units.metric_id, expected.metric_id) as metric_id,
    coalesce(units.scope, expected.scope) as scope,
    units.units as rows_of_evidence,
    expected.units as counted_against
from units
full join
    expected
    on units.week_start = expected.week_start
    and units.metric_id = expected.metric_id
    and units.scope = expected.scope
where coalesce(units.units, 0) <> coalesce(expected.units, 0)
