{#
    One row per week, cohort and segment: of the sub-orders placed in the week itself and in each of the four before,
    how many were shipped when the week was calculated.
#}
{% set lasting_members = ["mall"] + mall_segments() %}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    cohort_weeks as (
        {% for weeks_before in range(metric_entry("o2d_ratio").looks_back // 7 + 1) %}
            select week_start, {{ date_add_days("week_start", -7 * weeks_before) }} as cohort_week_start
            from weeks
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    cohorts as (
        select
            week_start,
            cohort_week_start,
            {{ local_to_utc("cohort_week_start", setting("reporting_timezone")) }} as starts_at,
            {{ local_to_utc(date_add_days("cohort_week_start", 7), setting("reporting_timezone")) }} as ends_at
        from cohort_weeks
        where
            {{ source_is_present("seller_orders") }}
            and {{ source_is_present("sellers") }}
            and {{ is_measured("'o2d_ratio'") }}
    ),

    members as (
        {% for member in lasting_members %}
            select '{{ member }}' as member
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    sub_orders as (
        select week_start, ordered_at, shipped_at, mall_segment
        from {{ ref("int_sub_orders_as_of_week") }}
        where is_mall
    ),

    placed_sub_orders as (
        select cohorts.week_start, cohorts.cohort_week_start, sub_orders.mall_segment, sub_orders.shipped_at
        from sub_orders
        inner join
            cohorts
            on sub_orders.week_start = cohorts.week_start
            and sub_orders.ordered_at >= cohorts.starts_at
            and sub_orders.ordered_at < cohorts.ends_at
    ),

    counted as (
        select
            week_start,
            cohort_week_start,
            coalesce(mall_segment, 'mall') as member,
            count(*) as placed,
            count(shipped_at) as shipped
        from placed_sub_orders
        group by grouping sets ((week_start, cohort_week_start), (week_start, cohort_week_start, mall_segment))
    ),

    settled as (
        select
            cohorts.week_start,
            cohorts.cohort_week_start,
            members.member as mall_segment,
            coalesce(counted.placed, 0) as placed,
            coalesce(counted.shipped, 0) as shipped
        from cohorts
        cross join members
        left join
            counted
            on cohorts.week_start = counted.week_start
            and cohorts.cohort_week_start = counted.cohort_week_start
            and members.member = counted.member
    )

select
    week_start,
    cohort_week_start,
    mall_segment,
    placed,
    shipped,
    {{ percent("shipped", "placed", "decimal(9,2)") }} as ratio
from settled
