{{ config(materialized="table", tags=["after_gate"]) }}
{#
    One row per week of the store, rate with an interval, dimension and member: whether its change against the week before
    is more than chance, and whether it lies where it usually does.
#}
{%- set columns = ["metric_id", "dimension", "member", "numerator", "denominator", "value"] %}
{%- set z_99 = "2.5758293035489e0" %}
with
    {{ ctes_as_published(ref("int_metric_week"), ref("stg_run__published_metrics"), columns) }},

    rates as (
        select
            week_start,
            {% for weeks in [1, 52] %}
                {{ date_add_days("week_start", -7 * weeks) }} as week_{{ weeks }}_before,
            {% endfor %}
            metric_id,
            dimension,
            member,
            numerator,
            denominator,
            value,
            {{ rate_e8("numerator", "denominator") }} as rate_e8,
            case when denominator > 0 then cast(numerator as double) / cast(denominator as double) end as share,
            case when denominator > 0 then {{ wilson_share("numerator", "denominator", "-", z_99) }} end as share_low,
            case when denominator > 0 then {{ wilson_share("numerator", "denominator", "+", z_99) }} end as share_high
        from published
        where metric_id in ({{ ids_of(metrics_of("brand") | selectattr("interval") | list) }})
    ),

    -- Newcombe (1998), Statistics in Medicine 17, 873-890, method 10: a difference of two Wilson intervals, in points
    compared as (
        select
            rates.*,
            before.numerator as previous_numerator,
            before.denominator as previous_denominator,
            100 * (
                rates.share
                - before.share
                - sqrt(
                    (rates.share - rates.share_low) * (rates.share - rates.share_low)
                    + (before.share_high - before.share) * (before.share_high - before.share)
                )
            ) as change_low,
            100 * (
                rates.share
                - before.share
                + sqrt(
                    (rates.share_high - rates.share) * (rates.share_high - rates.share)
                    + (before.share - before.share_low) * (before.share - before.share_low)
                )
            ) as change_high,
            year_before.value as value_year_before
        from rates
        left join
            rates as before
            on rates.week_1_before = before.week_start
            and rates.metric_id = before.metric_id
            and rates.dimension = before.dimension
            and rates.member = before.member
        left join
            rates as year_before
            on rates.week_52_before = year_before.week_start
            and rates.metric_id = year_before.metric_id
            and rates.dimension = year_before.dimension
            and rates.member = year_before.member
    ),

    -- each rate, once for each of the twelve weeks that look back at it
    looked_back as (
        select
            {{ date_add_days("rates.week_start", "7 * weeks.later") }} as week_start,
            rates.metric_id,
            rates.dimension,
            rates.member,
            rates.rate_e8,
            weeks.later
        from rates
        cross join
            (
                {% for later in range(1, 13) %}
                    select {{ later }} as later
                    {% if not loop.last %}
                        union all
                    {% endif %}
                {% endfor %}
            ) as weeks
        where rates.denominator > 0
    ),

    neighbours as (
        select
            *,
            abs(
                rate_e8 - lag(rate_e8) over (partition by week_start, metric_id, dimension, member order by later desc)
            ) as moving_range_e8
        from looked_back
    ),

    usual as (
        select
            week_start,
            metric_id,
            dimension,
            member,
            count(*) as weeks,
            cast(sum(rate_e8) as bigint) as sum_e8,
            cast(sum(moving_range_e8) as bigint) as moving_ranges_e8
        from neighbours
        group by week_start, metric_id, dimension, member
    ),

    -- mean -/+ 2.66 mean moving ranges is so many parts of the mean of the rates and so many of the mean of the ranges
    limited as (
        select
            compared.*,
            coalesce(usual.weeks, 0) as usual_weeks,
            100 * usual.weeks * (usual.weeks - 1) as parts,
            100 * (usual.weeks - 1) * usual.sum_e8 as mean_e8,
            266 * usual.weeks * usual.moving_ranges_e8 as reach_e8
        from compared
        left join
            usual
            on compared.week_start = usual.week_start
            and compared.metric_id = usual.metric_id
            and compared.dimension = usual.dimension
            and compared.member = usual.member
    )

select
    week_start,
    metric_id,
    dimension,
    member,
    previous_numerator,
    previous_denominator,
    cast(round(change_low, 2) as decimal(18, 2)) as change_low,
    cast(round(change_high, 2) as decimal(18, 2)) as change_high,
    change_low > 0 or change_high < 0 as is_signal,
    case
        when usual_weeks >= 6 then {{ cut_to_percent(exact_ratio("mean_e8 - reach_e8", "100000000 * parts")) }}
    end as usual_low,
    case
        when usual_weeks >= 6 then {{ cut_to_percent(exact_ratio("mean_e8 + reach_e8", "100000000 * parts")) }}
    end as usual_high,
    usual_weeks,
    case when usual_weeks >= 6 then abs(parts * rate_e8 - mean_e8) > reach_e8 end as is_unusual,
    value_year_before
from limited
