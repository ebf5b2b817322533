{# The instant, in UTC, at which the wall clock of a time zone shows a local timestamp; of two, the later one. #}
{% macro local_to_utc(local, time_zone) %}
    {{ return(adapter.dispatch("local_to_utc")(local, time_zone)) }}
{% endmacro %}

{% macro default__local_to_utc(local, time_zone) %}
    timezone('UTC', timezone({{ time_zone }}, cast({{ local }} as timestamp)))
{% endmacro %}

{#
    Where clocks are set back, Spark takes the earlier of the two instants. The later one is found with the offset that
    holds three hours on, which is after any setting back and before the next.
#}
{% macro spark__local_to_utc(local, time_zone) %}
    {% set shown = "cast(" ~ local ~ " as timestamp)" %}
    {% set earlier = "to_utc_timestamp(" ~ shown ~ ", " ~ time_zone ~ ")" %}
    {% set on = add_hours(earlier, 3) | trim %}
    {% set later = (
        earlier
        ~ " + ("
        ~ shown
        ~ " - (from_utc_timestamp("
        ~ on
        ~ ", "
        ~ time_zone
        ~ ") - interval '3' hour))"
    ) %}
    greatest(
        {{ earlier }}, case when from_utc_timestamp({{ later }}, {{ time_zone }}) = {{ shown }} then {{ later }} end
    )
{% endmacro %}

{# What the wall clock of a time zone shows at an instant given in UTC. #}
{% macro utc_to_local(instant, time_zone) %}
    {{ return(adapter.dispatch("utc_to_local")(instant, time_zone)) }}
{% endmacro %}

{% macro default__utc_to_local(instant, time_zone) %}
    timezone({{ time_zone }}, timezone('UTC', {{ instant }}))
{% endmacro %}

{% macro spark__utc_to_local(instant, time_zone) %} from_utc_timestamp({{ instant }}, {{ time_zone }}){% endmacro %}

{# A timestamp so many days or hours away; a day is 24 hours. Stays a timestamp on every engine. #}
{% macro add_days(instant, days) %}({{ instant }} + {{ days }} * interval '24' hour){% endmacro %}

{% macro add_hours(instant, hours) %}({{ instant }} + {{ hours }} * interval '1' hour){% endmacro %}

{# A timestamp so many microseconds, a BIGINT, away. #}
{% macro add_us(instant, us) %} {{ return(adapter.dispatch("add_us")(instant, us)) }} {% endmacro %}

{% macro default__add_us(instant, us) %} ({{ instant }} + to_microseconds({{ us }})){% endmacro %}

{% macro spark__add_us(instant, us) %} timestamp_micros(unix_micros({{ instant }}) + {{ us }}){% endmacro %}

{# The calendar day so many days away, as a date. #}
{% macro date_add_days(day, days) %} {{ return(adapter.dispatch("date_add_days")(day, days)) }} {% endmacro %}

{% macro default__date_add_days(day, days) %} cast({{ day }} + {{ days }} * interval '1' day as date){% endmacro %}

{% macro spark__date_add_days(day, days) %} date_add({{ day }}, cast({{ days }} as int)){% endmacro %}

{# Whole milliseconds between two timestamps, rounded down; negative where they run backwards. #}
{% macro lag_ms(start, finish) %} cast(floor({{ lag_us(start, finish) }} / 1000) as bigint){% endmacro %}

{# Microseconds between two timestamps. #}
{% macro lag_us(start, finish) %} {{ return(adapter.dispatch("lag_us")(start, finish)) }} {% endmacro %}

{% macro default__lag_us(start, finish) %} (epoch_us({{ finish }}) - epoch_us({{ start }})){% endmacro %}

{% macro spark__lag_us(start, finish) %}(unix_micros({{ finish }}) - unix_micros({{ start }})){% endmacro %}

{#
    SQL: the spans of `relation` (starts_at, `until`), each once for every UTC day it has a part of: a local day has at
    most three, a week nine. The UTC day makes the search for what lies in a span an equi-join, for which nothing large
    has to be sorted.
#}
{% macro by_utc_day(relation, days=3, until="ends_at") %}
    select spans.*, offsets.utc_day
    from {{ relation }} as spans
    inner join
        (
            {% for later in range(days) %}
                select starts_at, {{ date_add_days("cast(starts_at as date)", later) }} as utc_day
                from {{ relation }}
                {% if not loop.last %}
                    union all
                {% endif %}
            {% endfor %}
        ) as offsets
        on spans.starts_at = offsets.starts_at
        and cast(offsets.utc_day as timestamp) <= spans.{{ until }}
{% endmacro %}

{# SQL: the weeks of the run from S to their end, for each UTC day; see by_utc_day. #}
{% macro weeks_by_utc_day() %} {{ by_utc_day(ref("int_weeks"), days=9) }} {% endmacro %}

{# SQL: the weeks of the run from S to A, which is at most seven days after their end. #}
{% macro weeks_to_a_by_utc_day() %} {{ by_utc_day(ref("int_weeks"), days=16, until="calculated_at") }} {% endmacro %}

{# A timestamp as of A: it counts only if it is not later than A. #}
{% macro as_of(timestamp, calculated_at) %}
    case when {{ timestamp }} <= {{ calculated_at }} then {{ timestamp }} end
{% endmacro %}

{#
    Whether an instant lies in [starts_at, ends_at), for a join with the few weeks of a run. Not two comparisons: DuckDB takes
    a join on a range for a handful of rows, and builds each join that follows on the large side.
#}
{% macro is_within(instant, starts_at, ends_at) %}
    case when {{ instant }} >= {{ starts_at }} then {{ instant }} < {{ ends_at }} end
{% endmacro %}

{# Days since Monday: 0 for a Monday, 6 for a Sunday. #}
{% macro days_since_monday(day) %} {{ return(adapter.dispatch("days_since_monday")(day)) }} {% endmacro %}

{% macro default__days_since_monday(day) %} (isodow({{ day }}) - 1){% endmacro %}

{% macro spark__days_since_monday(day) %} weekday({{ day }}){% endmacro %}

{#
    An aggregate: the text that goes with the earliest instant, and the first by name of several that go with it; null
    where no instant is known. Of one text alone, so that it doesn't follow the order of the rows.
#}
{% macro first_by(text, instant) %}
    {% set age = lag_us("timestamp '0001-01-01 00:00:00'", instant) %}
    substr(min(lpad(cast({{ age }} as string), 20, '0') || {{ text }}), 21)
{% endmacro %}
