"""Weekly exports of seller_orders and packages: what is known of the sub-orders at the export."""

from collections import deque
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from orchestration.sample.columns import (
    dated,
    money,
    order_ids,
    seller_ids,
    sku_ids,
    stamps,
    sub_order_ids,
    user_ids,
    whole,
    words,
)
from orchestration.sample.frames import DAY_KEY, NEVER, Carry, Frame, day_number, midnight, seconds, stack, take
from orchestration.sample.lifecycle import STEPS
from orchestration.sample.words import CANCELLATION_REASONS, CANCELLED_BY, FAILED_DELIVERY_REASONS, SHIPMENT_TYPES

DAYS_KEPT = 63
"""How long a sub-order is followed: by then it has been delivered, and returned if it ever is."""

_EXPORT_HOUR = np.timedelta64(2, "h")  # exports are taken on Monday at 02:00
_WEEK = timedelta(days=7)


class OrderBook:
    """The sub-orders of the last weeks, and of nothing older, so that memory doesn't grow with the weeks."""

    def __init__(self) -> None:
        self._days: deque[Frame] = deque(maxlen=DAYS_KEPT)
        self._parcels = Carry("shipped_at")

    def add(self, sub_orders: Frame, rng: np.random.Generator) -> None:
        """Take in the sub-orders of the next day."""
        self._days.append(sub_orders)
        self._parcels.add(_packages(sub_orders, rng))

    def recent(self, days: int) -> Frame:
        """The sub-orders of the last days."""
        return stack(list(self._days)[-days:])

    def exports(self, monday: date) -> tuple[pa.Table, pa.Table]:
        """The week's sub-orders, and those of the weeks before to which something happened since the last export."""
        last_export = midnight(monday) + _EXPORT_HOUR
        export = midnight(monday + _WEEK) + _EXPORT_HOUR
        all_known = self.recent(DAYS_KEPT)
        is_old = all_known["ordered_at"] < midnight(monday)
        has_changed = np.zeros(len(is_old), dtype=bool)
        for step in STEPS:
            has_changed |= (all_known[step] > last_export) & (all_known[step] <= export)
        current, changed = take(all_known, ~is_old), take(all_known, is_old & has_changed)
        return _table(_as_known_at(current, export)), _table(_as_known_at(changed, export))

    def packages(self, monday: date) -> pa.Table:
        """The packages that left in the week."""
        parcels = self._parcels.take_before(midnight(monday + _WEEK))
        number = day_number(monday) * DAY_KEY + 1 + np.arange(len(parcels["seller"]))
        return pa.table(
            {
                "package_id": dated("P", number, 7),
                "order_id": order_ids(parcels["order_key"]),
                "seller_id": seller_ids(parcels["seller"]),
                "shipped_at": stamps(parcels["shipped_at"]),
            }
        )


def _packages(sub_orders: Frame, rng: np.random.Generator) -> Frame:
    """One package for each parcel of which something was shipped; a few need a second one."""
    shipped = take(sub_orders, ~np.isnat(sub_orders["shipped_at"]))
    _, first, lines = np.unique(shipped["parcel"], return_index=True, return_counts=True)
    parcels = {name: shipped[name][first] for name in ("order_key", "seller", "shipped_at")}
    second = take(parcels, (lines > 1) & (rng.random(len(first)) < 0.1))
    second["shipped_at"] = second["shipped_at"] + seconds(3600 * rng.uniform(1, 20, len(second["seller"])))
    return stack([parcels, second])


def _as_known_at(frame: Frame, instant: np.datetime64) -> Frame:
    """The sub-orders without what happens after the instant; updated_at follows the last thing that did happen."""
    known = dict(frame)
    last = frame["ordered_at"]
    for step in STEPS:
        known[step] = np.where(frame[step] > instant, NEVER, frame[step])
        last = np.fmax(last, known[step])
    for column in ("cancelled_by", "cancellation_reason"):
        known[column] = np.where(np.isnat(known["cancelled_at"]), -1, frame[column])
    failed = ~np.isnat(known["failed_delivery_at"])
    known["failed_delivery_reason"] = np.where(failed, frame["failed_delivery_reason"], -1)
    known["updated_at"] = np.minimum(last + seconds(1.0 + frame["sub_key"] % 19), instant)
    return known


def _table(frame: Frame) -> pa.Table:
    def text(names: tuple[str, ...], column: str) -> pa.Array:
        return words(names, frame[column])

    def time(column: str) -> pa.Array:
        return stamps(frame[column])

    columns: dict[str, pa.Array] = {
        "sub_order_id": sub_order_ids(frame["sub_key"]),
        "order_id": order_ids(frame["order_key"]),
        "seller_id": seller_ids(frame["seller"]),
        "sku_id": sku_ids(frame["sku"]),
        "user_id": user_ids(frame["user"]),
        "shipment_type": text(SHIPMENT_TYPES, "shipment_type"),
        "quantity": whole(frame["quantity"]),
        "item_value": money(frame["item_value"]),
        "ordered_at": time("ordered_at"),
        "pending_at": time("pending_at"),
        "confirmed_at": time("confirmed_at"),
        "ready_to_ship_at": time("ready_to_ship_at"),
        "shipped_at": time("shipped_at"),
        "delivered_at": time("delivered_at"),
        "cancelled_at": time("cancelled_at"),
        "cancelled_by": text(CANCELLED_BY, "cancelled_by"),
        "cancellation_reason": text(CANCELLATION_REASONS, "cancellation_reason"),
        "returned_at": time("returned_at"),
        "failed_delivery_at": time("failed_delivery_at"),
        "failed_delivery_reason": text(FAILED_DELIVERY_REASONS, "failed_delivery_reason"),
        "promised_ship_at": time("promised_ship_at"),
        "promised_delivery_at": time("promised_delivery_at"),
        "estimated_delivery_days": whole(frame["delivery_days"]),
        "updated_at": time("updated_at"),
    }
    return pa.table(columns)
