{#
    The metrics with evidence, by the family of item-level models it comes from, and where their figures stand: the
    relation, the column that names the metric, and whether the figures are those of a seller or of all sellers.
    What counts against a figure follows its direction in the catalogue.
#}
{% macro evidence_families() %}
    {{
        return(
            {
                "brand": {
                    "metrics": [
                        "o2d_ratio",
                        "acceptance_failure_rate",
                        "sla_breach_cancellation_rate",
                        "manifestation_failure_rate",
                        "bad_user_order_contribution",
                    ],
                    "evidence": "int_brand_evidence_week",
                },
                "seller_rating": {
                    "metrics": seller_rating_kpis().keys() | list,
                    "evidence": "int_seller_rating_evidence_week",
                },
                "order_volume_limit": {
                    "metrics": ["ovl_cancellation_rate", "ovl_on_time_rate"],
                    "evidence": "int_ovl_evidence_week",
                },
                "seller_grade": {
                    "metrics": seller_grade_metrics().keys() | list,
                    "evidence": "int_seller_grade_evidence_week",
                },
            }
        )
    }}
{% endmacro %}

{#
    The metrics of a family, with the side that counts against them: is_in_numerator is true where low is good, false
    where high is good. A metric of no direction has no evidence.
#}
{% macro judged_metrics(family) %}
    select metric_id, direction = 'low' as counts_in_numerator
    from {{ ref("stg_config__metric_catalog") }}
    where
        direction in ('low', 'high')
        and metric_id in (
            {% for metric_id in evidence_families()[family].metrics %}
                '{{ metric_id }}' {% if not loop.last %}, {% endif %}
            {% endfor %}
        )
{% endmacro %}

{# An aggregate: the distinct texts of a group in their order, comma-separated. #}
{% macro distinct_list(text) %} {{ return(adapter.dispatch("distinct_list")(text)) }}{% endmacro %}

{% macro default__distinct_list(text) %} string_agg(distinct {{ text }}, ',' order by {{ text }}){% endmacro %}

{% macro spark__distinct_list(text) %} array_join(sort_array(collect_set({{ text }})), ','){% endmacro %}
