{# The metrics of a family, in the order of the registry (`vars` of dbt_project.yml; registry.py says what an entry holds). #}
{% macro metrics_of(family) %}
    {{ return(var("metrics") | selectattr("family", "equalto", family) | list) }}
{% endmacro %}

{# The entry of one metric, or of one rule of the gate. #}
{% macro metric_entry(metric_id) %}
    {{ return(var("metrics") | selectattr("id", "equalto", metric_id) | first) }}
{% endmacro %}

{% macro rule_entry(rule_id) %} {{ return(var("rules") | selectattr("id", "equalto", rule_id) | first) }} {% endmacro %}

{# The ids of entries, as text literals. #}
{% macro ids_of(entries) -%}
    {%- for entry in entries -%} '{{ entry.id }}'{{ ", " if not loop.last }} {%- endfor -%}
{%- endmacro %}

{#
    The figures of metrics that have their own columns in a published table, as rows; `columns` of the table come first.
    One row per row of `relation` and metric: the columns, metric_id, numerator, denominator, value.
#}
{% macro figures_of_columns(metrics, relation, columns) %}
    {% for metric in metrics %}
        select
            {% for column in columns %} {{ column }}, {% endfor %}
            '{{ metric.id }}' as metric_id,
            {{ metric.numerator }} as numerator,
            {{ metric.denominator }} as denominator,
            {{ metric.value }} as value
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
{% endmacro %}

{#
    By metric, where its formula stands: `path:line` of each `model.column` of its entry, comma-separated. The line is the
    last one of the model that ends in `as column`. Found when the model that asks is compiled, in the project as parsed.
#}
{% macro formula_places() %}
    {% set places = {} %}
    {% for metric in var("metrics") if execute %}
        {% set found = [] %}
        {% for formula in metric.formula %}
            {% set model, column = formula.split(".") %}
            {% set node = graph.nodes.get("model." ~ project_name ~ "." ~ model, {}) %}
            {% set lines = [] %}
            {% for line in node.get("raw_code", "").split("\n") %}
                {% if modules.re.search("\\bas " ~ column ~ "\\b", line) %}
                    {% do lines.append(loop.index) %}
                {% endif %}
            {% endfor %}
            {% if not lines %}
                {{
                    exceptions.raise_compiler_error(
                        "metrics, " ~ metric.id ~ ", formula: no line of " ~ model ~ " has `as " ~ column ~ "`"
                    )
                }}
            {% endif %}
            {% do found.append(node.original_file_path ~ ":" ~ lines[-1]) %}
        {% endfor %}
        {% do places.update({metric.id: found | join(", ")}) %}
    {% endfor %}
    {{ return(places) }}
{% endmacro %}
