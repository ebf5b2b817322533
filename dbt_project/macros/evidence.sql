{#
    The metrics of a family that have evidence, with the side that counts against them: is_in_numerator is true where low is
    good, false where high is good. A metric of no direction has no evidence.
#}
{% macro judged_metrics(family) %}
    select metric_id, direction = 'low' as counts_in_numerator
    from {{ ref("stg_config__metric_catalog") }}
    where
        direction in ('low', 'high') and metric_id in ({{ ids_of(metrics_of(family) | selectattr("evidence") | list) }})
{% endmacro %}

{# An aggregate: the distinct texts of a group in their order, comma-separated. #}
{% macro distinct_list(text) %} {{ return(adapter.dispatch("distinct_list")(text)) }}{% endmacro %}

{% macro default__distinct_list(text) %} string_agg(distinct {{ text }}, ',' order by {{ text }}){% endmacro %}

{% macro spark__distinct_list(text) %} array_join(sort_array(collect_set({{ text }})), ','){% endmacro %}
