"""Who orders what and when: the sub-orders placed on one day."""

from datetime import date

import numpy as np

from orchestration.sample.frames import (
    DAY_KEY,
    Column,
    Frame,
    day_number,
    days_of,
    draw,
    hours,
    midnight,
    spread,
    stream,
    take,
    within_group,
)
from orchestration.sample.scenarios import Scenario
from orchestration.sample.world import World

# Buyers live at UTC+7: the evening peak is at 13:00 UTC, the night's low at 19:00 UTC.
_BEFORE_NOON = (3.2, 4.2, 4.9, 5.2, 5.4, 5.2, 4.7, 4.5, 4.6, 4.8, 5.2, 6.0)
_AFTER_NOON = (7.2, 7.8, 7.0, 5.4, 3.4, 1.9, 1.0, 0.7, 0.7, 0.9, 1.4, 2.3)
_HOUR_WEIGHTS = np.array([*_BEFORE_NOON, *_AFTER_NOON])
_WEEKDAY_WEIGHTS = np.array([1.04, 1.0, 0.98, 0.99, 1.08, 1.0, 0.93])
_TWO_SELLERS = 0.08
_LINES_OF_ONE = np.array([0.70, 0.19, 0.07, 0.04])  # sub-orders of an order with one seller: 1 to 4
_LINES_OF_TWO = np.array([0.8, 0.2])  # of each seller of an order with two: 1 or 2


def orders_per_day(scenario: Scenario, monday: date, orders_per_week: int, seed: int) -> dict[date, int]:
    """Orders of each day of the week; at least one a day, exactly `orders_per_week` together."""
    noise = stream(seed, "calendar", monday).normal(0, scenario.day_volume_noise, 7)
    counts = spread(orders_per_week, _WEEKDAY_WEIGHTS * np.exp(noise))
    return dict(zip(days_of(monday), counts.tolist(), strict=True))


def place_orders(world: World, day: date, count: int, rng: np.random.Generator) -> tuple[Frame, Frame]:
    """The parcels and the sub-orders of one day's orders.

    A parcel is what one seller has to send for one order; its sub-orders share its fate. `parcel` of a sub-order is
    the position of its parcel; `order_key` and `sub_key` sort in time.
    """
    hour = draw(rng, _HOUR_WEIGHTS, count)
    ordered_at = np.sort(midnight(day) + hours(hour + rng.random(count)))
    weights = world.active_weights(ordered_at[0])
    first = draw(rng, weights, count)
    second = draw(rng, weights, count)
    has_second = (rng.random(count) < _TWO_SELLERS) & (first != second)

    order = np.repeat(np.arange(count), 1 + has_second)
    starts = np.append(True, order[1:] != order[:-1])
    seller = np.where(starts, first[order], second[order])
    lines = 1 + np.where(has_second[order], draw(rng, _LINES_OF_TWO, len(order)), draw(rng, _LINES_OF_ONE, len(order)))
    user = (world.users * rng.random(count) ** 1.3).astype(int)
    user[rng.random(count) < 0.01] = -1
    parcels = {
        "seller": seller,
        "order_key": day_number(day) * DAY_KEY + 1 + order,
        "ordered_at": ordered_at[order],
        "user": user[order],
    }
    return parcels, _sub_orders(world, parcels, lines, rng)


def _sub_orders(world: World, parcels: Frame, lines: Column, rng: np.random.Generator) -> Frame:
    parcel = np.repeat(np.arange(len(lines)), lines)
    frame = take(parcels, parcel)
    rows = len(parcel)
    order_key, seller = frame["order_key"], frame["seller"]
    line = within_group(np.append(True, order_key[1:] != order_key[:-1]))

    first_sku, skus = world.sellers["sku_first"][seller], world.sellers["sku_count"][seller]
    sku = first_sku + (skus * rng.random(rows) ** 1.6).astype(int)
    is_listed = (world.skus["listed_at"][sku] <= frame["ordered_at"]) & ~(
        world.skus["delisted_at"][sku] <= frame["ordered_at"]
    )
    sku = np.where(is_listed, sku, first_sku)  # a seller's first product is always on sale
    quantity = 1 + draw(rng, np.array([86.0, 10.0, 4.0]), rows)

    kind = draw(rng, np.array([0.62, 0.38]), rows)
    kind[rng.random(rows) < world.sellers["fulfilled_share"][seller]] = 2
    value = np.round(world.skus["price"][sku] * quantity * rng.uniform(0.9, 1.0, rows), 2)
    return frame | {
        "parcel": parcel,
        "sub_key": order_key * 10 + 1 + line,
        "sku": sku,
        "shipment_type": kind,
        "quantity": quantity,
        "item_value": np.where(rng.random(rows) < 0.005, np.nan, value),
    }
