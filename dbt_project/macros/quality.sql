{# The sources of the registry that have the property (all without one), as text literals. #}
{% macro source_names(property=none) -%}
    {{- ids_of(var("sources") | selectattr(property) | list if property else var("sources")) -}}
{%- endmacro %}

{# One row per week of the run and present source, of the sources that have the property (of all without one). #}
{% macro sources_of_weeks(property=none) %}
    select weeks.week_start, sources.source
    from {{ ref("int_weeks") }} as weeks
    cross join {{ ref("stg_run__sources") }} as sources
    where sources.is_present and sources.source in ({{ source_names(property) }})
{% endmacro %}

{#
    The published tables that exist when the gate judges, and the model whose rows stand for each: a table that is
    built after the gate is judged by the rows it will be made of. The key of each is in its YAML.
#}
{% macro tables_before_gate() %}
    {{
        return(
            {
                "dim_metric": "dim_metric",
                "dim_seller": "dim_seller",
                "fct_metric_week": "int_metric_week",
                "fct_o2d_maturity_week": "fct_o2d_maturity_week",
                "fct_failure_contribution_week": "fct_failure_contribution_week",
                "fct_request_latency_week": "fct_request_latency_week",
                "fct_request_latency_day": "fct_request_latency_day",
                "fct_manifest_call_day": "fct_manifest_call_day",
                "fct_retry_reason_week": "fct_retry_reason_week",
                "fct_null_request_id_week": "fct_null_request_id_week",
                "fct_seller_rating_week": "fct_seller_rating_week",
                "fct_metric_evidence_week": "fct_metric_evidence_week",
                "fct_seller_operational_week": "fct_seller_operational_week",
                "fct_seller_ovl_week": "fct_seller_ovl_week",
                "fct_seller_grade_metric_week": "fct_seller_grade_metric_week",
                "fct_seller_grade_week": "int_seller_grade_week",
                "fct_inventory_sync_week": "fct_inventory_sync_week",
                "fct_promise_week": "fct_promise_week",
                "fct_oms_readiness_week": "fct_oms_readiness_week",
                "fct_hop_load_hour": "fct_hop_load_hour",
                "fct_target_week": "fct_target_week",
                "fct_unmeasured_metric_week": "fct_unmeasured_metric_week",
                "fct_incident_impact_week": "fct_incident_impact_week",
                "fct_seller_recovery_week": "fct_seller_recovery_week",
            }
        )
    }}
{% endmacro %}

{#
    The tables whose figures have bounds in the catalogue, and what holds metric and figure: columns, or a metric's name in
    quotes where the metric has a column of its own.
#}
{% macro figures_before_gate() %}
    {% set judged = [{"relation": "fct_incident_impact_week", "metric": "metric_id", "figure": "adjusted_value"}] %}
    {% for family in var("metric_families") if family.metric_column %}
        {% do judged.append(
            {
                "relation": tables_before_gate()[family.table],
                "metric": family.metric_column,
                "figure": "value",
            }
        ) %}
    {% endfor %}
    {% for family in var("metric_families") if not family.metric_column %}
        {% for metric in metrics_of(family.id) %}
            {% do judged.append(
                {
                    "relation": tables_before_gate()[metric.table or family.table],
                    "metric": "'" ~ metric.id ~ "'",
                    "figure": metric.value,
                }
            ) %}
        {% endfor %}
    {% endfor %}
    {{ return(judged) }}
{% endmacro %}

{# A share in percent as the gate judges it, null where there is nothing to judge. #}
{% macro share(part, whole) %}
    case when ({{ whole }}) > 0 then 100 * cast({{ part }} as double) / cast({{ whole }} as double) end
{% endmacro %}

{#
    The key of every published table, from `config.meta.key` of the models' YAML. A table that is built before the gate
    and that no one judges is an error: it would be published unchecked.
#}
{% macro published_keys() %}
    {% set keys = {} %}
    {% if execute %}
        {% for node in graph.nodes.values() if node.resource_type == "model" and "key" in node.config.meta %}
            {% do keys.update({node.name: node.config.meta.key}) %}
            {% if node.name not in tables_before_gate() and "after_gate" not in node.tags %}
                {{
                    exceptions.raise_compiler_error(
                        "the key of "
                        ~ node.name
                        ~ " is judged by no one: add the table to the macro tables_before_gate"
                    )
                }}
            {% endif %}
        {% endfor %}
        {% for table in tables_before_gate() if table not in keys %}
            {{ exceptions.raise_compiler_error(table ~ " has no config.meta.key in its YAML") }}
        {% endfor %}
    {% endif %}
    {{ return(keys) }}
{% endmacro %}
