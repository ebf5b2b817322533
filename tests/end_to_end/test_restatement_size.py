"""A restatement that moves a published rate by much waits until somebody answers for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from metric_store.reading import open_store
from metric_store.sql import sql_text
from tests.conftest import metric_store, run

WEEK = "2026-01-12"


def query(home: Path, sql: str) -> list[tuple]:
    with open_store(home / "published" / "metric_store.duckdb") as store:
        return store.execute(sql).fetchall()


def deliver_twice_as_many_orders(home: Path) -> None:
    """Late orders of the week, each like one that came, and none of them shipped."""
    folder = home / "inbox" / "seller_orders"
    later = ["shipped_at", "delivered_at", "returned_at", "cancelled_at", "cancelled_by", "cancellation_reason"]
    empty = ", ".join(f"null as {name}" for name in [*later, "failed_delivery_at", "failed_delivery_reason"])
    with duckdb.connect() as db:
        db.execute(
            f"copy (select * replace ('X' || sub_order_id as sub_order_id, 'X' || order_id as order_id, {empty}) "
            f"from read_csv({sql_text(str(folder / f'{WEEK}-placed.csv.gz'))}, all_varchar = true)) "
            f"to {sql_text(str(folder / 'late.csv'))} (format csv, header true)"
        )


def test_a_large_restatement_is_withheld_until_it_is_waived(home_copy: Path) -> None:
    rates = f"select metric_id, value from marts.fct_metric_week where week_start = '{WEEK}' and dimension = 'overall'"
    before = dict(query(home_copy, rates))
    deliver_twice_as_many_orders(home_copy)
    ended = run(home_copy, WEEK)
    assert ended.status == 3, ended.text
    said = next(line for line in ended.out.splitlines() if line.startswith(f"Withheld {WEEK}: restatement_size is "))
    assert f"o2d_ratio would go from {before['o2d_ratio']} to " in said
    assert dict(query(home_copy, rates)) == before
    weeks = json.loads(metric_store("status", "--home", home_copy, "--json").out)["weeks"]
    [state] = [week for week in weeks if week["week_start"] == WEEK]
    assert state["published"]
    assert (state["blocked_by"], state["due_for_restatement"]) == (["restatement_size"], True)
    because = said.removeprefix(f"Withheld {WEEK}: ")
    assert state["blocked_because"] == because
    assert f"Restatement of {WEEK}: {because}" in metric_store("status", "--home", home_copy).out.splitlines()

    line = re.search(r"add to config/gate_waivers\.csv: (\S+,REASON,NAME,VALID_UNTIL)", said)
    assert line, said
    waiver = line[1].replace("REASON", "a file came late").replace("NAME", "jo").replace("VALID_UNTIL", "2199-12-31")
    (home_copy / "config").mkdir(exist_ok=True)
    head = "rule_id,scope,week_start,reason,approved_by,valid_until"
    (home_copy / "config" / "gate_waivers.csv").write_text(f"{head}\n{waiver}\n")
    ended = run(home_copy, WEEK)
    assert ended.status == 0, ended.text
    after = dict(query(home_copy, rates))
    assert before["o2d_ratio"] - after["o2d_ratio"] > 5
    causes = query(home_copy, f"select distinct cause from marts.fct_restatement where week_start = '{WEEK}'")
    assert causes == [("records,configuration",)]
