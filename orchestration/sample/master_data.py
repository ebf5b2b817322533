"""Full exports of master data on Sunday night - sellers, products, flagged users - and the daily stock counts."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sample.clients import CLIENT_NAMES
from orchestration.sample.columns import numbered, seller_ids, sku_ids, stamps, user_ids, whole, words
from orchestration.sample.frames import NEVER, Column, Frame, hours, midnight, size, stack, take
from orchestration.sample.season import Strain
from orchestration.sample.words import FLAG_REASONS, INVENTORY_SYSTEMS, LOGO_STATUSES, MALL_SEGMENTS, WEEKENDS
from orchestration.sample.world import World

_WEEK = timedelta(days=7)
_MARKETPLACE = INVENTORY_SYSTEMS.index("marketplace")
_EXPORT_STEP = np.timedelta64(5, "ms")  # between two rows of an export, which stamps each as it goes


def _export_at(monday: date) -> np.datetime64:
    """The instant of the week's export, Sunday 23:00."""
    return midnight(monday + _WEEK) - np.timedelta64(1, "h")


def _updated_at(export_at: np.datetime64, rows: int) -> pa.Array:
    return stamps(export_at + np.arange(rows) * _EXPORT_STEP)


def _known(instants: Column, at: np.datetime64) -> pa.Array:
    return stamps(np.where(instants > at, NEVER, instants))


def sellers_export(world: World, monday: date) -> pa.Table:
    """Every seller onboarded by the end of the week."""
    at = _export_at(monday)
    number = np.flatnonzero(world.sellers["onboarded_at"] < at)
    sellers = take(world.sellers, number)
    has_moved = sellers["segment_change_at"] < at
    name = pc.binary_join_element_wise("Sample Seller", numbered("", number + 1, 4), " ")
    brand = np.where(sellers["brand"] < 0, -1, sellers["brand"] + 1)
    return pa.table(
        {
            "seller_id": seller_ids(number),
            "seller_name": name,
            "brand_id": numbered("B", brand, 4),
            "brand_name": pc.binary_join_element_wise("Sample Brand", numbered("", brand, 4), " "),
            "mall_segment": words(MALL_SEGMENTS, np.where(has_moved, sellers["new_segment"], sellers["segment"])),
            "oms_client": words(CLIENT_NAMES, sellers["client"]),
            "is_cross_border": pa.array(sellers["is_cross_border"]),
            "onboarded_at": stamps(sellers["onboarded_at"]),
            "oms_enabled_at": _known(sellers["oms_enabled_at"], at),
            "weekend_days": words(WEEKENDS, sellers["weekend"]),
            "pending_to_shipped_hours": whole(sellers["shipped_hours"]),
            "pending_to_ready_to_ship_hours": whole(sellers["ready_hours"]),
            "updated_at": _updated_at(at, len(number)),
        }
    )


def products_export(world: World, monday: date) -> pa.Table:
    """Every product listed by the end of the week, with the state of its logo."""
    at = _export_at(monday)
    number = np.flatnonzero(world.skus["listed_at"] < at)
    skus = take(world.skus, number)
    logo = np.where(skus["logo_fixed_at"] < at, LOGO_STATUSES.index("accurate"), skus["logo"])
    return pa.table(
        {
            "sku_id": sku_ids(number),
            "seller_id": seller_ids(skus["seller"]),
            "listed_at": stamps(skus["listed_at"]),
            "delisted_at": _known(skus["delisted_at"], at),
            "logo_image_status": words(LOGO_STATUSES, logo),
            "updated_at": _updated_at(at, len(number)),
        }
    )


class FlaggedUsers:
    """The list of users flagged for abuse, which grows by a few each week."""

    def __init__(self, world: World, start: date, rng: np.random.Generator) -> None:
        self._users = world.users
        before = hours(-24 * rng.uniform(1, 300, max(5, world.users // 200)))
        self._flags = self._new_flags(midnight(start) + before, rng)

    def export(self, monday: date, rng: np.random.Generator) -> pa.Table:
        """Every flag set by the end of the week, with its clearing."""
        since = hours(rng.uniform(0, 166, max(1, self._users // 4000)))
        self._flags = stack([self._flags, self._new_flags(midnight(monday) + since, rng)])
        at = _export_at(monday)
        return pa.table(
            {
                "user_id": user_ids(self._flags["user"]),
                "flagged_at": stamps(self._flags["flagged_at"]),
                "cleared_at": _known(self._flags["cleared_at"], at),
                "reason": words(FLAG_REASONS, self._flags["reason"]),
                "updated_at": _updated_at(at, size(self._flags)),
            }
        )

    def _new_flags(self, flagged_at: Column, rng: np.random.Generator) -> Frame:
        rows = len(flagged_at)
        cleared_at = flagged_at + hours(24 * rng.exponential(60, rows))
        return {
            "user": (self._users * rng.random(rows) ** 1.8).astype(int),  # frequent buyers are flagged more often
            "flagged_at": flagged_at,
            "cleared_at": np.where(rng.random(rows) < 0.3, cleared_at, NEVER),
            "reason": rng.integers(-1, len(FLAG_REASONS), rows),
        }


def inventory_export(
    world: World, start: date, monday: date, orders: int, strain: Strain, rng: np.random.Generator
) -> pa.Table:
    """Daily stock of a sample of products (one for every 50 orders) in both systems; they differ now and then.

    The more is sold, the more often they do, and the more the marketplace shows what is gone.
    """
    skus = world.skus
    is_steady = (skus["listed_at"] < midnight(start)) & np.isnat(skus["delisted_at"])
    is_steady &= world.sellers["client"][skus["seller"]] >= 0
    steady = np.flatnonzero(is_steady)
    sku = steady[np.linspace(0, len(steady) - 1, min(len(steady), max(4, orders // 50))).astype(int)]

    sku, day, system = (axis.ravel() for axis in np.meshgrid(sku, np.arange(7), np.arange(2), indexing="ij"))
    rows = len(sku)
    age = (monday - start).days + day
    true_stock = skus["stock"][sku] * (0.55 + 0.45 * np.cos((age + sku) / 3.5)) - 3
    too_many = np.where(system == _MARKETPLACE, round(2 * strain.excess), 0)
    drift = (rng.integers(-6, 7, rows) + too_many) * (rng.random(rows) < 0.05 * strain.load)
    at = midnight(monday) + hours(24.0 * day + 1 + 0.5 * system) + hours(rng.random(rows) / 4)
    is_missing = rng.random(rows) < 0.01
    frame = {"at": at, "sku": sku, "system": system, "quantity": np.floor(true_stock + drift).astype(int)}
    frame = take(frame, ~is_missing)
    frame = take(frame, np.argsort(frame["at"], kind="stable"))
    return pa.table(
        {
            "snapshot_at": stamps(frame["at"]),
            "seller_id": seller_ids(skus["seller"][frame["sku"]]),
            "sku_id": sku_ids(frame["sku"]),
            "system": words(INVENTORY_SYSTEMS, frame["system"]),
            "quantity": pa.array(frame["quantity"].astype(np.int64)),
        }
    )
