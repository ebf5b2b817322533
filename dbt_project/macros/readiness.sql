{# The weeks in which a peak that was borne counts for a week of the run: the week itself and those before. #}
{% macro peak_weeks() %}
    {% for weeks_before in range(metric_entry("oms_headroom").looks_back // 7 + 1) %}
        select week_start, {{ date_add_days("week_start", -7 * weeks_before) }} as peak_week_start
        from {{ ref("int_weeks") }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
{% endmacro %}

{# The hour of a week in which an instant lies, counted from S, from 0 on. #}
{% macro hour_of_week(starts_at, instant) %} {{ int_div(lag_us(starts_at, instant), hour_us()) }}{% endmacro %}

{#
    Whether the nearest-rank p95 of a group is within a bound, by how many of its values are: it is the ceil(95 x n / 100)-th
    smallest, so at least so many of them have to be. False of an empty group, which has no p95.
#}
{% macro is_p95_within(values_within, values) %}
    ({{ values }} > 0 and 100 * {{ values_within }} >= 95 * {{ values }})
{% endmacro %}
