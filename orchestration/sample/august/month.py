"""The files of oms_logs, seller_orders and packages of the month, a day at a time. The engine makes every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa

from orchestration.sample.august.counts import DAYS, MONTH, Counts, Day, milliseconds
from orchestration.sample.clients import CLIENT_NAMES, habit
from orchestration.sample.columns import seller_ids, words
from orchestration.sample.files import put_in_place
from orchestration.sample.frames import Column, Frame, day_number, midnight
from orchestration.sample.logs import MAX_SUB_ORDERS
from orchestration.sample.words import (
    EVENTS,
    FAILED_DELIVERY_REASONS,
    FLOWS,
    OMS_FAULTS,
    OTHER_FAULTS,
    RETRY_REASONS,
    USER_TYPES,
)
from orchestration.sample.world import World

_SQL = Path(__file__).with_name("sql")
_MEMORY = "2500MB"  # of the engine; what doesn't fit goes to its folder for temporary files
_SLOTS = 65_536
_MEAN_SIZE = 2.85  # sub-orders of a request; what is left of the day goes into batches without a request id
_NEVER_MS = 2**62
_EXPORT_HOURS = 2  # after the month: when sub-orders were exported for the last time
# A dictionary of ids, which hardly repeat, costs time and saves no space.
_OPTIONS = (
    "format parquet, compression zstd, compression_level 1, row_group_size 122880, "
    "dictionary_size_limit 5000, write_bloom_filter false"
)

# The hours (UTC) at which sellers, who live at UTC+7, work through their batches.
_BATCH_HOURS = np.array([1.0, 3.0, 5.0, 6.0, 6.0, 5.0, 4.0, 4.0, 5.0, 5.0, 4.0, 3.0, 2.0, 1.5, 1.0])
_BACKGROUND_FLOOR = 0.3  # small sellers poll too

# By what cancelled a sub-order: the payment, the customer, the seller, and three deadlines of the marketplace.
_CANCELLATION_REASONS = (
    ("PAYMENT_FAILED",),
    ("CHANGED_MIND", "FOUND_CHEAPER"),
    ("OUT_OF_STOCK", "OUT_OF_STOCK", "OUT_OF_STOCK", "WRONG_PRICE", "DAMAGED_IN_STORE"),
    ("NOT_CONFIRMED_IN_TIME",),
    ("NOT_PACKED_IN_TIME",),
    ("HANDOVER_LATE", "SLA_AUTO_CANCEL"),
)
_HABITS = ("cancels", "prepare_hours", "handover_hours", "delivery_hours", "promise_hours", "delivery_days")
_CLIENT_HABITS = ("accept_failures", "manifest_failures", "oms_faults", "retry_minutes", "hop_seconds", "label_seconds")


class Month:
    """The month being written: `files` and `rows` say what there is so far."""

    def __init__(
        self, inbox: Path, scratch: Path, counts: Counts, world: World, seed: int, threads: int | None = None
    ) -> None:
        """Files go under `inbox`; the engine keeps what it can't hold in memory under `scratch`."""
        self._inbox, self._counts, self._world, self._seed = inbox, counts, world, seed
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": str(scratch),
            # DuckDB 2.0.0 fails now and then where it collects the small chunks that come out of a join.
            "enable_caching_operators": False,
        }
        if threads:
            config["threads"] = threads
        self._engine = duckdb.connect(config=config)
        self.files: list[Path] = []
        self.rows: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()

    def write(self, on_day: Callable[[date], None] | None = None) -> None:
        """All files of the month; `on_day` is told of each day that is done."""
        for day in self._counts.by_day(self._seed):
            self._write_day(day)
            if on_day:
                on_day(day.day)

    def some_sub_orders(self, one_in: int) -> Frame:
        """sub_key, ordered_at and delivered_at (NaT: not yet) of one in so many of the sub-orders written last."""
        found: pa.Table = self._engine.sql(
            "select (key - line) * 10 + line + 1 as sub_key, epoch_ms(ordered_ms) as ordered_at, "
            "epoch_ms(delivered_ms) as delivered_at "
            f"from sub_orders where bits(key, 'claim') % {one_in} = 0 order by key"
        ).to_arrow_table()
        stamps = {name: found[name].to_numpy().astype("datetime64[ms]") for name in ("ordered_at", "delivered_at")}
        return {"sub_key": found["sub_key"].to_numpy(), **stamps}

    def _prepare(self) -> None:
        first = day_number(MONTH)
        variables = {
            "seed": self._seed,
            "first_day": first,
            "day_names": [f"{DAYS[0] + timedelta(days=n):%Y%m%d}" for n in range(len(DAYS) + 1)],
            "month_end_ms": milliseconds(DAYS[-1] + timedelta(days=1)),
            "exported_ms": milliseconds(DAYS[-1] + timedelta(days=1)) + 3_600_000 * _EXPORT_HOURS,
            "max_sub_orders": MAX_SUB_ORDERS,
            "users": self._world.users,
            "oms_reasons": [list(group) for group in OMS_FAULTS],
            "other_reasons": [list(group) for group in OTHER_FAULTS],
            "retry_reasons": list(RETRY_REASONS),
            "cancellation_reasons": [list(group) for group in _CANCELLATION_REASONS],
            "refusal_reasons": list(FAILED_DELIVERY_REASONS),
        }
        self._set(**variables)
        events, flows = (", ".join(f"'{name}'" for name in names) for names in (EVENTS, FLOWS))
        self._engine.execute(f"create type event as enum ({events}); create type flow as enum ({flows})")
        self._run("macros")
        self._table("sellers", _sellers(self._world))
        self._table("skus", _skus(self._world))
        reached = np.cumsum(_BATCH_HOURS) / _BATCH_HOURS.sum()
        share = _BATCH_HOURS / _BATCH_HOURS.sum()
        hours = {"hour": np.arange(len(share)), "reached": np.append(0.0, reached[:-1]), "share": share}
        self._table("batch_hours", pa.table(hours))
        self._engine.execute(
            "create temp table later (logged_ms bigint, event event, seller bigint, key bigint, line bigint, "
            "record_key ubigint)"
        )

    def _write_day(self, day: Day) -> None:
        is_after_month = day.day > DAYS[-1]
        self._table("slots", _slots(self._world, day.day))
        self._set(
            day=day_number(day.day),
            sub_orders=day.sub_orders,
            requests=day.requests,
            parallel_requests=day.parallel_requests,
            full_request=self._full_request(day),
            largest_drawn=(largest := max(5, min(MAX_SUB_ORDERS, day.sub_orders // 40))),
            exponent=_exponent(largest),
            is_first_day=day.day == MONTH,
            is_after_month=is_after_month,
            is_late_file=False,
            is_update_file=False,
        )
        self._run("batches")
        self._run("sub_orders")
        self._check("sub-orders", "select count(*) from sub_orders", day, day.sub_orders)
        self._copy("order_rows", "seller_orders", f"{day.day}.parquet")
        self._set(is_update_file=True)
        self._copy("order_rows", "seller_orders", f"{day.day + timedelta(days=1)}-updates.parquet")
        self._copy("package_rows", "packages", f"{day.day}.parquet")
        if is_after_month:
            return
        self._run("later")
        self._run("records")
        self._fill(day)
        folder = f"{day.day:%Y-%m}"
        self._copy("log_rows", "oms_logs", f"{folder}/{day.day}.parquet")
        self._set(is_late_file=True)
        self._copy("log_rows", "oms_logs", f"{folder}/{day.day + timedelta(days=1)}-late.parquet")

    def _full_request(self, day: Day) -> int:
        """The number of the day's request that is filled to the brim, -1 for none; in a small month one day has it."""
        is_large = day.sub_orders >= 40 * MAX_SUB_ORDERS
        return day.requests // 2 if day.requests and (is_large or day.day.day == 13) else -1

    def _fill(self, day: Day) -> None:
        """Add the calls that the day lacks to have its exact numbers of records with and without a request id."""
        named, null = self._rows("select count(request_key), count(*) - count(request_key) from records")[0]
        if named > day.named_records or null > day.null_records:
            raise AssertionError(f"{day.day} has {named:,} and {null:,} records already, more than its share: {day}")
        self._set(named_polls=day.named_records - named, unnamed_calls=day.null_records - null)
        self._run("fillers")
        self._check("records", "select count(*) from records", day, day.named_records + day.null_records)

    def _check(self, what: str, query: str, day: Day, expected: int) -> None:
        found = self._rows(query)[0][0]
        if found != expected:
            raise AssertionError(f"{day.day} has {found:,} {what} instead of {expected:,}")

    def _set(self, **variables: Any) -> None:
        for name, value in variables.items():
            number = isinstance(value, int) and not isinstance(value, bool)
            typed = "cast($value as bigint)" if number else "$value"
            self._engine.execute(f"set variable {name} = {typed}", {"value": value})

    def _table(self, name: str, table: pa.Table) -> None:
        self._engine.register("incoming", table)
        self._engine.execute(f"create or replace temp table {name} as select * from incoming")
        self._engine.unregister("incoming")

    def _run(self, name: str) -> None:
        self._engine.execute((_SQL / f"{name}.sql").read_text(encoding="utf-8"))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._engine.execute(query).fetchall()

    def _copy(self, name: str, source: str, path: str) -> None:
        """Write the rows of a query as a file of the inbox; none gives no file."""
        target = self._inbox / source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".tmp")
        query = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
        quoted = str(partial).replace("'", "''")
        rows = self._rows(f"copy ({query}) to '{quoted}' ({_OPTIONS})")[0][0]
        if rows:
            put_in_place(partial, target)
            self.files.append(target)
            self.rows[source] += rows
        else:
            partial.unlink(missing_ok=True)


@cache
def _exponent(largest: int) -> float:
    """Of the power law of sizes from 1 to `largest` with the mean _MEAN_SIZE: n^-exponent of all are at least n."""
    sizes, low, high = np.arange(1, largest + 1, dtype=float), 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (sizes**-middle).sum() > _MEAN_SIZE else (low, middle)
    return low


def _sellers(world: World) -> pa.Table:
    """One row per seller: who it is, and how it and its OMS work."""
    sellers, number = world.sellers, np.arange(len(world.sellers["weight"]))
    columns: dict[str, Any] = {
        "seller": number,
        "seller_id": seller_ids(number),
        "client_name": words(CLIENT_NAMES, sellers["client"]),
        "client": sellers["client"],
        "user_type": sellers["user_type"],
    }
    columns |= {name: sellers[name] for name in (*_HABITS, "fulfilled_share", "sku_first", "sku_count")}
    columns |= {name: habit(name)[sellers["client"]] for name in (*_CLIENT_HABITS, "restlessness")}
    return pa.table(columns)


def _skus(world: World) -> pa.Table:
    """One row per product: since when, and until when, it is on sale."""
    listed, delisted = (world.skus[name] for name in ("listed_at", "delisted_at"))
    return pa.table(
        {
            "sku": np.arange(len(listed)),
            "listed_ms": listed.astype(np.int64),
            "delisted_ms": np.where(np.isnat(delisted), _NEVER_MS, delisted.astype(np.int64)),
        }
    )


def _slots(world: World, day: date) -> pa.Table:
    """Who is drawn: per draw 65,536 slots of equal chance. Sellers have as many as their weight among those who joined.

    draw 0 and 1: batches with a request id, of parallel and of non-parallel users; 2: batches without, likelier where
    the OMS often leaves it out; 3: calls that belong to no batch.
    """
    sellers = world.sellers
    weight = world.active_weights(midnight(day))
    has_oms = sellers["client"] >= 0
    silence = habit("null_request_ids")[sellers["client"]]
    is_type = {name: sellers["user_type"] == code for code, name in enumerate(USER_TYPES)}
    is_named = is_type["parallel"] | is_type["non_parallel"]
    weights = (
        weight * is_type["parallel"],
        weight * is_type["non_parallel"],
        weight * np.where(is_named, 4 * silence / (1 - silence), 4.5),
        (weight + _BACKGROUND_FLOOR / len(weight)) * (has_oms & (sellers["onboarded_at"] < midnight(day))),
    )
    return pa.table(
        {
            "draw": np.repeat(np.arange(len(weights)), _SLOTS),
            "slot": np.tile(np.arange(_SLOTS), len(weights)),
            "seller": np.concatenate([_by_weight(column) for column in weights]),
        }
    )


def _by_weight(weights: Column) -> Column:
    """The row of each slot: as many slots as the row's share of the weights."""
    reached = np.cumsum(weights) / weights.sum()
    rows = np.flatnonzero(weights)
    found: Column = np.searchsorted(reached, (np.arange(_SLOTS) + 0.5) / _SLOTS, side="right").clip(max=rows[-1])
    return found
