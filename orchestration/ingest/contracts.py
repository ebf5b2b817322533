"""What upstream may send: the ten sources, their columns, types, closed sets and keys, declared once.

No reading and no checking here: `records.py` turns this declaration into SQL.
"""

from __future__ import annotations

from orchestration.ingest.model import Column, Kind, Source

__all__ = ["SOURCES", "SOURCES_BY_NAME", "Column", "Kind", "Source"]


def _text(name: str, *one_of: str, required: bool = False, dated_by: str | None = None) -> Column:
    return Column(name, required=required, one_of=one_of, dated_by=dated_by)


def _time(name: str, *, required: bool = False) -> Column:
    return Column(name, Kind.TIMESTAMP, required=required, dated_by=name)


def _plan(name: str) -> Column:
    """A timestamp that was promised, not one at which something happened: it counts from the first one on."""
    return Column(name, Kind.TIMESTAMP)


def _whole(name: str, least: int, greatest: int, *, required: bool = False) -> Column:
    return Column(name, Kind.WHOLE, required=required, within=(least, greatest))


def _client(*, required: bool = False) -> Column:
    return Column("oms_client", required=required, has_total=True)


_EVENT_NAMES = (
    "order_update",
    "order_create",
    "label_generated",
    "return_update",
    "return_create",
    "shipment_cancellation",
    "polling_event",
    "sku_master",
    "sku_master_update",
)
_LOG_STAMPS = ("t1_received_at", "t2_sos_notified_at", "t3_label_created_at", "t4_label_shared_at", "t5_label_sent_at")
_LIFECYCLE = (
    "pending_at",
    "confirmed_at",
    "ready_to_ship_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "returned_at",
    "failed_delivery_at",
)

OMS_LOGS = Source(
    name="oms_logs",
    event_time="logged_at",
    key=("log_id",),
    facts=("logged_at",),
    backwards=tuple((a, b) for i, a in enumerate(_LOG_STAMPS) for b in _LOG_STAMPS[i + 1 :]),
    columns=(
        _text("log_id", required=True),
        _time("logged_at", required=True),
        _text("event_name", *_EVENT_NAMES, required=True),
        _text("request_id"),
        _client(required=True),
        _text("seller_id", required=True),
        _text("sub_order_id"),
        _text("flow", "acceptance", "manifestation"),
        _text("channel", "oms", "supplier_panel", required=True),
        _text("call_status", "success", "failed", required=True),
        _text("failure_reason"),
        _whole("attempt", 1, 10_000, required=True),
        _text("retry_reason"),
        *(_time(stamp) for stamp in _LOG_STAMPS),
    ),
)

SELLER_ORDERS = Source(
    name="seller_orders",
    event_time="ordered_at",
    key=("sub_order_id", "updated_at"),
    newest_wins=True,
    facts=("ordered_at", *_LIFECYCLE, "promised_ship_at", "promised_delivery_at"),
    backwards=tuple(("ordered_at", step) for step in _LIFECYCLE),
    columns=(
        _text("sub_order_id", required=True),
        _text("order_id", required=True),
        _text("seller_id", required=True),
        _text("sku_id", required=True),
        _text("user_id"),
        _text("shipment_type", "cross_docking", "drop_shipping", "fulfillment_by", required=True),
        _whole("quantity", 1, 1_000_000, required=True),
        Column("item_value", Kind.MONEY, within=(-1_000_000_000_000, 1_000_000_000_000)),
        _time("ordered_at", required=True),
        _time("pending_at"),
        _time("confirmed_at"),
        _time("ready_to_ship_at"),
        _time("shipped_at"),
        _time("delivered_at"),
        _time("cancelled_at"),
        _text("cancelled_by", "seller", "customer", "marketplace", "external", dated_by="cancelled_at"),
        _text("cancellation_reason", dated_by="cancelled_at"),
        _time("returned_at"),
        _time("failed_delivery_at"),
        _text("failed_delivery_reason", dated_by="failed_delivery_at"),
        _plan("promised_ship_at"),
        _plan("promised_delivery_at"),
        _whole("estimated_delivery_days", 0, 3_650),
        _time("updated_at", required=True),
    ),
)

PACKAGES = Source(
    name="packages",
    event_time="shipped_at",
    key=("package_id",),
    facts=("shipped_at",),
    columns=(
        _text("package_id", required=True),
        _text("order_id", required=True),
        _text("seller_id", required=True),
        _time("shipped_at", required=True),
    ),
)

SELLERS = Source(
    name="sellers",
    event_time=None,
    key=("seller_id", "updated_at"),
    facts=("onboarded_at", "oms_enabled_at", "updated_at"),
    columns=(
        _text("seller_id", required=True),
        _text("seller_name", required=True),
        _text("brand_id"),
        _text("brand_name"),
        _text("mall_segment", "anchor", "focus", "non_focus"),
        _client(),
        Column("is_cross_border", Kind.BOOLEAN, required=True),
        _time("onboarded_at"),
        _time("oms_enabled_at"),
        Column("weekend_days", Kind.WEEKDAYS),
        _whole("pending_to_shipped_hours", 1, 8_760),
        _whole("pending_to_ready_to_ship_hours", 1, 8_760),
        _time("updated_at", required=True),
    ),
)

CLAIMS = Source(
    name="claims",
    event_time="raised_at",
    key=("claim_id", "updated_at"),
    facts=("raised_at",),
    columns=(
        _text("claim_id", required=True),
        _text("sub_order_id", required=True),
        _time("raised_at", required=True),
        _text("claim_type"),
        _text("verdict"),
        _time("updated_at", required=True),
    ),
)

TICKETS = Source(
    name="tickets",
    event_time="raised_at",
    key=("ticket_id", "updated_at"),
    newest_wins=True,
    facts=("raised_at", "resolved_at"),
    columns=(
        _text("ticket_id", required=True),
        _text("seller_id", required=True),
        _text("channel", "agent_dashboard", "seller_panel", required=True),
        _text("topic"),
        _time("raised_at", required=True),
        _time("resolved_at"),
        _time("updated_at", required=True),
    ),
)

SETTLEMENTS = Source(
    name="settlements",
    event_time="generated_at",
    key=("document_id", "updated_at"),
    facts=("generated_at",),
    columns=(
        _text("document_id", required=True),
        _text("seller_id", required=True),
        _text("document_type", "payout", "invoice", required=True),
        _time("generated_at", required=True),
        _time("synced_at"),
        _text("sync_status", "synced", "pending", "failed", required=True),
        _text("failure_reason"),
        _time("updated_at", required=True),
    ),
)

PRODUCTS = Source(
    name="products",
    event_time=None,
    key=("sku_id", "updated_at"),
    facts=("listed_at",),
    columns=(
        _text("sku_id", required=True),
        _text("seller_id", required=True),
        _time("listed_at", required=True),
        _time("delisted_at"),
        _text("logo_image_status", "accurate", "inaccurate", "missing", required=True),
        _time("updated_at", required=True),
    ),
)

FLAGGED_USERS = Source(
    name="flagged_users",
    event_time=None,
    key=("user_id", "flagged_at", "updated_at"),
    facts=("flagged_at",),
    columns=(
        _text("user_id", required=True),
        _time("flagged_at", required=True),
        _time("cleared_at"),
        _text("reason"),
        _time("updated_at", required=True),
    ),
)

INVENTORY_SNAPSHOTS = Source(
    name="inventory_snapshots",
    event_time="snapshot_at",
    key=("snapshot_at", "seller_id", "sku_id", "system"),
    facts=("snapshot_at",),
    columns=(
        _time("snapshot_at", required=True),
        _text("seller_id", required=True),
        _text("sku_id", required=True),
        _text("system", "oms", "marketplace", required=True),
        _whole("quantity", -1_000_000_000, 1_000_000_000, required=True),
    ),
)

SOURCES: tuple[Source, ...] = (
    OMS_LOGS,
    SELLER_ORDERS,
    PACKAGES,
    SELLERS,
    CLAIMS,
    TICKETS,
    SETTLEMENTS,
    PRODUCTS,
    FLAGGED_USERS,
    INVENTORY_SNAPSHOTS,
)
SOURCES_BY_NAME = {source.name: source for source in SOURCES}
