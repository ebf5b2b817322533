{#
    The sources as the gate's rules count them, one entry each:
    `event_time` the column that puts a record into a week; without one, the ingestion of its file does
    `relation`   the staging model that holds its records
    `version_of` what the rows of that model are versions of, where it holds more than the newest one
    `has_seller` whether a record names a seller
    `has_request_id` whether a record may name a request
    `is_vital`   whether a week without a day of it is not to be trusted
    `backwards`  whether the staging model marks records whose timestamps run backwards
#}
{% macro gate_sources() %}
    {{
        return(
            [
                {
                    "name": "oms_logs",
                    "event_time": "logged_at",
                    "relation": "stg_oms__logs",
                    "has_request_id": true,
                    "has_seller": true,
                    "is_vital": true,
                    "backwards": true,
                },
                {
                    "name": "seller_orders",
                    "event_time": "ordered_at",
                    "relation": "stg_marketplace__sub_orders",
                    "has_seller": true,
                    "is_vital": true,
                    "backwards": true,
                },
                {
                    "name": "packages",
                    "event_time": "shipped_at",
                    "relation": "stg_marketplace__packages",
                    "has_seller": true,
                },
                {
                    "name": "claims",
                    "event_time": "raised_at",
                    "relation": "stg_marketplace__claims",
                    "version_of": "claim_id",
                },
                {
                    "name": "tickets",
                    "event_time": "raised_at",
                    "relation": "stg_marketplace__tickets",
                    "has_seller": true,
                },
                {
                    "name": "settlements",
                    "event_time": "generated_at",
                    "relation": "stg_marketplace__settlements",
                    "version_of": "document_id",
                    "has_seller": true,
                },
                {
                    "name": "inventory_snapshots",
                    "event_time": "snapshot_at",
                    "relation": "stg_inventory__snapshots",
                    "has_seller": true,
                },
                {"name": "sellers"},
                {"name": "products"},
                {"name": "flagged_users"},
            ]
        )
    }}
{% endmacro %}

{# The names of the sources that have the property (of all without one), as text literals. #}
{% macro source_names(property=none) -%}
    {%- set entries = gate_sources() if property is none else gate_sources() | selectattr(property) | list -%}
    {%- for entry in entries -%} '{{ entry.name }}'{{ ", " if not loop.last }} {%- endfor -%}
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
    quotes where the column of the figure holds one metric.
#}
{% macro figures_before_gate() %}
    {{
        return(
            [
                {"relation": "int_metric_week", "metric": "metric_id", "figure": "value"},
                {"relation": "fct_seller_rating_week", "metric": "kpi_id", "figure": "value"},
                {
                    "relation": "fct_seller_operational_week",
                    "metric": "'ovl_cancellation_rate'",
                    "figure": "cancellation_rate",
                },
                {
                    "relation": "fct_seller_operational_week",
                    "metric": "'ovl_on_time_rate'",
                    "figure": "on_time_rate",
                },
                {"relation": "fct_seller_grade_metric_week", "metric": "metric_id", "figure": "value"},
                {"relation": "fct_incident_impact_week", "metric": "metric_id", "figure": "adjusted_value"},
                {
                    "relation": "fct_inventory_sync_week",
                    "metric": "'inventory_accuracy_rate'",
                    "figure": "accuracy_rate",
                },
                {
                    "relation": "fct_promise_week",
                    "metric": "'ship_kept_rate'",
                    "figure": "ship_kept_rate",
                },
                {
                    "relation": "fct_promise_week",
                    "metric": "'delivery_kept_rate'",
                    "figure": "delivery_kept_rate",
                },
                {
                    "relation": "fct_oms_readiness_week",
                    "metric": "'oms_success_rate'",
                    "figure": "success_rate",
                },
                {
                    "relation": "fct_oms_readiness_week",
                    "metric": "'oms_error_budget_left'",
                    "figure": "error_budget_left_pct",
                },
                {
                    "relation": "fct_oms_readiness_week",
                    "metric": "'oms_headroom'",
                    "figure": "headroom",
                },
            ]
        )
    }}
{% endmacro %}

{# A share in percent as the gate judges it, null where there is nothing to judge. #}
{% macro share(part, whole) %}
    case when ({{ whole }}) > 0 then 100 * cast({{ part }} as double) / cast({{ whole }} as double) end
{% endmacro %}

{# The rules of the gate: the model `dq_<rule>` observes each. #}
{% macro gate_rules() %}
    {{
        return(
            [
                "null_request_id_rate",
                "null_request_id_rate_client",
                "null_request_id_shift",
                "score_bands",
                "weights",
                "records_reconciled",
                "files_readable",
                "quarantine_rate",
                "sub_orders_per_request",
                "rates_in_bounds",
                "contributions_sum",
                "days_present",
                "keys_unique",
                "volume_shift",
                "unknown_sellers",
                "timestamps_backwards",
                "snapshot_days",
                "client_calls",
                "day_volume",
                "columns_present",
                "restatement_size",
            ]
        )
    }}
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
