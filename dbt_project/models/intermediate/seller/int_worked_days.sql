{#
    The working clock read the other way round. One row per weekend pattern, working part of `int_working_clock`, and
    stretch of 24 worked hours that it has a share in: a reading of the clock lies in one stretch, and so finds its part
    by an equality.
#}
with

    working_parts as (
        select
            weekend_days,
            starts_at,
            worked_us_before,
            worked_us_before + {{ lag_us("starts_at", "ends_at") }} as worked_us_after,
            {{ int_div("worked_us_before", "24 * " ~ hour_us()) }} as first_stretch,
            {{ int_div("worked_us_before + " ~ lag_us("starts_at", "ends_at") ~ " - 1", "24 * " ~ hour_us()) }}
            as last_stretch
        from {{ ref("int_working_clock") }}
        where is_working
    )

select weekend_days, first_stretch as stretch, starts_at, worked_us_before, worked_us_after
from working_parts
union all
-- a part is cut at midnight UTC and so never longer than a stretch: it lies in two at most
select weekend_days, last_stretch as stretch, starts_at, worked_us_before, worked_us_after
from working_parts
where last_stretch > first_stretch
