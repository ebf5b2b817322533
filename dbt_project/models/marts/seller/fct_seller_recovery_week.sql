{#
    One row per week, seller, and metric of the order volume limit or the grade of which something counts against the
    seller, or will in the week after: what it is, and when it ends.
    A target is a range of shares of misses among the units, in hundred-millionths of them, so that every question is one of
    whole numbers: `most_share` x units less `most_open` is the most, `least_share` x units more `least_open` the least.
#}
with

    weeks as (select week_start, calculated_on from {{ ref("int_weeks") }}),

    limit_metrics as ({{ judged_metrics("order_volume_limit") }}),

    grade_metrics as ({{ judged_metrics("seller_grade") }}),

    metrics as (
        select metric_id, counts_in_numerator, false as is_judged_rounded
        from limit_metrics
        union all
        select metric_id, counts_in_numerator, true as is_judged_rounded
        from grade_metrics
    ),

    operational as (
        select operational.*
        from {{ ref("fct_seller_operational_week") }} as operational
        inner join weeks on operational.week_start = weeks.week_start
    ),

    limits as (
        select limits.*
        from {{ ref("fct_seller_ovl_week") }} as limits
        inner join weeks on limits.week_start = weeks.week_start
    ),

    grades as (
        select grades.*
        from {{ ref("fct_seller_grade_metric_week") }} as grades
        inner join weeks on grades.week_start = weeks.week_start
    ),

    ranges as (
        select
            targets.week_start,
            targets.metric_id,
            metrics.counts_in_numerator,
            metrics.is_judged_rounded,
            -- of a rate that is judged exactly: hundred-millionths
            cast(targets.lower * 1000000 as bigint) as lower_share,
            cast(targets.upper * 1000000 as bigint) as upper_share,
            -- of one that is judged as it is shown: the first and the last hundredth of a percent in the range
            cast(ceil(targets.lower * 100) as bigint) as first_shown,
            case
                when targets.is_upper_included
                then cast(floor(targets.upper * 100) as bigint)
                else cast(ceil(targets.upper * 100) as bigint) - 1
            end as last_shown
        from {{ ref("fct_target_week") }} as targets
        inner join weeks on targets.week_start = weeks.week_start
        inner join metrics on targets.metric_id = metrics.metric_id
    ),

    -- a share is shown as s hundredths of a percent from (2s - 1) / 20,000 on, and up to (2s + 1) / 20,000 without that
    targets as (
        select
            week_start,
            metric_id,
            case
                when is_judged_rounded and counts_in_numerator
                then 5000 * (2 * first_shown - 1)
                when is_judged_rounded
                then 5000 * (19999 - 2 * last_shown)
                when counts_in_numerator
                then lower_share
                else 100000000 - upper_share
            end as least_share,
            case when is_judged_rounded and not counts_in_numerator then 1 else 0 end as least_open,
            case
                when is_judged_rounded and counts_in_numerator
                then 5000 * (2 * last_shown + 1)
                when is_judged_rounded
                then 5000 * (20001 - 2 * first_shown)
                when counts_in_numerator
                then upper_share
                else 100000000 - lower_share
            end as most_share,
            case when is_judged_rounded and counts_in_numerator then 1 else 0 end as most_open
        from ranges
    ),

    next_orders as (
        {% for metric in metrics_of("order_volume_limit") %}
            select
                week_start,
                seller_id,
                '{{ metric.id }}' as metric_id,
                count(*) as units,
                count(*) filter (where is_in_{{ metric.id }}) as numerator
            from {{ ref("int_ovl_next_orders_week") }}
            group by week_start, seller_id
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    figures as (
        select week_start, seller_id, metric_id, numerator, denominator as units
        from
            (
                {{ figures_of_columns(metrics_of("order_volume_limit"), "operational", ["week_start", "seller_id"]) }}
            ) as limits
        union all
        select week_start, seller_id, metric_id, numerator, denominator
        from grades
    ),

    counted as (
        select
            figures.week_start,
            figures.seller_id,
            figures.metric_id,
            figures.units,
            case
                when metrics.counts_in_numerator then figures.numerator else figures.units - figures.numerator
            end as misses,
            case when not metrics.is_judged_rounded then coalesce(next_orders.units, 0) end as next_units,
            case
                when metrics.is_judged_rounded
                then null
                when metrics.counts_in_numerator
                then coalesce(next_orders.numerator, 0)
                else coalesce(next_orders.units - next_orders.numerator, 0)
            end as next_misses
        from figures
        inner join metrics on figures.metric_id = metrics.metric_id
        left join
            next_orders
            on figures.week_start = next_orders.week_start
            and figures.seller_id = next_orders.seller_id
            and figures.metric_id = next_orders.metric_id
    ),

    standing as (select * from counted where misses > 0 or next_misses > 0),

    -- the most misses, and the fewest units at so many misses, that each range allows
    bounded as (
        select
            standing.*,
            targets.least_share,
            targets.least_open,
            {{ meets_target("standing.misses", "standing.units", "targets") }} as is_met,
            least(
                standing.units, {{ int_div("targets.most_share * standing.units - targets.most_open", "100000000") }}
            ) as most_misses,
            case
                when targets.most_share > 0
                then
                    greatest(
                        standing.units,
                        {{
                            int_div(
                                "100000000 * standing.misses + targets.most_open + targets.most_share - 1",
                                "targets.most_share",
                            )
                        }}
                    )
            end as fewest_units
        from standing
        left join
            targets
            on standing.week_start = targets.week_start
            and standing.metric_id = targets.metric_id
            and standing.units > 0
    ),

    judged as (
        select
            week_start,
            seller_id,
            metric_id,
            units,
            misses,
            next_units,
            next_misses,
            bool_or(is_met) as is_on_target,
            max(
                case when 100000000 * most_misses >= least_share * units + least_open then most_misses end
            ) as misses_allowed,
            min(
                case
                    when
                        100000000 * misses >= least_share * fewest_units + least_open and fewest_units - units <= 100000
                    then fewest_units - units
                end
            ) as clean_units_needed
        from bounded
        group by week_start, seller_id, metric_id, units, misses, next_units, next_misses
    ),

    -- what is left of the week's units when those that leave their last window are gone
    outlook as (
        select
            outlook.week_start,
            outlook.seller_id,
            outlook.metric_id,
            outlook.weeks_left,
            coalesce(sum(outlook.units) over later, 0) as units,
            coalesce(
                sum(
                    case
                        when metrics.counts_in_numerator then outlook.numerator else outlook.units - outlook.numerator
                    end
                ) over later,
                0
            ) as misses
        from {{ ref("int_seller_grade_outlook_week") }} as outlook
        inner join metrics on outlook.metric_id = metrics.metric_id
        window
            later as (
                partition by outlook.week_start, outlook.seller_id, outlook.metric_id
                order by outlook.weeks_left desc
                rows between unbounded preceding and 1 preceding
            )
    ),

    grade_recoveries as (
        select outlook.week_start, outlook.seller_id, outlook.metric_id, min(outlook.weeks_left) + 1 as weeks_on
        from outlook
        left join targets on outlook.week_start = targets.week_start and outlook.metric_id = targets.metric_id
        where outlook.units = 0 or {{ meets_target("outlook.misses", "outlook.units", "targets") }}
        group by outlook.week_start, outlook.seller_id, outlook.metric_id
    ),

    -- free of the limit when every week to come is met, and in any case when it is released
    limit_recoveries as (
        select
            limits.week_start,
            limits.seller_id,
            least(
                {{
                    date_add_days(
                        "limits.week_start", "7 * (policies.recovery_weeks - limits.met_weeks_in_a_row + 1)"
                    )
                }},
                {{ date_add_days("max(failures.week_start)", "7 * (policies.release_after_weeks + 1)") }}
            ) as recovers_on
        from limits
        inner join {{ ref("int_ovl_weeks") }} as policies on limits.week_start = policies.week_start
        inner join
            {{ ref("int_ovl_verdicts_week") }} as failures
            on limits.seller_id = failures.seller_id
            and limits.week_start >= failures.week_start
            and not failures.is_met
        where limits.is_limited
        group by
            limits.week_start,
            limits.seller_id,
            limits.met_weeks_in_a_row,
            policies.recovery_weeks,
            policies.release_after_weeks
    )

select
    judged.week_start,
    judged.seller_id,
    judged.metric_id,
    judged.misses,
    judged.units,
    judged.is_on_target,
    judged.misses_allowed,
    judged.clean_units_needed,
    coalesce(
        limit_recoveries.recovers_on, {{ date_add_days("weeks.calculated_on", "7 * grade_recoveries.weeks_on") }}
    ) as recovers_on,
    judged.next_units,
    judged.next_misses
from judged
inner join weeks on judged.week_start = weeks.week_start
left join
    limit_recoveries
    on judged.week_start = limit_recoveries.week_start
    and judged.seller_id = limit_recoveries.seller_id
    and judged.metric_id in (select metric_id from limit_metrics)
left join
    grade_recoveries
    on judged.week_start = grade_recoveries.week_start
    and judged.seller_id = grade_recoveries.seller_id
    and judged.metric_id = grade_recoveries.metric_id
    and not judged.is_on_target
