"""The hand-written figures of `handwritten.sql`, and their comparison with the published store, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("handwritten.sql")

#: What is compared: table -> its key, named as in the published store. All further columns of the yardstick are values.
KEYS = {
    "fct_null_request_id_week": ("week_start", "oms_client", "event_name"),
    "fct_manifest_call_day": ("day", "oms_client"),
    "fct_request_latency_week": ("week_start", "user_type", "hop", "attempt_scope"),
    "fct_metric_week": ("week_start", "metric_id", "dimension", "member"),
}
_METRICS = "select distinct metric_id from yardstick.fct_metric_week"


@dataclass(frozen=True)
class Compared:
    """A column of a published table, or of one metric: how many values it has (nulls left out), how many differ."""

    figure: str
    column: str
    values: int
    different: int


def compute(inbox: Path) -> duckdb.DuckDBPyConnection:
    """The figures of an inbox, as tables of the schema `yardstick` in memory."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set variable inbox = $inbox", {"inbox": str(inbox)})
    connection.execute(SQL.read_text(encoding="utf-8"))
    return connection


def compare(connection: duckdb.DuckDBPyConnection, store: Path) -> list[Compared]:
    """Every value of the yardstick beside the published one; a row that only one of them has differs in all values."""
    quoted = str(store).replace("'", "''")
    connection.execute(f"attach '{quoted}' as store (read_only)")
    try:
        return [found for table, key in KEYS.items() for found in _compare(connection, table, key)]
    finally:
        connection.execute("detach store")


def _compare(connection: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> list[Compared]:
    described = connection.execute(f"describe yardstick.{table}").fetchall()
    columns = [row[0] for row in described if row[0] not in key]
    figure = "coalesce(ours.metric_id, theirs.metric_id)" if "metric_id" in key else f"'{table}'"
    counts = ", ".join(
        f"count(coalesce(ours.{column}, theirs.{column})), "
        "count(*) filter (ours.is_there is null or theirs.is_there is null "
        f"or ours.{column} is distinct from theirs.{column})"
        for column in columns
    )
    rows = connection.execute(
        f"select {figure} as figure, {counts} "
        f"from (select *, true as is_there from yardstick.{table}) as ours "
        "full outer join (select *, true as is_there "
        f"from store.marts.{table} {f'where metric_id in ({_METRICS})' if 'metric_id' in key else ''}) as theirs "
        f"using ({', '.join(key)}) group by figure order by figure"
    ).fetchall()
    return [
        Compared(name, column, values, different)
        for name, *found in rows
        for column, values, different in zip(columns, found[::2], found[1::2], strict=True)
    ]
