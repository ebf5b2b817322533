"""What becomes of a sub-order: accepted, made ready, shipped, delivered, cancelled or returned, and when.

The whole truth is drawn when an order is placed; exports and calls show the part of it that has happened by then.
"""

import numpy as np

from orchestration.sample.clients import habit
from orchestration.sample.frames import NEVER, Column, Frame, hours, seconds, size, take
from orchestration.sample.scenarios import Scenario
from orchestration.sample.season import Strain
from orchestration.sample.words import CANCELLATION_REASONS, CANCELLED_BY, FAILED_DELIVERY_REASONS, USER_TYPES
from orchestration.sample.world import World, days_off

STEPS = (
    "pending_at",
    "confirmed_at",
    "ready_to_ship_at",
    "shipped_at",
    "delivered_at",
    "cancelled_at",
    "returned_at",
    "failed_delivery_at",
)
"""The lifecycle columns of a sub-order; each is NaT for what never happens."""

MAX_ATTEMPTS = 5
_LOCAL = hours(7.0)  # sellers and couriers work at UTC+7
_ACCEPT_GRID = 900_000  # an OMS sends acceptances every quarter of an hour, labels every hour
_MANIFEST_GRID = 3_600_000
_DAY = np.timedelta64(1, "D")


def follow_parcels(world: World, parcels: Frame, strain: Strain, rng: np.random.Generator) -> Frame:
    """The fate of each parcel as if nobody cancelled: its steps, and the calls behind them.

    `accept_run_at` and `manifest_run_at` are the instants of the first call; `*_attempts` counts the calls (0: the
    seller sends none), `*_ok` whether the last one succeeded.
    """
    seller = parcels["seller"]
    habits = take(world.sellers, seller)
    rows = len(seller)
    client = np.where(habits["user_type"] == USER_TYPES.index("no_flow"), -1, habits["client"])
    offset = seconds(habits["run_offset_seconds"])

    pay_minutes = np.where(rng.random(rows) < 0.85, rng.uniform(0, 10, rows), rng.uniform(10, 180, rows))
    pending_at = parcels["ordered_at"] + hours(pay_minutes / 60)
    accept_at = pending_at + hours(habits["accept_minutes"] / 60 * rng.lognormal(0, 0.7, rows))
    at_work = _into_working_hours(accept_at, habits["weekend"], rng)
    accept_at = _onto_grid(np.where(habits["is_automatic"], accept_at, at_work), _ACCEPT_GRID) + offset
    accept_attempts, accept_ok = _attempts(habit("accept_failures")[client], client, rng)
    answered_at = accept_at + retry_delay(client, accept_attempts) + seconds(rng.uniform(2, 40, rows))
    by_hand = rng.random(rows) < 0.6  # a failed acceptance is repaired in the panel, where no call is logged
    confirmed_at = np.where(accept_ok, answered_at, np.where(by_hand, answered_at + hours(6.0), NEVER))
    confirmed_at[rng.random(rows) < 0.25 * habits["cancels"]] = NEVER  # sellers who never answer

    pack_at = confirmed_at + hours(habits["prepare_hours"] * rng.lognormal(0, 0.5, rows))
    pack_at = _into_working_hours(pack_at, habits["weekend"], rng)
    manifest_at = _onto_grid(pack_at, _MANIFEST_GRID) + offset
    manifest_failures = np.minimum(habit("manifest_failures") * strain.failures, 0.9)[client]
    manifest_attempts, manifest_ok = _attempts(manifest_failures, client, rng)
    packed_at = manifest_at + retry_delay(client, manifest_attempts) + seconds(rng.uniform(30, 90, rows))
    by_hand = rng.random(rows) < 0.5
    ready_at = np.where(manifest_ok, packed_at, np.where(by_hand, packed_at + hours(20.0), NEVER))

    wait = hours((1 + 0.4 * strain.excess) * habits["handover_hours"] * rng.lognormal(0, 0.6, rows))
    shipped_at = _into_working_hours(ready_at + wait, np.full(rows, -1), rng)
    travel = hours((1 + 0.15 * strain.excess) * habits["delivery_hours"] * rng.lognormal(0, 0.35, rows))
    arrived_at = _into_working_hours(shipped_at + travel, np.full(rows, -1), rng)
    fails = rng.random(rows) < 0.03
    never = np.full(rows, NEVER)
    promise = hours(habits["promise_hours"])
    delivery_days = habits["delivery_days"]
    return {
        "pending_at": np.where(rng.random(rows) < 0.02, NEVER, pending_at),
        "confirmed_at": confirmed_at,
        "ready_to_ship_at": ready_at,
        "shipped_at": shipped_at,
        "delivered_at": np.where(fails, never, arrived_at),
        "failed_delivery_at": np.where(fails, arrived_at, never),
        "promised_ship_at": np.where(rng.random(rows) < 0.04, NEVER, parcels["ordered_at"] + promise),
        "promised_delivery_at": np.where(
            rng.random(rows) < 0.04, NEVER, parcels["ordered_at"] + promise + hours(24.0 * delivery_days)
        ),
        "delivery_days": np.where(rng.random(rows) < 0.05, -1, delivery_days),
        "accept_run_at": np.where(accept_attempts > 0, accept_at, NEVER),
        "accept_attempts": accept_attempts,
        "accept_ok": accept_ok,
        "manifest_run_at": np.where(manifest_attempts > 0, manifest_at, NEVER),
        "manifest_attempts": manifest_attempts,
        "manifest_ok": manifest_ok,
    }


def settle_sub_orders(
    scenario: Scenario, world: World, sub_orders: Frame, fates: Frame, strain: Strain, rng: np.random.Generator
) -> Frame:
    """The sub-orders with their own fate: cancellations, returns and failed deliveries on top of their parcel's."""
    parcel = sub_orders["parcel"]
    frame = sub_orders | {name: column[parcel] for name, column in fates.items()}
    rows = size(frame)
    _cancel(frame, world, strain, rng)
    for step in (step for step in STEPS if step in fates):
        frame[step] = np.where(frame[step] >= frame["cancelled_at"], NEVER, frame[step])

    return_after = hours(24 * np.clip(rng.lognormal(1.7, 0.6, rows), 0.5, 21))
    returns = rng.random(rows) < 0.065
    frame["returned_at"] = np.where(returns, frame["delivered_at"] + return_after, NEVER)
    reason = rng.choice(len(FAILED_DELIVERY_REASONS) + 1, rows, p=[0.38, 0.12, 0.28, 0.16, 0.06])
    has_reason = ~np.isnat(frame["failed_delivery_at"]) & (reason < len(FAILED_DELIVERY_REASONS))
    frame["failed_delivery_reason"] = np.where(has_reason, reason, -1)

    # The exporter's clock disagrees: shown as confirmed before it was placed, the other steps stay as they were.
    is_backwards = rng.random(rows) < scenario.backwards_share
    too_early = frame["ordered_at"] - hours(rng.uniform(0.02, 3, rows))
    is_backwards &= ~np.isnat(frame["confirmed_at"])
    frame["confirmed_at"] = np.where(is_backwards, too_early, frame["confirmed_at"])
    return frame


def _cancel(frame: Frame, world: World, strain: Strain, rng: np.random.Generator) -> None:
    """Add cancelled_at, cancelled_by and cancellation_reason; only what hasn't been shipped is cancelled, once."""
    rows = size(frame)
    frame["cancelled_at"] = np.full(rows, NEVER)
    frame["cancelled_by"] = np.full(rows, -1)
    frame["cancellation_reason"] = np.full(rows, -1)
    ordered_at, shipped_at = frame["ordered_at"], frame["shipped_at"]
    willing = world.sellers["cancels"][frame["seller"]]

    def cancel(who: str, reasons: tuple[str, ...], share: Column | float, after: Column) -> None:
        codes = np.array([CANCELLATION_REASONS.index(reason) for reason in reasons])
        at = ordered_at + after
        hit = (rng.random(rows) < share) & ~np.isnat(at) & ~(at >= shipped_at) & np.isnat(frame["cancelled_at"])
        frame["cancelled_at"] = np.where(hit, at, frame["cancelled_at"])
        frame["cancelled_by"] = np.where(hit, CANCELLED_BY.index(who), frame["cancelled_by"])
        frame["cancellation_reason"] = np.where(hit, rng.choice(codes, rows), frame["cancellation_reason"])

    cancel("external", ("PAYMENT_FAILED",), 0.003, hours(rng.uniform(0.1, 3, rows)))
    cancel("customer", ("CHANGED_MIND", "FOUND_CHEAPER"), 0.035, hours(rng.exponential(8, rows)))
    seller_reasons = ("OUT_OF_STOCK", "OUT_OF_STOCK", "OUT_OF_STOCK", "WRONG_PRICE", "DAMAGED_IN_STORE")
    cancel("seller", seller_reasons, 1.4 * willing, hours(rng.uniform(0.5, 20, rows)))
    if strain.excess > 0:  # stock that the marketplace still showed
        cancel("seller", ("OUT_OF_STOCK",), 0.012 * strain.excess, hours(rng.uniform(0.5, 20, rows)))
    days = rng.uniform(0, 0.1, rows)
    cancel("marketplace", ("NOT_CONFIRMED_IN_TIME",), np.isnat(frame["confirmed_at"]), hours(24 * (2 + days)))
    cancel("marketplace", ("NOT_PACKED_IN_TIME",), np.isnat(frame["ready_to_ship_at"]), hours(24 * (4 + days)))
    promise = hours(world.sellers["promise_hours"][frame["seller"]])
    cancel("marketplace", ("HANDOVER_LATE", "SLA_AUTO_CANCEL"), 0.35, promise + hours(24 * (2 + days)))

    is_cancelled = ~np.isnat(frame["cancelled_at"])
    for column, share in (("cancelled_by", 0.01), ("cancellation_reason", 0.03)):
        frame[column] = np.where(is_cancelled & (rng.random(rows) >= share), frame[column], -1)


def _attempts(failure_rate: Column, client: Column, rng: np.random.Generator) -> tuple[Column, Column]:
    """Number of calls and whether the last succeeded; a call that failed once is likelier to fail again."""
    rows = len(failure_rate)
    attempts = np.where(client < 0, 0, 1)
    succeeded = rng.random(rows) >= failure_rate
    for attempt in range(1, MAX_ATTEMPTS):
        again = ~succeeded & (attempts == attempt) & (rng.random(rows) < 0.85)
        attempts[again] += 1
        succeeded |= again & (rng.random(rows) >= 0.25 + 2 * failure_rate)
    return attempts, succeeded


def retry_delay(client: Column, attempt: Column) -> Column:
    """Time from the first call to the given attempt; the same for all of a client's calls, so retries stay together."""
    doublings = 2.0 ** (np.maximum(attempt, 1) - 1) - 1
    return hours(habit("retry_minutes")[client] / 60 * doublings)


def _onto_grid(instant: Column, grid_ms: int) -> Column:
    """The next instant of a grid of milliseconds, NaT unchanged."""
    since_1970 = instant.astype("datetime64[ms]").astype(np.int64)
    on_grid = (-(-since_1970 // grid_ms) * grid_ms).astype("datetime64[ms]")
    return np.where(np.isnat(instant), NEVER, on_grid)


def _into_working_hours(instant: Column, weekend: Column, rng: np.random.Generator) -> Column:
    """The instant itself if it lies in local working hours (08:00-18:00, no day off), else in the morning of
    the next working day."""
    local = instant + _LOCAL
    day = local.astype("datetime64[D]")
    hour = (local - day) / np.timedelta64(1, "h")
    morning = hours(8 + 5 * rng.random(len(instant)) ** 1.3)  # what piled up overnight takes until noon
    local = np.where(hour < 8, day + morning, np.where(hour >= 18, day + _DAY + morning, local))
    for _ in range(3):  # no weekend code has three days off in a row
        day = local.astype("datetime64[D]")
        weekday = (day.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        is_off = days_off(weekend, np.where(np.isnat(local), 0, weekday))
        local = np.where(is_off, day + _DAY + morning, local)
    return (local - _LOCAL).astype("datetime64[ms]")
