"""The names that configuration files may use, because models and rules of those names exist."""

GRADE_METRICS = (
    "seller_cancel_rate",
    "customer_cancel_rate",
    "shipment_in_target_duration",
    "seller_related_delivery_problems",
)
# The other three KPIs have fixed windows.
PERIOD_KPIS = (
    "cancellation_rate",
    "pending_to_shipped_48h_rate",
    "pending_to_shipped_n_hours_rate",
    "pending_to_ready_to_ship_n_hours_rate",
    "return_rate",
    "shipping_on_time_rate",
)
METRICS = (
    "o2d_ratio",
    "acceptance_failure_rate",
    "sla_breach_cancellation_rate",
    "manifestation_failure_rate",
    "bad_user_order_contribution",
    "claims_raised",
    "claims_rate",
    "brand_logo_coverage",
    "tickets_raised",
    "tickets_resolved",
    "settlement_sync_rate",
    "brands_onboarded",
    "brands_enabled",
    "active_listings",
    "order_volume",
    "request_ids_processed",
    "null_request_id_rate",
    "max_sub_orders_per_request",
    *PERIOD_KPIS,
    "global_cancellation_rate",
    "global_return_rate",
    "rejection_rate",
    "ovl_cancellation_rate",
    "ovl_on_time_rate",
    *GRADE_METRICS,
)
# Figures of readiness. A catalogue may leave them out: then they aren't described, and the gate doesn't judge them.
READINESS_METRICS = (
    "inventory_accuracy_rate",
    "ship_kept_rate",
    "delivery_kept_rate",
    "oms_success_rate",
    "oms_error_budget_left",
    "oms_headroom",
)
GATE_RULES = (
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
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
