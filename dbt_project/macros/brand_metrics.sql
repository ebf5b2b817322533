{# The segments of Mall sellers: the closed set of raw input `mall_segment`. #}
{% macro mall_segments() %} {{ return(["anchor", "focus", "non_focus"]) }}{% endmacro %}

{#
    The name of a member of a dimension: `unknown` where there is none. Name before grouping, or a value `unknown` and
    null make two rows of one key. Whether there is a member at all is asked of the column itself.
#}
{% macro member_name(column) %} coalesce({{ column }}, 'unknown') {% endmacro %}

{#
    A population is counted once for all of its dimensions: the columns `dimension` and `member` of a query that ends in
    `by_dimensions`. The row of the whole population is `overall`.
#}
{% macro dimension_and_member(dimensions, overall_member) %}
    case
        {% for dimension in dimensions %}
            when grouping({{ member_name(dimension) }}) = 0 then '{{ dimension }}'
        {% endfor %}
        else 'overall'
    end as dimension,
    case
        {% for dimension in dimensions %}
            when grouping({{ member_name(dimension) }}) = 0 then {{ member_name(dimension) }}
        {% endfor %}
        else '{{ overall_member }}'
    end as member
{% endmacro %}

{% macro by_dimensions(dimensions) %}
    grouping sets (
        (week_start) {% for dimension in dimensions %}, (week_start, {{ member_name(dimension) }}) {% endfor %}
    )
{% endmacro %}
