{#
    Nearest-rank percentiles of a group, as a list in the order of `percents`: the ceil(p x n / 100)-th smallest value,
    one that was observed. The list sorts each group once; one aggregate per percentile would keep a copy for each.
    The fractions are written as decimals because the engine then finds the rank in whole numbers; as doubles,
    0.07 x 100 is greater than 7.
#}
{% macro nearest_ranks(value, percents) %}
    {{ return(adapter.dispatch("nearest_ranks")(value, percents)) }}
{% endmacro %}

{% macro default__nearest_ranks(value, percents) %}
    quantile_disc(
        {{ value }},
        [{% for percent in percents %}{{ "%.2f" | format(percent / 100) }}{{ ", " if not loop.last }}{% endfor %}]
    )
{% endmacro %}

{#
    Spark multiplies fraction and count as doubles, and 0.07 x 100 is greater than 7 there. A fraction that is smaller by
    1e-13 lands on the right rank for any group of up to ten thousand million values. It keeps one counter for each
    distinct value of a group.
#}
{% macro spark__nearest_ranks(value, percents) %}
    percentile_disc(
        array(
            {% for percent in percents %}
                {{ "%.2f" | format(percent / 100) }}e0 - 1e-13{{ ", " if not loop.last }}
            {% endfor %}
        )
    ) within group (order by {{ value }})
{% endmacro %}

{# The n-th entry of a list, counted from 1. #}
{% macro nth(list, n) %} {{ return(adapter.dispatch("nth")(list, n)) }}{% endmacro %}

{% macro default__nth(list, n) %} {{ list }} [{{ n }}]{% endmacro %}

{% macro spark__nth(list, n) %} element_at({{ list }}, {{ n }}){% endmacro %}

{# One nearest-rank percentile of a group. #}
{% macro nearest_rank(value, percent) %} {{ nth(nearest_ranks(value, [percent]), 1) }}{% endmacro %}
