{{ config(materialized="table", tags=["after_gate"]) }}
{#
    One row per week of the store, rate, dimension and member with a population in it or in the week before: how much of the
    change of the overall rate it brought, by its share of the population (mix) and by its own rate.
    The members of each dimension of a rate part its population.
#}
{%- set columns = ["metric_id", "dimension", "member", "numerator", "denominator"] %}
with
    {{ ctes_as_published(ref("int_metric_week"), ref("stg_run__published_metrics"), columns) }},

    rates as (
        select *, {{ date_add_days("week_start", 7) }} as next_week_start
        from published
        where
            denominator > 0
            and metric_id in ({{ ids_of(metrics_of("brand") | selectattr("denominator", "defined") | list) }})
    ),

    overall as (
        select
            now.week_start,
            now.metric_id,
            now.numerator as numerator_now,
            now.denominator as denominator_now,
            before.numerator as numerator_before,
            before.denominator as denominator_before
        from rates as now
        inner join
            rates as before
            on now.week_start = before.next_week_start
            and now.metric_id = before.metric_id
            and before.dimension = 'overall'
        where now.dimension = 'overall'
    ),

    members as (
        select
            coalesce(now.week_start, before.next_week_start) as week_start,
            coalesce(now.metric_id, before.metric_id) as metric_id,
            coalesce(now.dimension, before.dimension) as dimension,
            coalesce(now.member, before.member) as member,
            coalesce(now.numerator, 0) as numerator_now,
            coalesce(now.denominator, 0) as denominator_now,
            coalesce(before.numerator, 0) as numerator_before,
            coalesce(before.denominator, 0) as denominator_before
        from rates as now
        full join
            rates as before
            on now.week_start = before.next_week_start
            and now.metric_id = before.metric_id
            and now.dimension = before.dimension
            and now.member = before.member
    ),

    shares as (
        select
            members.*,
            overall.denominator_now as overall_now,
            overall.denominator_before as overall_before,
            {% for time in ["now", "before"] %}
                cast(members.denominator_{{ time }} as double)
                / cast(overall.denominator_{{ time }} as double) as share_{{ time }},
                case
                    when members.denominator_{{ time }} > 0
                    then cast(members.numerator_{{ time }} as double) / cast(members.denominator_{{ time }} as double)
                end as rate_{{ time }},
            {% endfor %}
            (
                cast(overall.numerator_now as double) / cast(overall.denominator_now as double)
                + cast(overall.numerator_before as double) / cast(overall.denominator_before as double)
            )
            / 2 as mean_rate
        from members
        inner join overall on members.week_start = overall.week_start and members.metric_id = overall.metric_id
        where members.dimension <> 'overall'
    ),

    -- a member without population in one of the weeks takes the rate of the other
    effects as (
        select
            *,
            100
            * (share_now - share_before)
            * ((coalesce(rate_before, rate_now) + coalesce(rate_now, rate_before)) / 2 - mean_rate) as mix_effect,
            100
            * (share_before + share_now)
            / 2
            * (coalesce(rate_now, rate_before) - coalesce(rate_before, rate_now)) as rate_effect
        from shares
    ),

    added_up as (select *, mix_effect + rate_effect as effect from effects)

select
    week_start,
    metric_id,
    dimension,
    member,
    {{ percent("denominator_before", "overall_before", "decimal(9,2)") }} as share_before,
    {{ percent("denominator_now", "overall_now", "decimal(9,2)") }} as share_now,
    {{ percent("numerator_before", "denominator_before", "decimal(9,2)") }} as rate_before,
    {{ percent("numerator_now", "denominator_now", "decimal(9,2)") }} as rate_now,
    cast(round(mix_effect, 2) as decimal(18, 2)) as mix_effect,
    cast(round(rate_effect, 2) as decimal(18, 2)) as rate_effect,
    cast(
        -- effects that are equal differ in their last digits as doubles
        rank() over (partition by week_start, metric_id, dimension order by round(abs(effect), 9) desc) as bigint
    ) as driver_rank,
    cast(round(effect, 2) as decimal(18, 2)) as effect
from added_up
