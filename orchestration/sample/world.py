"""Who takes part in the sample: sellers and their habits, their products, and the buyers. Fixed by size and seed."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from orchestration.sample.clients import CLIENT_NAMES, habit
from orchestration.sample.frames import NEVER, Column, Frame, draw, hours, midnight, stream
from orchestration.sample.scenarios import Scenario
from orchestration.sample.words import LOGO_STATUSES, MALL_SEGMENTS, USER_TYPES, WEEKENDS

_PARALLEL, _NON_PARALLEL, _PANEL_ONLY, _NO_FLOW = range(len(USER_TYPES))
_WEEK_HOURS = 168
_ORDERS_PER_CLIENT = 30  # a week; fewer would leave a client with too few records for a meaningful share


@dataclass(frozen=True)
class World:
    """The cast of one sample.

    sellers: one row per seller, the largest first. skus: one row per product, those of a seller side by side.
    users: number of buyers.
    """

    sellers: Frame
    skus: Frame
    users: int

    def active_weights(self, instant: np.datetime64) -> Column:
        """Share of the order volume of each seller, 0 for those not yet onboarded at the instant."""
        weights = np.where(self.sellers["onboarded_at"] < instant, self.sellers["weight"], 0.0)
        share: Column = weights / weights.sum()
        return share


def build_world(scenario: Scenario, *, start: date, sellers: int, orders_per_week: int, seed: int) -> World:
    """Draw the cast; independent of the number of weeks."""
    rng = stream(seed, "world", start)
    clients = min(len(CLIENT_NAMES), max(1, orders_per_week // _ORDERS_PER_CLIENT))
    cast = _sellers(scenario, sellers, clients, midnight(start), rng)
    skus = _skus(cast, max(3 * sellers, int(0.3 * orders_per_week)), start, rng)
    return World(cast, skus, users=max(50, 6 * orders_per_week))


def _balanced(weights: Column, shares: Column) -> Column:
    """One class per row, so that each class's sum of weights comes as near its share as a greedy pass gets."""
    taken = np.zeros(len(shares))
    classes = np.zeros(len(weights), dtype=int)
    for row in np.argsort(-weights, kind="stable"):  # a pass over the sellers, once; each choice depends on the last
        classes[row] = np.argmax(shares / shares.sum() * weights.sum() - taken)
        taken[classes[row]] += weights[row]
    return classes


def _chance(rng: np.random.Generator, share: float, count: int, at_least: int = 0) -> Column:
    """Mask of shape (count,) with exactly the rounded share (or the least number) of rows set."""
    mask = np.zeros(count, dtype=bool)
    mask[rng.permutation(count)[: max(round(share * count), at_least)]] = True
    return mask


def _sellers(scenario: Scenario, count: int, clients: int, start: np.datetime64, rng: np.random.Generator) -> Frame:
    rank = np.arange(count)
    weight = (rank + 1.0) ** -0.7 * np.exp(rng.normal(0, 0.1, count))

    shares = np.array([scenario.parallel_share, scenario.non_parallel_share, scenario.panel_only_share, 0.0])
    shares[_NO_FLOW] = 1 - shares.sum()
    user_type = _balanced(weight, shares)
    client = _balanced(weight, habit("volume")[:clients])
    without_oms = (user_type == _NO_FLOW) & _chance(rng, 0.5, count) & (rank > 0)
    client[without_oms] = -1

    quantile = rank / count
    segment = np.select([quantile < 0.05, quantile < 0.2, quantile < 0.5], [0, 1, 2], -1)
    new_segment = np.where(segment < 0, len(MALL_SEGMENTS) - 1, (segment + 1) % len(MALL_SEGMENTS))
    changes_segment = _chance(rng, 0.25, count)
    segment_change_at = np.where(changes_segment, start + hours(rng.exponential(30, count) * _WEEK_HOURS), NEVER)

    is_new = _chance(rng, 0.04 if count >= 25 else 0.0, count) & (quantile > 0.2)
    onboarded_at = start + np.where(
        is_new, hours(24 * rng.uniform(3, scenario.onboarding_days, count)), -hours(24 * rng.uniform(60, 900, count))
    )
    oms_enabled_at = onboarded_at + hours(24 * np.where(is_new, 0.2, rng.uniform(0.2, 45, count)))
    oms_enabled_at[client < 0] = NEVER

    is_slow = _chance(rng, 0.12, count)
    slowness = np.where(is_slow, rng.uniform(2.2, 3.5, count), np.exp(rng.normal(0, 0.25, count)))
    is_cross_border = _chance(rng, scenario.cross_border_share, count, at_least=1)
    weekend = draw(rng, np.array([25, 20, 8, 4, 3, 40]), count)  # the sixth: null, which means Sunday
    return {
        "weight": weight,
        "user_type": user_type,
        "client": client,
        "segment": segment,
        "new_segment": new_segment,
        "segment_change_at": segment_change_at,
        "brand": np.where(quantile < 0.5, rank // 2, np.where(rng.random(count) < 0.3, rank, -1)),
        "is_cross_border": is_cross_border,
        "onboarded_at": onboarded_at,
        "oms_enabled_at": oms_enabled_at,
        "weekend": np.where(weekend == len(WEEKENDS), -1, weekend),
        "shipped_hours": np.where(rng.random(count) < 0.3, rng.choice([24, 36, 48, 72], count), -1),
        "ready_hours": np.where(rng.random(count) < 0.25, rng.choice([12, 24, 36], count), -1),
        "is_automatic": rng.random(count) < 0.7,  # accepts around the clock, not only at work
        "accept_minutes": rng.uniform(4, 40, count) * slowness,
        "prepare_hours": rng.uniform(2, 9, count) * slowness,
        "handover_hours": rng.uniform(2, 8, count) * slowness,
        "delivery_hours": np.where(is_cross_border, rng.uniform(110, 220, count), rng.uniform(24, 80, count)),
        "cancels": rng.lognormal(np.log(0.010), 0.6, count) * np.where(is_slow, 2.5, 1.0),
        "promise_hours": rng.choice([24, 48, 72], count, p=[0.25, 0.5, 0.25]),
        "delivery_days": np.where(is_cross_border, rng.integers(7, 15, count), rng.integers(2, 6, count)),
        "fulfilled_share": np.where(rng.random(count) < 0.15, 0.8, 0.02),  # by the marketplace's own warehouse
        "run_offset_seconds": rng.integers(0, 600, count),
        "poll_weekday": rng.integers(3, 7, count),
        "poll_hour": rng.integers(1, 22, count),
    }


def _skus(sellers: Frame, total: int, start: date, rng: np.random.Generator) -> Frame:
    count = len(sellers["weight"])
    appeal = np.sqrt(sellers["weight"])
    per_seller = np.maximum(2, (total * appeal / appeal.sum()).astype(int))
    sellers["sku_count"] = per_seller
    sellers["sku_first"] = np.cumsum(per_seller) - per_seller
    seller = np.repeat(np.arange(count), per_seller)
    rows = len(seller)
    is_first = np.arange(rows) == sellers["sku_first"][seller]

    since = sellers["onboarded_at"][seller]
    age = np.maximum(midnight(start) - since, hours(24.0))
    listed_at = since + (age * rng.random(rows)).astype("timedelta64[ms]")
    listed_later = (rng.random(rows) < 0.12) & ~is_first
    listed_at[listed_later] = midnight(start) + hours(rng.exponential(16, rows) * _WEEK_HOURS)[listed_later]
    listed_at[is_first] = since[is_first]
    leaves = (rng.random(rows) < 0.10) & ~is_first
    delisted_at = np.where(leaves, listed_at + hours(_WEEK_HOURS * rng.exponential(40, rows)), NEVER)

    logo = draw(rng, np.array([78, 14, 8]), rows)
    is_fixed = (logo != LOGO_STATUSES.index("accurate")) & (rng.random(rows) < 0.6)
    logo_fixed_at = np.where(is_fixed, midnight(start) + hours(rng.exponential(20, rows) * _WEEK_HOURS), NEVER)
    return {
        "seller": seller,
        "listed_at": listed_at,
        "delisted_at": delisted_at,
        "logo": logo,
        "logo_fixed_at": logo_fixed_at,
        "price": np.round(rng.lognormal(3.6, 0.7, rows), 2),
        "stock": rng.integers(5, 400, rows),
    }


def days_off(weekend: Column, weekday: Column) -> Column:
    """Whether a weekday (0 = Monday) is no working day under a weekend code (-1: null, which means Sunday)."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    table = np.array([[day in option.split(",") for day in names] for option in (*WEEKENDS, "sun")])
    result: Column = table[weekend, weekday]
    return result
