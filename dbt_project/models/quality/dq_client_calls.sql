{#
    One row per week and OMS client that made a call in it or in the four weeks before: the days of the week, counted from
    its first instant, with a call.
#}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    days as (
        select distinct week_start, oms_client, {{ int_div("hour_of_week", "24") }} as day_of_week
        from {{ ref("int_oms_calls_hour") }}
    )

select
    weeks.week_start,
    days.oms_client as scope,
    cast(count(case when days.week_start = weeks.week_start then 1 end) as double) as observed,
    cast(null as string) as note
from weeks
inner join
    days
    on days.week_start
    between {{ date_add_days("weeks.week_start", -rule_entry("client_calls").looks_back) }} and weeks.week_start
group by weeks.week_start, days.oms_client
