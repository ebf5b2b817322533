{# The digits from 0 to 9, one row each. #}
{% macro digits() %}
    {% for digit in range(10) %}
        select {{ digit }} as digit
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
{% endmacro %}

{# The days of a relation of one row with `first_day` and `last_day`, both included: 100,000 at most. One row a day. #}
{% macro days_of(span) %} {{ return(adapter.dispatch("days_of")(span)) }} {% endmacro %}

{% macro default__days_of(span) %}
    select {{ date_add_days(span ~ ".first_day", "numbers.number") }} as day
    from {{ span }}
    inner join
        (
            select
                ones.digit
                + 10 * tens.digit
                + 100 * hundreds.digit
                + 1000 * thousands.digit
                + 10000 * ten_thousands.digit as number
            from ({{ digits() }}) as ones
            cross join ({{ digits() }}) as tens
            cross join ({{ digits() }}) as hundreds
            cross join ({{ digits() }}) as thousands
            cross join ({{ digits() }}) as ten_thousands
        ) as numbers
        on {{ date_add_days(span ~ ".first_day", "numbers.number") }} <= {{ span }}.last_day
{% endmacro %}

{#
    On Spark every join of constants is a job of its own, planned again wherever the days are read; a list is one step.
    A list of days would run backwards where the span is empty.
#}
{% macro spark__days_of(span) %}
    select explode(sequence(first_day, last_day)) as day from {{ span }} where first_day <= last_day
{% endmacro %}

{#
    The spans of a relation, from `starts_at` to `ends_at`, cut at midnight UTC, so that the UTC day of an instant finds
    its part in an equi-join. Spans are shorter than ten days. One row a part: the relation's columns but those two, which
    have to be named, with `utc_day`, `starts_at` and `ends_at` of the part.
#}
{% macro cut_at_utc_midnight(spans, columns) %}
    select *
    from
        (
            select
                {% for column in columns %} {{ spans }}.{{ column }}, {% endfor %}
                {{ date_add_days("cast(" ~ spans ~ ".starts_at as date)", "digits.digit") }} as utc_day,
                greatest(
                    {{ spans }}.starts_at,
                    cast({{ date_add_days("cast(" ~ spans ~ ".starts_at as date)", "digits.digit") }} as timestamp)
                ) as starts_at,
                least(
                    {{ spans }}.ends_at,
                    cast({{ date_add_days("cast(" ~ spans ~ ".starts_at as date)", "digits.digit + 1") }} as timestamp)
                ) as ends_at
            from {{ spans }}
            cross join ({{ digits() }}) as digits
        ) as parts
    where starts_at < ends_at
{% endmacro %}

{# The name of a day's weekday, as weekend days and workdays are listed: mon to sun. #}
{% macro weekday_name(day) %}
    case
        {{ days_since_monday(day) }}
        {% for name in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] %}
            when {{ loop.index0 }} then '{{ name }}'
        {% endfor %}
    end
{% endmacro %}

{# The Monday of the week that a day lies in, as a date. #}
{% macro monday_of(day) %} cast(date_trunc('week', {{ day }}) as date){% endmacro %}
