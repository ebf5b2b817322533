{#
    One row per week and source that no day may be missing from: the least ratio of a local day's records to the mean of
    the same weekday in the up to four landed weeks before. A day with a mean under 30 is left out.
#}
with

    weeks as ({{ sources_of_weeks("is_vital") }}),

    days as (
        select
            weeks.week_start,
            weeks.source,
            digits.digit as weekday,
            {{ date_add_days("weeks.week_start", "digits.digit") }} as day
        from weeks
        cross join ({{ digits() }}) as digits
        where digits.digit < 7
    ),

    records as (select week_start, source, day, records from {{ ref("int_records_day") }}),

    landed_days as (
        select records.week_start, records.source, {{ days_since_monday("records.day") }} as weekday, records.records
        from records
        inner join {{ ref("int_landed_weeks") }} as landed_weeks on records.week_start = landed_weeks.week_start
    ),

    usual as (
        select days.week_start, days.source, days.day, sum(landed_days.records) as records, count(*) as landed_weeks
        from days
        inner join
            landed_days
            on days.source = landed_days.source
            and days.weekday = landed_days.weekday
            and landed_days.week_start < days.week_start
            and landed_days.week_start >= {{ date_add_days("days.week_start", -rule_entry("day_volume").looks_back) }}
        group by days.week_start, days.source, days.day
        having sum(landed_days.records) >= 30 * count(*)
    ),

    compared as (
        select
            usual.week_start,
            usual.source,
            usual.day,
            coalesce(records.records, 0) as records,
            cast(coalesce(records.records, 0) * usual.landed_weeks as double) / cast(usual.records as double) as ratio,
            cast(round(cast(usual.records as double) / usual.landed_weeks) as bigint) as mean_records
        from usual
        left join records on usual.source = records.source and usual.day = records.day
    ),

    least as (
        select * from compared qualify row_number() over (partition by week_start, source order by ratio, day) = 1
    )

select
    weeks.week_start,
    weeks.source as scope,
    least.ratio as observed,
    case
        when least.day is null
        then 'no day with a mean of 30 records in the landed weeks among the four before'
        else
            cast(least.day as string)
            || ' has '
            || cast(least.records as string)
            || ' records, the mean of the weekday is '
            || cast(least.mean_records as string)
    end as note
from weeks
left join least on weeks.week_start = least.week_start and weeks.source = least.source
