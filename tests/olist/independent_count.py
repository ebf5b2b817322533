"""A second count of the Olist example, in pandas and straight from the original CSVs.

It shares nothing with the product: no adapter, no model, no macro. Where the two differ, one of them is wrong.
The definitions are those of the metric documentation with the default configuration: weeks of UTC Mondays, calculated
three hours after their end, periods of 28 days.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

DEFAULT_WEEKS = (date(2017, 3, 6), date(2017, 8, 7), date(2017, 11, 20), date(2018, 2, 5), date(2018, 7, 2))
SEGMENTS = ("anchor", "focus", "non_focus")
ANCHORS, FOCUSED = 50, 200
PERIOD = timedelta(days=28)

TIMES = {
    "order_purchase_timestamp": "ordered_at",
    "order_approved_at": "approved_at",
    "order_delivered_carrier_date": "shipped_at",
    "order_delivered_customer_date": "delivered_at",
}


def independent_count(olist_dir: Path, weeks: Sequence[date] = DEFAULT_WEEKS) -> dict[str, Any]:
    """Count the figures of `weeks`, the days with orders of every week, and what has to land.

    `weeks`: by Monday, `placed`, `o2d_ratio` by `mall` and segment, `shipping_on_time_rate` by seller and in `total`.
    `days_present`: by Monday, from the first to the last week of the data, the number of days with a sub-order.
    `withheld_weeks`: the Mondays whose days are not all there.
    `landing`: by source, rows, the number of quarantined ones by reason, and out-of-order ones (they land).
    """
    items = read_items(olist_dir)
    present = days_present(items)
    return {
        "weeks": {week: count_week(items, week) for week in weeks},
        "days_present": present,
        "withheld_weeks": [week for week, days in present.items() if days < 7],
        "landing": expected_landing(olist_dir),
    }


def read_items(olist_dir: Path) -> pd.DataFrame:
    """The order items with the times of their order and the segment of their seller."""
    items = pd.read_csv(olist_dir / "olist_order_items_dataset.csv.gz", dtype=str)
    orders = pd.read_csv(olist_dir / "olist_orders_dataset.csv.gz", dtype=str)
    sellers = pd.read_csv(olist_dir / "olist_sellers_dataset.csv.gz", dtype=str)
    items = items.merge(orders, on="order_id", how="left", validate="many_to_one").rename(columns=TIMES)
    for column in TIMES.values():
        items[column] = pd.to_datetime(items[column], format="%Y-%m-%d %H:%M:%S")
    items["promised_at"] = pd.to_datetime(items["shipping_limit_date"], format="%Y-%m-%d %H:%M:%S")

    # A cancelled order has no time of its own: it is taken to be cancelled at its last known step.
    is_cancelled = items["order_status"].isin(["canceled", "unavailable"])
    items["cancelled_at"] = items[list(TIMES.values())].max(axis=1).where(is_cancelled)

    sold = items["seller_id"].value_counts()
    by_size = sorted(sellers["seller_id"], key=lambda seller_id: (-int(sold.get(seller_id, 0)), seller_id))
    segment = {
        seller_id: SEGMENTS[0 if rank < ANCHORS else 1 if rank < ANCHORS + FOCUSED else 2]
        for rank, seller_id in enumerate(by_size)
    }
    items["segment"] = items["seller_id"].map(segment)
    return items


def count_week(items: pd.DataFrame, week: date) -> dict[str, Any]:
    start = pd.Timestamp(week)
    end = start + timedelta(days=7)
    calculated_at = end + timedelta(hours=3)
    placed = items[(items["ordered_at"] >= start) & (items["ordered_at"] < end)]
    o2d = {"mall": share_shipped(placed, calculated_at)}
    for segment in SEGMENTS:
        o2d[segment] = share_shipped(placed[placed["segment"] == segment], calculated_at)
    return {
        "placed": len(placed),
        "o2d_ratio": o2d,
        "shipping_on_time_rate": shipping_on_time(items, calculated_at),
    }


def share_shipped(placed: pd.DataFrame, calculated_at: pd.Timestamp) -> dict[str, Any]:
    """A carrier time before the purchase is odd, but the item was shipped: it counts."""
    return rate(int((placed["shipped_at"] <= calculated_at).sum()), len(placed))


def shipping_on_time(items: pd.DataFrame, calculated_at: pd.Timestamp) -> dict[str, Any]:
    """Shipped no later than promised, of those shipped or overdue; by seller that had an order before A."""
    # Olist items are pending since their purchase, and all are drop shipping with a promise.
    since = items["ordered_at"]
    period = items[(since >= calculated_at - PERIOD) & (since < calculated_at)]
    period = period[period["promised_at"].notna()]

    is_shipped = period["shipped_at"] <= calculated_at
    is_cancelled = period["cancelled_at"] <= calculated_at
    is_overdue = ~is_shipped & ~is_cancelled & (period["promised_at"] < calculated_at)
    # A hand-over before the purchase is odd, but kept its promise; only durations leave such an item out.
    is_counted = is_shipped | is_overdue
    is_on_time = is_shipped & (period["shipped_at"] <= period["promised_at"])

    counted = is_counted.groupby(period["seller_id"]).sum()
    on_time = is_on_time.groupby(period["seller_id"]).sum()
    known = sorted(items.loc[items["ordered_at"] < calculated_at, "seller_id"].unique())
    return {
        "total": rate(int(is_on_time.sum()), int(is_counted.sum())),
        "left_out_cancelled": int((~is_shipped & is_cancelled).sum()),
        "sellers": {
            seller_id: rate(int(on_time.get(seller_id, 0)), int(counted.get(seller_id, 0))) for seller_id in known
        },
    }


def rate(numerator: int, denominator: int) -> dict[str, Any]:
    """Percent with two decimals, half away from zero, from whole numbers only."""
    value = None
    if denominator:
        hundredths = (2 * numerator * 10_000 + denominator) // (2 * denominator)
        value = Decimal(hundredths).scaleb(-2)
    return {"numerator": numerator, "denominator": denominator, "value": value}


def days_present(items: pd.DataFrame) -> dict[date, int]:
    days = set(items["ordered_at"].dt.date)
    first, last = (day - timedelta(days=day.weekday()) for day in (min(days), max(days)))
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    return {week: sum(week + timedelta(days=day) in days for day in range(7)) for week in weeks}


def expected_landing(olist_dir: Path) -> dict[str, Any]:
    """Rows of each source, and those that break a rule, by the first one they break."""
    items = pd.read_csv(olist_dir / "olist_order_items_dataset.csv.gz", dtype=str)
    orders = pd.read_csv(olist_dir / "olist_orders_dataset.csv.gz", dtype=str)
    sellers = pd.read_csv(olist_dir / "olist_sellers_dataset.csv.gz", dtype=str)
    lines = items.merge(orders, on="order_id", how="left")
    sent = lines[lines["order_delivered_carrier_date"].notna()].drop_duplicates(["order_id", "seller_id"])

    ordered_at = pd.to_datetime(lines["order_purchase_timestamp"], errors="coerce")
    step_columns = [column for column in TIMES if column != "order_purchase_timestamp"]
    steps = lines[step_columns].apply(pd.to_datetime, errors="coerce")
    return {
        "seller_orders": {
            "rows": len(lines),
            "quarantined": quarantined(
                lines,
                key=["order_id", "order_item_id"],
                required=["order_id", "order_item_id", "seller_id", "product_id", "order_purchase_timestamp"],
                times=[*TIMES, "shipping_limit_date", "order_estimated_delivery_date"],
                event_time="order_purchase_timestamp",
            ),
            "out_of_order": int(steps.lt(ordered_at, axis=0).any(axis=1).sum()),
        },
        "packages": {
            "rows": len(sent),
            "quarantined": quarantined(
                sent,
                key=["order_id", "seller_id"],
                required=["order_id", "seller_id"],
                times=["order_delivered_carrier_date"],
                event_time="order_delivered_carrier_date",
            ),
        },
        "sellers": {
            "rows": len(sellers),
            "quarantined": quarantined(sellers, key=["seller_id"], required=["seller_id"]),
        },
    }


def quarantined(
    rows: pd.DataFrame,
    key: list[str],
    required: list[str],
    times: Sequence[str] = (),
    event_time: str | None = None,
) -> dict[str, int]:
    missing = rows[required].isna().any(axis=1)
    bad = pd.Series(False, index=rows.index)
    for column in times:
        bad |= rows[column].notna() & pd.to_datetime(rows[column], errors="coerce").isna()
    if "price" in rows:
        bad |= rows["price"].notna() & ~rows["price"].fillna("").str.fullmatch(r"\d{1,16}(\.\d{1,2})?")
    late = pd.Series(False, index=rows.index)
    if event_time:
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        late = pd.to_datetime(rows[event_time], errors="coerce") > tomorrow
    again = rows.duplicated(key) & ~rows.duplicated()
    counts = {
        "missing_required": missing,
        "bad_type": bad & ~missing,
        "duplicate_key": again & ~bad & ~missing,
        "future_event": late & ~again & ~bad & ~missing,
    }
    return {reason: int(rows.sum()) for reason, rows in counts.items() if rows.any()}


def report(counted: dict[str, Any]) -> str:
    lines = ["week        figure                 member     numerator  denominator    value"]
    for week, figures in counted["weeks"].items():
        lines.append(f"{week}  placed sub-orders      mall                   {figures['placed']:>11}")
        named = [("o2d_ratio", member, row) for member, row in figures["o2d_ratio"].items()]
        named.append(("shipping_on_time_rate", "total", figures["shipping_on_time_rate"]["total"]))
        lines.extend(
            f"{week}  {metric:<21}  {member:<9}  {row['numerator']:>9}  {row['denominator']:>11}  {row['value']!s:>7}"
            for metric, member, row in named
        )
    present = counted["days_present"]
    withheld = ", ".join(f"{week} ({present[week]})" for week in counted["withheld_weeks"])
    lines += [
        "",
        f"Weeks {min(present)} to {max(present)}: {len(present)}, of which withheld by days_present: "
        f"{len(counted['withheld_weeks'])} (days with a sub-order)",
        withheld,
        "",
    ]
    lines += [f"{source}: {landing}" for source, landing in counted["landing"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("olist_dir", type=Path, help="folder with the Olist CSVs (.csv.gz)")
    parser.add_argument("--weeks", type=date.fromisoformat, nargs="+", default=list(DEFAULT_WEEKS), metavar="MONDAY")
    arguments = parser.parse_args()
    print(report(independent_count(arguments.olist_dir, arguments.weeks)))


if __name__ == "__main__":
    main()
