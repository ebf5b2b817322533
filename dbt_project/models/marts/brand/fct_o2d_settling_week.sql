{{ config(materialized="table", tags=["after_gate"]) }}
{#
    One row per week of the store, cohort and segment of fct_o2d_maturity_week: what the cohort's ratio will have come to
    four weeks after its own, by what the newest settled cohorts gained from the same age on.
#}
{%- set settled_age = metric_entry("o2d_ratio").looks_back // 7 %}
{%- set columns = ["cohort_week_start", "mall_segment", "placed", "shipped", "ratio"] %}
with
    {{ ctes_as_published(ref("fct_o2d_maturity_week"), ref("stg_run__published_maturity"), columns) }},

    readings as (
        select
            week_start,
            cohort_week_start,
            mall_segment,
            {{
                int_div(
                    lag_us("cast(cohort_week_start as timestamp)", "cast(week_start as timestamp)"),
                    "7 * 24 * " ~ hour_us(),
                )
            }} as age_weeks,
            placed,
            shipped,
            ratio,
            {{ rate_e8("shipped", "placed") }} as ratio_e8
        from published
    ),

    gains as (
        select
            readings.mall_segment,
            readings.age_weeks,
            settled.week_start as settled_on,
            settled.ratio_e8 - readings.ratio_e8 as gain_e8
        from readings
        inner join
            readings as settled
            on readings.mall_segment = settled.mall_segment
            and readings.cohort_week_start = settled.cohort_week_start
            and settled.age_weeks = {{ settled_age }}
        where readings.age_weeks < {{ settled_age }} and readings.placed > 0 and settled.placed > 0
    ),

    -- the newest eight gains, from the week in which the last of them is known until the next one is
    grounds as (
        select
            mall_segment,
            age_weeks,
            settled_on,
            lead(settled_on) over (partition by mall_segment, age_weeks order by settled_on) as known_before,
            count(*) over newest as settled_weeks,
            cast(sum(gain_e8) over newest as bigint) as gains_e8,
            min(gain_e8) over newest as least_gain_e8,
            max(gain_e8) over newest as greatest_gain_e8
        from gains
        window
            newest as (
                partition by mall_segment, age_weeks order by settled_on rows between 7 preceding and current row
            )
    ),

    grounded as (
        select
            readings.*,
            coalesce(grounds.settled_weeks, 0) as settled_weeks,
            readings.placed > 0 and grounds.settled_weeks >= 3 as is_foreseen,
            grounds.gains_e8,
            grounds.least_gain_e8,
            grounds.greatest_gain_e8
        from readings
        left join
            grounds
            on readings.mall_segment = grounds.mall_segment
            and readings.age_weeks = grounds.age_weeks
            and readings.week_start >= grounds.settled_on
            and (grounds.known_before is null or readings.week_start < grounds.known_before)
    )

select
    week_start,
    cohort_week_start,
    mall_segment,
    cast(age_weeks as bigint) as age_weeks,
    placed,
    shipped,
    ratio,
    {% for name, sum_e8, parts in [
        ("settled_low", "ratio_e8 + least_gain_e8", "1"),
        ("settled_expected", "settled_weeks * ratio_e8 + gains_e8", "settled_weeks"),
        ("settled_high", "ratio_e8 + greatest_gain_e8", "1"),
    ] %}
        cast(
            case
                when age_weeks = {{ settled_age }}
                then ratio
                when is_foreseen
                then {{ cut_to_percent(exact_ratio(sum_e8, "100000000 * " ~ parts)) }}
            end as decimal(9, 2)
        ) as {{ name }},
    {% endfor %}
    settled_weeks
from grounded
