{#
    Working time between two instants is the difference of two readings of `int_working_clock`, which runs on working
    days only: exact to the microsecond over any span, whatever the length of the days in between.
    First join the clock at each instant, then read it there.
#}
{% macro join_working_clock(alias, weekend_days, instant) %}
    left join
        {{ ref("int_working_clock") }} as {{ alias }}
        on {{ alias }}.weekend_days = {{ weekend_days }}
        -- the UTC day makes it an equi-join, and spares a conversion to local time for every instant
        and {{ alias }}.utc_day = cast({{ instant }} as date)
        and {{ alias }}.starts_at <= {{ instant }}
        and {{ instant }} < {{ alias }}.ends_at
{% endmacro %}

{# The reading, in microseconds, of a clock joined by `join_working_clock` at the same instant. #}
{% macro worked_us(alias, instant) %}
    (
        {{ alias }}.worked_us_before
        + case when {{ alias }}.is_working then {{ lag_us(alias ~ ".starts_at", instant) }} else 0 end
    )
{% endmacro %}

{# The first instant, in UTC, of a local day: where the clock is set back to midnight, the earlier of the two. #}
{% macro local_day_starts_at(day, time_zone) %}
    {% set midnight = local_to_utc(day, time_zone) %}
    case
        when cast({{ utc_to_local(add_hours(midnight, -1), time_zone) }} as date) = {{ day }}
        then {{ add_hours(midnight, -1) }}
        else {{ midnight }}
    end
{% endmacro %}

{# One hour of a working clock, in microseconds; a BIGINT on every engine. #}
{% macro hour_us() %} cast(3600000000 as bigint){% endmacro %}

{#
    The other way round: the instant at which a working clock shows a reading, in microseconds. Where it stands still at
    that reading, over a weekend, the last such instant: until then no working time passes.
    First join the part of the clock, then take the instant.
#}
{% macro join_worked_days(alias, weekend_days, reading_us) %}
    left join
        {{ ref("int_worked_days") }} as {{ alias }}
        on {{ alias }}.weekend_days = {{ weekend_days }}
        and {{ alias }}.stretch = {{ int_div(reading_us, "24 * " ~ hour_us()) }}
        and {{ alias }}.worked_us_before <= {{ reading_us }}
        and {{ reading_us }} < {{ alias }}.worked_us_after
{% endmacro %}

{# The instant of a reading, in a part of the clock joined by `join_worked_days` at the same reading. #}
{% macro instant_of_reading(alias, reading_us) %}
    {{ add_us(alias ~ ".starts_at", reading_us ~ " - " ~ alias ~ ".worked_us_before") }}
{% endmacro %}

{# The instant, in UTC, at which the wall clock of a time zone shows a time of day, `hh:mm`, on a local day. #}
{% macro local_time_at(day, time_of_day, time_zone) %}
    {% set minutes %}
        (60 * cast(substr({{ time_of_day }}, 1, 2) as int) + cast(substr({{ time_of_day }}, 4, 2) as int))
    {% endset %}
    {{ local_to_utc("(cast(" ~ day ~ " as timestamp) + " ~ minutes ~ " * interval '1' minute)", time_zone) }}
{% endmacro %}
