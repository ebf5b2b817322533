"""From codes and keys to the text columns of a raw file, without a Python loop over rows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sample.frames import DAY_KEY, Column


def words(names: tuple[str, ...], codes: Column) -> pa.Array:
    """Text of each code, null for -1."""
    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))


def stamps(instants: Column) -> pa.Array:
    """Timestamps with milliseconds; NaT is null."""
    return pa.array(instants.astype("datetime64[ms]"))


def whole(numbers: Column) -> pa.Array:
    """Whole numbers, null for -1."""
    return pa.array(numbers.astype(np.int64), mask=numbers == -1)


def money(amounts: Column) -> pa.Array:
    """Amounts with two decimals; NaN is null."""
    cents = pa.array(amounts, from_pandas=True)
    return pc.round(cents, 2).cast(pa.decimal128(18, 2), safe=False)


def numbered(prefix: str, numbers: Column, width: int) -> pa.Array:
    """Ids such as `S0007`; null for -1."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.if_else(pa.array(numbers < 0), None, pc.binary_join_element_wise(prefix, digits, ""))


def dated(prefix: str, keys: Column, width: int) -> pa.Array:
    """Ids such as `L20260105-000000123` from keys (day number * DAY_KEY + number); null for -1. They sort in time."""
    day, number = np.divmod(np.maximum(keys, 0), DAY_KEY)
    date = pc.strftime(pa.array(day.astype("datetime64[D]")), format="%Y%m%d")
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    text = pc.binary_join_element_wise(pc.binary_join_element_wise(prefix, date, ""), digits, "-")
    return pc.if_else(pa.array(keys < 0), None, text)


def seller_ids(sellers: Column) -> pa.Array:
    """Ids of sellers by position."""
    return numbered("S", sellers + 1, 4)


def sku_ids(skus: Column) -> pa.Array:
    """Ids of products by position."""
    return numbered("K", skus + 1, 6)


def user_ids(users: Column) -> pa.Array:
    """Ids of buyers by position, null for -1."""
    return numbered("U", np.where(users < 0, -1, users + 1), 7)


def order_ids(order_keys: Column) -> pa.Array:
    """Ids of orders."""
    return dated("O", order_keys, 7)


def sub_order_ids(sub_keys: Column) -> pa.Array:
    """Ids of sub-orders: the order's id and the line; null for -1."""
    order_key, line = np.divmod(sub_keys, 10)
    text = pc.binary_join_element_wise(order_ids(np.maximum(order_key, 0)), pa.array(line).cast(pa.string()), "-")
    return pc.if_else(pa.array(sub_keys < 0), None, text)
