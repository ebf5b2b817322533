"""What the report's tests share: a home with a published store, empty but for the rows that a test puts in."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.home.layout import Home
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, mart_tables
from orchestration.report.writing import Written, write_report
from orchestration.transform.project import manifest_path

WEEK, BEFORE = date(2026, 1, 12), date(2026, 1, 5)

TABLES = {
    table.name: table
    for table in (*mart_tables(manifest_path(Home.of())), PUBLICATION, RESTATEMENT)
    if not table.is_beside_store
}


class Made:
    """A home with a published store of all tables, empty but for the rows that a test puts in."""

    def __init__(self, root: Path, empty_store: Path) -> None:
        self.home = Home(root)
        self.home.published.mkdir(parents=True)
        shutil.copy(empty_store, self.home.published_store)
        self._db: duckdb.DuckDBPyConnection | None = None

    @property
    def db(self) -> duckdb.DuckDBPyConnection:
        """The store, open until pages are written of it: opening it for each row takes longer than a page."""
        self._db = self._db or duckdb.connect(str(self.home.published_store))
        return self._db

    def close(self) -> None:
        if self._db:
            self._db.close()
            self._db = None

    def add(self, table: str, **values: object) -> None:
        """One row; the columns of the key that aren't named are a filler of their type."""
        row: dict[str, object] = {}
        for name in TABLES[table].key:
            kind = TABLES[table].columns[name][0].lower()
            row[name] = WEEK if kind == "date" else "x"
        row |= values
        self.db.execute(
            f"insert into marts.{table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", [*row.values()]
        )

    def publish(self, week: date = WEEK, build: str = "b1", at: str = "2026-01-19 03:10:00") -> None:
        self.add(
            "publication",
            week_start=week,
            build_id=build,
            published_at=datetime.fromisoformat(at),
            calculated_at=datetime(2026, 1, 19, 3),
            code_version="0",
            is_current=True,
        )

    def metric(self, metric: str, percent: str, **more: object) -> None:
        self.add(
            "fct_metric_week",
            **{
                "metric_id": metric,
                "dimension": "overall",
                "member": "mall",
                "numerator": 1,
                "denominator": 2,
                "value": Decimal(percent),
                "display_value": f"{percent}%",
                "is_small_sample": False,
                **more,
            },
        )

    def catalogue(self, *metrics: str, unit: str = "percent", direction: str = "low") -> None:
        for metric in metrics:
            texts = dict.fromkeys(("setup_name", "seller_name", "export_name", "formula", "description"), f"T {metric}")
            self.add("dim_metric", metric_id=metric, family="brand", unit=unit, direction=direction, **texts)

    def write(self) -> Written:
        self.close()
        return write_report(self.home)

    def page(self, name: str = "index.html", week: date = WEEK) -> str:
        return (self.home.reports / str(week) / name).read_text()


def load(made: Made, client: str, capacity: float, week: date = WEEK) -> None:
    """A week of hours in which one hop of a client was a queue of this capacity."""
    made.db.execute(
        "insert into marts.fct_hop_load_hour by name select cast($week as date) as week_start, "
        "week_start + hour * interval 1 hour as started_at, $client as oms_client, 't1_t2' as hop, calls, "
        "round(calls * 2 / (1 - calls / $capacity), 3) as total_seconds "
        "from (select range as hour, 10 + 90 * least(range % 24, 20) // 20 as calls from range(168))",
        {"week": week, "client": client, "capacity": capacity},
    )
