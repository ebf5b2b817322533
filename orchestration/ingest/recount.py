"""Recomputes the weeks of all landed records when a home changes its time zone or hour of calculation."""

from __future__ import annotations

from itertools import groupby

import duckdb

from metric_store.sql import sql_names, sql_parquet
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.ingest.ledger import Ledger
from orchestration.ingest.touches import ArrivedWeeks, arrived_weeks
from orchestration.limits import EngineLimits, engine_config


def recount_weeks(home: Home, ledger: Ledger, calendar: tuple[str, int], limits: EngineLimits) -> None:
    """Read what each file landed, and keep its weeks by this calendar: time zone, hours from E to A.

    All at once, and in the order in which the files came, because a record is compared with those before it.
    """
    found: dict[int, ArrivedWeeks] = {}
    place = {int(row["file_id"]): int(row["read_order"]) for row in ledger.files()}
    home.scratch.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config=engine_config(home, limits)) as engine:
        engine.execute("set TimeZone = 'UTC'")
        for source in SOURCES:
            columns, landing = sql_names([column.name for column in source.columns]), home.landing / source.name
            for file_id, several in groupby(ledger.partitions(source.name), lambda row: int(row["file_id"])):
                rows = list(several)
                bounds = min(row["least_key"] for row in rows), max(row["greatest_key"] for row in rows)
                earlier = ledger.partitions_between(source.name, *bounds, before=place[file_id])
                files = [landing / row["path"] for row in rows]
                arrived = f"select {columns}, {file_id} as file_id from {sql_parquet(files)}"
                landed = f"select {columns} from {sql_parquet([landing / path for path in earlier])}"
                engine.execute(f"create or replace temp view arrived as {arrived}")
                engine.execute(f"create or replace temp view landed as {landed if earlier else arrived + ' limit 0'}")
                found |= arrived_weeks(engine, source, *calendar)
    ledger.rename_weeks({file_id: (weeks.rows, weeks.touches) for file_id, weeks in found.items()}, calendar)
