{#
    The rows of a dated configuration file that hold on the date of A of each week, as steps: each reaches from `start`
    up to the `start` of the next one, the last has no end. Columns: week_start, `columns`, starts_at, ends_before.
#}
{% macro steps_valid_at(file, start, columns, of=[]) %}
    select
        weeks.week_start,
        {% for column in columns %} steps.{{ column }}, {% endfor %}
        steps.{{ start }} as starts_at,
        lead(steps.{{ start }}) over (
            partition by weeks.week_start {% for column in of %}, steps.{{ column }} {% endfor %}
            order by steps.{{ start }}
        ) as ends_before
    from {{ ref("int_weeks") }} as weeks
    inner join {{ ref("stg_config__" ~ file) }} as steps on {{ is_valid_on("steps", "weeks.calculated_on") }}
{% endmacro %}

{# Whether a figure lies on a step of `steps_valid_at`. #}
{% macro is_on_step(figure, steps) %}
    (
        {{ figure }} >= {{ steps }}.starts_at
        and ({{ steps }}.ends_before is null or {{ figure }} < {{ steps }}.ends_before)
    )
{% endmacro %}

{# Millionths of a configured number, which has up to six decimals: whole numbers, to compute with exactly. #}
{% macro millionths(number) %} cast(cast({{ number }} as decimal(38, 6)) * 1000000 as bigint){% endmacro %}

{# score x weight in whole numbers, to be divided by `weighted_by` of the weights that count. #}
{% macro weighted_score(score, weight) %}
    (cast({{ millionths(score) }} as {{ wide_integer_type() }}) * {{ millionths(weight) }})
{% endmacro %}

{% macro weighted_by(weight) %}(cast({{ millionths(weight) }} as {{ wide_integer_type() }}) * 1000000) {% endmacro %}

{#
    Whether so many misses among so many units meet a target, a range of shares of fct_seller_recovery_week. Of no unit it
    says nothing that means anything.
#}
{% macro meets_target(misses, units, target) %}
    (
        100000000 * {{ misses }} <= {{ target }}.most_share * {{ units }} - {{ target }}.most_open
        and 100000000 * {{ misses }} >= {{ target }}.least_share * {{ units }} + {{ target }}.least_open
    )
{% endmacro %}
