"""The worked example on a retailer's stock: the published figures equal a second count over the original files."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from metric_store.reading import open_store
from tests.conftest import PROJECT, made_once, run, shared

FIRST, LAST = date(2024, 3, 4), date(2024, 3, 11)
KEY = ["STORE_NUM", "ITEM_ID", "DAY"]


@pytest.fixture(scope="module")
def data() -> Path:
    return shared("data", "store_inventory")


@pytest.fixture(scope="module")
def stores_home(shared_folder: Path, data: Path) -> Path:
    def make(home: Path) -> None:
        shutil.copytree(data, home / "inbox" / "store_inventory")
        shutil.copytree(PROJECT / "docs" / "store_inventory" / "adapters", home / "adapters")
        ended = run(home, f"{FIRST}..{LAST}")
        assert ended.status == 0, ended.text

    return made_once(shared_folder, "store_inventory", make)


def second_count(data: Path, week: date) -> dict[str, tuple[int, ...]]:
    """Store -> compared, matched, oversell, undersell, oversell units, out-of-stock cancellations known at A."""
    orders, cancels, stock = (pd.read_parquet(data / f"{name}.parquet") for name in ("orders", "cancels", "inventory"))
    start = pd.Timestamp(week)
    end = start + pd.Timedelta(days=7)
    moves = pd.concat(
        [
            orders.assign(DAY=orders["ORDER_DT"], MOVED=-orders["PLCD_QTY"]),
            cancels.assign(DAY=cancels["CANCEL_DT"], MOVED=cancels["CNCL_QTY"]),
        ]
    )
    evening = stock.assign(DAY=stock["GREGORIAN_DATE"] + pd.Timedelta(days=1)).set_index(KEY)["ON_HAND_QTY"]
    days = stock.assign(DAY=stock["GREGORIAN_DATE"]).set_index(KEY)[["ON_HAND_QTY"]]
    days = (
        days.join(evening.rename("EVENING"), how="inner").join(moves.groupby(KEY)["MOVED"].sum()).fillna({"MOVED": 0})
    )
    days["SURPLUS"] = days["EVENING"] + days["MOVED"] - days["ON_HAND_QTY"]
    days = days.reset_index().query("@start <= DAY < @end")
    short = cancels[
        cancels["IS_OOS_FLAG"]
        & (cancels["ORDER_DT"] >= start)
        & (cancels["ORDER_DT"] < end)
        & (cancels["CANCEL_DT"] <= end + pd.Timedelta(hours=3))
    ]

    def row(surplus: pd.Series, cancelled: int) -> tuple[int, ...]:
        over = surplus[surplus > 0]
        return len(surplus), int((surplus == 0).sum()), len(over), int((surplus < 0).sum()), int(over.sum()), cancelled

    counted = {"all": row(days["SURPLUS"], len(short))}
    for store, of_store in days.groupby("STORE_NUM"):
        counted[f"store-{store}"] = row(of_store["SURPLUS"], int((short["STORE_NUM"] == store).sum()))
    return counted


@pytest.mark.parametrize("week", [FIRST, LAST])
def test_published_figures_equal_the_second_count(stores_home: Path, data: Path, week: date) -> None:
    with open_store(stores_home / "published" / "metric_store.duckdb") as store:
        rows = store.execute(
            "select oms_client, compared, matched, oversell, undersell, oversell_units, out_of_stock_cancellations "
            "from marts.fct_inventory_sync_week where week_start = ?",
            [week],
        ).fetchall()
    expected = second_count(data, week)
    assert len(expected) == 16
    assert expected["all"][2] > 1000
    assert {row[0]: tuple(map(int, row[1:])) for row in rows} == expected
