"""The words the sample uses: closed sets of the raw sources, and the open codes it draws from."""

EVENTS = (
    "order_create",
    "order_update",
    "label_generated",
    "return_create",
    "return_update",
    "shipment_cancellation",
    "polling_event",
    "sku_master",
    "sku_master_update",
)
FLOWS = ("acceptance", "manifestation")
LOG_CHANNELS = ("oms", "supplier_panel")
CALL_STATUSES = ("failed", "success")
SHIPMENT_TYPES = ("cross_docking", "drop_shipping", "fulfillment_by")
CANCELLED_BY = ("seller", "customer", "marketplace", "external")
MALL_SEGMENTS = ("anchor", "focus", "non_focus")
TICKET_CHANNELS = ("agent_dashboard", "seller_panel")
DOCUMENT_TYPES = ("payout", "invoice")
SYNC_STATUSES = ("pending", "synced", "failed")
LOGO_STATUSES = ("accurate", "inaccurate", "missing")
INVENTORY_SYSTEMS = ("oms", "marketplace")

USER_TYPES = ("parallel", "non_parallel", "panel_only", "no_flow")
"""How a seller sends acceptance and manifestation calls; not exported, the metrics find it again in the logs."""

# Reasons of calls by flow (acceptance, manifestation, none): those the OMS is to blame for, and the others. The last
# of the others is mapped by no configuration, as real exports always hold some.
OMS_FAULTS = (("OMS_API_TIMEOUT", "OMS_API_5XX"), ("OMS_5XX", "OMS_TIMEOUT", "RETRY_QUEUE_FULL"), ("OMS_TIMEOUT",))
OTHER_FAULTS = (
    ("RTS_QUEUE_FULL", "RTS_QUEUE_LIMIT", "WAREHOUSE_CLOSED"),
    ("PIN_NOT_SERVICEABLE", "COURIER_UNAVAILABLE", "LABEL_TEMPLATE_MISSING"),
    ("VALIDATION_ERROR",),
)
CALL_FAILURES = tuple(sorted({reason for group in (*OMS_FAULTS, *OTHER_FAULTS) for reason in group}))
RETRY_REASONS = ("TIMEOUT", "RATE_LIMIT", "QUEUE_BACKLOG", "COURIER_DOWN")

CANCELLATION_REASONS = (
    "OUT_OF_STOCK",
    "WRONG_PRICE",
    "DAMAGED_IN_STORE",
    "CHANGED_MIND",
    "FOUND_CHEAPER",
    "NOT_CONFIRMED_IN_TIME",
    "NOT_PACKED_IN_TIME",
    "HANDOVER_LATE",
    "SLA_AUTO_CANCEL",
    "PAYMENT_FAILED",
)
FAILED_DELIVERY_REASONS = ("CUSTOMER_REFUSED", "OPEN_BOX_REJECTED", "CUSTOMER_UNREACHABLE", "ADDRESS_NOT_FOUND")
CLAIM_TYPES = ("wrong_item_returned", "damaged_return", "missing_parts", "counterfeit_returned")
VERDICTS = ("accepted", "rejected", "partly_accepted")
TICKET_TOPICS = ("payout", "invoice", "labels", "integration", "returns", "listing")
SYNC_FAILURES = ("BANK_5XX", "OMS_REJECTED", "TAX_ID_MISSING")
FLAG_REASONS = ("rto_abuse", "empty_box", "wrong_item", "stolen_card")
WEEKENDS = ("sun", "sat,sun", "none", "fri", "fri,sat")
