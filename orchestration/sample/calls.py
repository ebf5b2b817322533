"""The calls between OMS and marketplace that a day's sub-orders, products and polls lead to, at their instants."""

from datetime import date

import numpy as np

from orchestration.sample.frames import NEVER, Column, Frame, draw, hours, midnight, seconds, size, stack, take
from orchestration.sample.lifecycle import retry_delay
from orchestration.sample.words import EVENTS, FLOWS
from orchestration.sample.world import World

_NO_FLOW = -1
_BACKGROUND = {"polling_event": 0.5, "sku_master": 0.25, "sku_master_update": 0.25}
_BACKGROUND_PER_ORDER = 0.9


def calls_of_sub_orders(world: World, sub_orders: Frame, rng: np.random.Generator) -> Frame:
    """All calls the sub-orders lead to, whenever they happen; none for sellers without an OMS.

    Columns: at (instant of the request), seller, sub_key (-1: none), event, flow, attempt, is_success, is_poll.
    """
    frame = take(sub_orders, world.sellers["client"][sub_orders["seller"]] >= 0)
    parcels = int(frame["parcel"].max(initial=0)) + 1
    by_update = (rng.random(parcels) < 0.2)[frame["parcel"]]
    acceptance = np.where(by_update, EVENTS.index("order_update"), EVENTS.index("order_create"))
    by_update = (rng.random(parcels) < 0.08)[frame["parcel"]]
    manifestation = np.where(by_update, EVENTS.index("order_update"), EVENTS.index("label_generated"))

    transit = frame["returned_at"] - frame["delivered_at"]
    updates = (
        ("order_update", frame["shipped_at"], 0.7),
        ("order_update", frame["delivered_at"], 0.4),
        ("shipment_cancellation", frame["cancelled_at"], 0.8),
        ("return_create", frame["delivered_at"] + transit // 2, 0.9),
        ("return_update", frame["returned_at"], 0.9),
    )
    return stack(
        [
            _attempted(world, frame, "accept", FLOWS.index("acceptance"), acceptance),
            _attempted(world, frame, "manifest", FLOWS.index("manifestation"), manifestation),
            *(_update(frame, event, at, share, rng) for event, at, share in updates),
        ]
    )


def _attempted(world: World, frame: Frame, step: str, flow: int, event: Column) -> Frame:
    calls = np.where(np.isnat(frame[f"{step}_run_at"]), 0, frame[f"{step}_attempts"])
    row = np.repeat(np.arange(len(calls)), calls)
    attempt = 1 + np.arange(len(row)) - np.repeat(np.cumsum(calls) - calls, calls)
    seller = frame["seller"][row]
    at = frame[f"{step}_run_at"][row] + retry_delay(world.sellers["client"][seller], attempt)
    return take(
        {
            "at": at,
            "seller": seller,
            "sub_key": frame["sub_key"][row],
            "event": event[row],
            "flow": np.full(len(row), flow),
            "attempt": attempt,
            "is_success": frame[f"{step}_ok"][row] & (attempt == calls[row]),
            "is_poll": np.zeros(len(row), dtype=bool),
        },
        ~(at >= frame["cancelled_at"][row]),
    )


def _update(frame: Frame, event: str, at: Column, share: float, rng: np.random.Generator) -> Frame:
    rows = size(frame)
    told = ~np.isnat(at) & (rng.random(rows) < share)
    at = at + seconds(rng.uniform(1, 300, rows))
    return _without_flow(EVENTS.index(event), at[told], frame["seller"][told], frame["sub_key"][told], rng)


def _without_flow(
    event: int | Column, at: Column, seller: Column, sub_key: Column, rng: np.random.Generator, *, is_poll: bool = False
) -> Frame:
    rows = len(at)
    return {
        "at": at,
        "seller": seller,
        "sub_key": sub_key,
        "event": np.full(rows, event),
        "flow": np.full(rows, _NO_FLOW),
        "attempt": np.ones(rows, dtype=int),
        "is_success": rng.random(rows) >= 0.015,
        "is_poll": np.full(rows, is_poll),
    }


def background_calls(world: World, day: date, orders: int, rng: np.random.Generator) -> Frame:
    """Polling and product master calls of one day, about as many as orders; they belong to no sub-order."""
    count = max(3, round(_BACKGROUND_PER_ORDER * orders))
    weights = world.active_weights(midnight(day)) + 0.3 / len(world.sellers["weight"])  # small sellers poll too
    has_oms = world.sellers["client"] >= 0
    is_onboarded = world.sellers["onboarded_at"] < midnight(day)
    seller = draw(rng, np.where(has_oms & is_onboarded, weights, 0.0), count)
    kinds = np.array([EVENTS.index(event) for event in _BACKGROUND])
    event = kinds[draw(rng, np.array(list(_BACKGROUND.values())), count)]
    hour = np.where(rng.random(count) < 0.5, rng.uniform(0, 24, count), rng.normal(6, 2.5, count) % 24)
    return _without_flow(event, midnight(day) + hours(hour), seller, np.full(count, -1), rng)


def reconciliation_polls(world: World, day: date, recent: Frame, rng: np.random.Generator) -> Frame:
    """Once a week every second seller's OMS polls the state of all sub-orders of its last seven days at one instant.

    These are the sample's largest requests: cut at 200 sub-orders, like any other.
    """
    sellers = world.sellers
    polls = (np.arange(len(sellers["client"])) % 2 == 0) & (sellers["client"] >= 0)
    polls &= sellers["poll_weekday"] == day.weekday()
    at = np.where(polls, midnight(day) + hours(sellers["poll_hour"]), NEVER)[recent["seller"]]
    is_polled = (recent["ordered_at"] < at) & (recent["ordered_at"] >= at - hours(168.0))
    asked = take(recent, is_polled)
    event = EVENTS.index("polling_event")
    return _without_flow(event, at[is_polled], asked["seller"], asked["sub_key"], rng, is_poll=True)
