{#
    The KPIs of the seller rating: the timestamp that puts an item into the period, and how many days before A the
    period ends. It is 28 days long unless the configuration says otherwise.
#}
{% macro seller_rating_kpis() %}
    {{
        return(
            {
                "cancellation_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "pending_to_shipped_48h_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "pending_to_shipped_n_hours_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "pending_to_ready_to_ship_n_hours_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "return_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "shipping_on_time_rate": {"dated_by": "pending_since", "ends_days_before": 0},
                "global_cancellation_rate": {"dated_by": "ordered_at", "ends_days_before": 7},
                "global_return_rate": {"dated_by": "delivered_at", "ends_days_before": 14},
                "rejection_rate": {"dated_by": "shipped_at", "ends_days_before": 7},
            }
        )
    }}
{% endmacro %}
