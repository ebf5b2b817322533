{# The segments of Mall sellers: the closed set of raw input `mall_segment`. #}
{% macro mall_segments() %} {{ return(["anchor", "focus", "non_focus"]) }}{% endmacro %}

{#
    The metrics of fct_metric_week, one entry each:
    `measured`   the relation of int_brand_measures_week that counts it, and its columns `numerator` and `denominator`
                 there; without a denominator the metric is a count
    `overall`    the member that stands for all of it
    `dimensions` those it has beside `overall`
    `sources`    the sources it reads: it has no rows where one of them never had a file
    `interval`   whether its numerator is part of its denominator, so that an interval means something
#}
{% macro brand_metrics() %}
    {% set orders = ["seller_orders", "sellers"] %}
    {% set segment = ["mall_segment"] %}
    {{
        return(
            [
                {
                    "metric_id": "o2d_ratio",
                    "measured": "mall_orders",
                    "numerator": "shipped",
                    "denominator": "placed",
                    "dimensions": segment,
                    "sources": orders,
                },
                {
                    "metric_id": "acceptance_failure_rate",
                    "measured": "client_orders",
                    "numerator": "not_accepted",
                    "denominator": "placed",
                    "overall": "all",
                    "dimensions": ["oms_client"],
                    "sources": orders + ["oms_logs"],
                },
                {
                    "metric_id": "sla_breach_cancellation_rate",
                    "measured": "mall_orders",
                    "numerator": "sla_breach_cancellations",
                    "denominator": "placed",
                    "dimensions": segment,
                    "sources": orders,
                },
                {
                    "metric_id": "manifestation_failure_rate",
                    "measured": "manifested_orders",
                    "numerator": "not_manifested",
                    "denominator": "sent_for_label",
                    "dimensions": ["oms_client", "mall_segment"],
                    "sources": orders + ["oms_logs"],
                },
                {
                    "metric_id": "bad_user_order_contribution",
                    "measured": "mall_orders",
                    "numerator": "bad_user_orders",
                    "denominator": "placed",
                    "dimensions": segment,
                    "sources": orders + ["flagged_users"],
                },
                {
                    "metric_id": "claims_raised",
                    "measured": "claims_and_deliveries",
                    "numerator": "claims",
                    "dimensions": segment,
                    "sources": orders + ["claims"],
                },
                {
                    "metric_id": "claims_rate",
                    "measured": "claims_and_deliveries",
                    "numerator": "claims",
                    "denominator": "deliveries",
                    "interval": false,
                    "dimensions": segment,
                    "sources": orders + ["claims"],
                },
                {
                    "metric_id": "brand_logo_coverage",
                    "measured": "listings",
                    "numerator": "accurate_logos",
                    "denominator": "listed",
                    "dimensions": segment,
                    "sources": ["products", "sellers"],
                },
                {
                    "metric_id": "tickets_raised",
                    "measured": "tickets",
                    "numerator": "raised",
                    "dimensions": ["mall_segment", "ticket_channel", "ticket_topic"],
                    "sources": ["tickets", "sellers"],
                },
                {
                    "metric_id": "tickets_resolved",
                    "measured": "tickets",
                    "numerator": "resolved",
                    "dimensions": ["mall_segment", "ticket_channel", "ticket_topic"],
                    "sources": ["tickets", "sellers"],
                },
                {
                    "metric_id": "settlement_sync_rate",
                    "measured": "documents",
                    "numerator": "synced",
                    "denominator": "generated",
                    "dimensions": ["oms_client", "document_type", "mall_segment"],
                    "sources": ["settlements", "sellers"],
                },
                {
                    "metric_id": "brands_onboarded",
                    "measured": "brands",
                    "numerator": "onboarded",
                    "dimensions": segment,
                    "sources": ["sellers"],
                },
                {
                    "metric_id": "brands_enabled",
                    "measured": "brands",
                    "numerator": "enabled",
                    "dimensions": segment,
                    "sources": ["sellers"],
                },
                {
                    "metric_id": "active_listings",
                    "measured": "listings",
                    "numerator": "listed",
                    "dimensions": segment,
                    "sources": ["products", "sellers"],
                },
                {
                    "metric_id": "order_volume",
                    "measured": "mall_orders",
                    "numerator": "enabled_orders",
                    "dimensions": ["mall_segment", "oms_client"],
                    "sources": orders,
                },
                {
                    "metric_id": "request_ids_processed",
                    "measured": "requests",
                    "numerator": "request_ids",
                    "overall": "all",
                    "dimensions": ["user_type", "oms_client"],
                    "sources": ["oms_logs"],
                },
                {
                    "metric_id": "null_request_id_rate",
                    "measured": "log_records",
                    "numerator": "null_records",
                    "denominator": "records",
                    "overall": "all",
                    "dimensions": ["oms_client", "event_name"],
                    "sources": ["oms_logs"],
                },
                {
                    "metric_id": "max_sub_orders_per_request",
                    "measured": "requests",
                    "numerator": "max_sub_orders",
                    "overall": "all",
                    "dimensions": [],
                    "sources": ["oms_logs"],
                },
            ]
        )
    }}
{% endmacro %}

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
