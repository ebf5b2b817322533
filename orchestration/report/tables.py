"""The tables of the report: which rows and columns of which published table, and what their columns are called.

Each is a plain selection of a published table, so a test can find every cell of a page in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

#: What a column is called, and what it holds: text, count, percent, points, seconds, hours, number, date, flag.
COLUMNS: dict[str, tuple[str, str]] = {
    "week_start": ("Week", "date"),
    "cohort_week_start": ("Orders of the week", "date"),
    "day": ("Day", "date"),
    "applies_from": ("Limit for the week", "date"),
    "limited_since": ("Limited since", "date"),
    "started_at": ("Hour, UTC", "text"),
    "restated_at": ("Restated at, UTC", "text"),
    "cause": ("Cause", "text"),
    "metric_id": ("Metric", "text"),
    "dimension": ("Split by", "text"),
    "member": ("Member", "text"),
    "mall_segment": ("Segment", "text"),
    "oms_client": ("OMS client", "text"),
    "event_name": ("Event", "text"),
    "flow": ("Flow", "text"),
    "l2_category": ("Category", "text"),
    "user_type": ("User type", "text"),
    "hop": ("Hop", "text"),
    "attempt_scope": ("Attempts", "text"),
    "retry_reason": ("Retry reason", "text"),
    "reason": ("Reason", "text"),
    "reasons": ("Reasons", "text"),
    "verdict": ("Verdict", "text"),
    "tier": ("Tier", "text"),
    "seller_id": ("Seller", "text"),
    "rule_id": ("Rule", "text"),
    "scope": ("Scope", "text"),
    "severity": ("Severity", "text"),
    "message": ("What the gate says", "text"),
    "table_name": ("Table", "text"),
    "key": ("Row", "text"),
    "column_name": ("Column", "text"),
    "old_value": ("Before", "text"),
    "new_value": ("Now", "text"),
    "display_value": ("Value", "text"),
    "numerator": ("Numerator", "count"),
    "denominator": ("Denominator", "count"),
    "value": ("Value", "number"),
    "previous_value": ("Week before", "number"),
    "change": ("Change", "points"),
    "interval_low": ("95 % from", "percent"),
    "interval_high": ("95 % to", "percent"),
    "is_small_sample": ("Small sample", "flag"),
    "settled_low": ("Settles from, %", "percent"),
    "settled_high": ("to, %", "percent"),
    "rate_before": ("Rate before, %", "percent"),
    "rate_now": ("Rate, %", "percent"),
    "share_before": ("Share before, %", "percent"),
    "share_now": ("Share, %", "percent"),
    "rate_effect": ("By its rate", "points"),
    "mix_effect": ("By its share", "points"),
    "driver_rank": ("Rank", "count"),
    "placed": ("Placed", "count"),
    "shipped": ("Shipped", "count"),
    "ratio": ("Shipped, %", "percent"),
    "failed": ("Failed", "count"),
    "success": ("Succeeded", "count"),
    "total": ("Calls", "count"),
    "contribution": ("Contribution, %", "percent"),
    "contribution_rank": ("Rank", "count"),
    "failure_rate": ("Failed, %", "percent"),
    "success_change_pct": ("Succeeded, change %", "points"),
    "failed_change_pct": ("Failed, change %", "points"),
    "total_change_pct": ("Calls, change %", "points"),
    "request_ids": ("Requests", "count"),
    "observations": ("Observations", "count"),
    "avg_seconds": ("Mean", "seconds"),
    "p50_seconds": ("p50", "seconds"),
    "p75_seconds": ("p75", "seconds"),
    "p90_seconds": ("p90", "seconds"),
    "p95_seconds": ("p95", "seconds"),
    "p99_seconds": ("p99", "seconds"),
    "max_seconds": ("Longest", "seconds"),
    "avg_change_pct": ("Mean, change %", "points"),
    "retried_calls": ("Retried calls", "count"),
    "requests": ("Requests", "count"),
    "at_max_attempts": ("At the last attempt", "count"),
    "records": ("Log records", "count"),
    "null_records": ("Without request id", "count"),
    "null_rate": ("Without, %", "percent"),
    "final_grade": ("Grade", "number"),
    "previous_grade": ("Grade before", "number"),
    "is_partial": ("Partial", "flag"),
    "orders_due": ("Orders due", "count"),
    "cancellation_rate": ("Cancelled, %", "percent"),
    "on_time_rate": ("On time, %", "percent"),
    "daily_order_limit": ("Orders a day", "count"),
    "met_weeks_in_a_row": ("Weeks met", "count"),
    "compared": ("Compared", "count"),
    "matched": ("Matched", "count"),
    "oversell": ("Oversell", "count"),
    "undersell": ("Undersell", "count"),
    "oversell_units": ("Oversell, units", "count"),
    "undersell_units": ("Undersell, units", "count"),
    "missing_in_oms": ("Missing in OMS", "count"),
    "missing_in_marketplace": ("Missing in marketplace", "count"),
    "accuracy_rate": ("Accuracy, %", "percent"),
    "out_of_stock_cancellations": ("Out-of-stock cancellations", "count"),
    "ship_due": ("To ship", "count"),
    "ship_kept": ("Shipped in time", "count"),
    "ship_kept_rate": ("Shipped in time, %", "percent"),
    "delivery_due": ("To deliver", "count"),
    "delivery_kept": ("Delivered in time", "count"),
    "delivery_kept_rate": ("Delivered in time, %", "percent"),
    "p50_hours": ("p50", "hours"),
    "p90_hours": ("p90", "hours"),
    "p95_hours": ("p95", "hours"),
    "promise_hours_for_95": ("Promise for 95 %", "hours"),
    "calls": ("Calls", "count"),
    "busiest_hour": ("Busiest hour, UTC", "date"),
    "busiest_hour_calls": ("Calls in the busiest hour", "count"),
    "mean_hourly_calls": ("Mean hour", "number"),
    "peak_to_mean": ("Peak to mean", "number"),
    "success_rate": ("Succeeded, %", "percent"),
    "error_budget_left_pct": ("Error budget left, %", "percent"),
    "p95_peak_seconds": ("p95 at the peak", "seconds"),
    "p95_other_seconds": ("p95 else", "seconds"),
    "sustained_hourly_calls": ("Sustained an hour", "count"),
    "projected_peak": ("Projected peak", "number"),
    "headroom": ("Headroom", "number"),
    "mean_seconds": ("Mean", "seconds"),
    "service_seconds": ("Without a queue", "seconds"),
    "hourly_capacity": ("Capacity, calls an hour", "count"),
    "saturates_at_factor": ("Saturates at times the busiest hour", "number"),
    "utilisation": ("Load in the busiest hour, %", "percent"),
    "fit": ("Fit (R²)", "number"),
    "passed": ("Passed", "flag"),
    "observed": ("Observed", "number"),
    "lower": ("From", "number"),
    "approved_by": ("Approved by", "text"),
    "valid_until": ("Waived until", "date"),
    "excused": ("Excused", "count"),
    "adjusted_numerator": ("Numerator, adjusted", "count"),
    "adjusted_denominator": ("Denominator, adjusted", "count"),
    "adjusted_value": ("Adjusted", "number"),
    "incident_ids": ("Incidents", "text"),
    "upper": ("To", "number"),
}
TEXTS = frozenset({"text", "date", "flag"})


@dataclass(frozen=True)
class Column:
    """A column of a published table, as the page shows it."""

    name: str
    label: str
    kind: str
    description: str

    @property
    def is_text(self) -> bool:
        return self.kind in TEXTS


@dataclass(frozen=True)
class Table:
    """Rows of a published table, to be shown as they are.

    `left_out`: how many rows were too many for a page. `is_missing`: an earlier release published no such table.
    """

    id: str
    title: str
    source: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    left_out: int = 0
    is_missing: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows)

    def records(self) -> list[dict[str, Any]]:
        """The rows by column."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Selection:
    """Which rows and columns of a published table a table of the report shows; {client} is asked of client pages."""

    id: str
    title: str
    source: str
    columns: str
    where: str = "true"
    order: str = ""

    def read(self, store: Store, week: date, client: str | None = None, most: int = 2000) -> Table:
        """The table of a week: of all clients, or of one."""
        names = self.columns.split()
        described = store.descriptions
        columns = tuple(Column(name, *COLUMNS[name], described.get((self.source, name), "")) for name in names)
        if not store.has(self.source):
            return Table(self.id, self.title, self.source, columns, [], is_missing=True)
        sql = (
            f"select {', '.join(names)}, count(*) over () from marts.{self.source} "
            f"where week_start = $week and ({self.where}) order by {self.order or 'all'} limit {most}"
        )
        parameters: dict[str, object] = {"week": week}
        if "$client" in self.where:
            parameters["client"] = client
        rows = store.rows(sql, parameters)
        left_out = rows[0][-1] - len(rows) if rows else 0
        return Table(self.id, self.title, self.source, columns, [row[:-1] for row in rows], left_out)


class Store:
    """A published store that is open for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.descriptions: dict[tuple[str, str], str] = {
            (table, column): comment
            for table, column, comment in self.rows(
                "select table_name, column_name, comment from duckdb_columns() where schema_name = 'marts'"
            )
        }
        self._tables = {table for table, _ in self.descriptions}

    def has(self, table: str) -> bool:
        """Whether the store has a published table: one of an earlier release may lack some."""
        return table in self._tables

    def rows(self, sql: str, parameters: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, parameters or {}).fetchall()

    def records(self, sql: str, parameters: dict[str, object] | None = None) -> list[dict[str, Any]]:
        """All rows of a query, by column."""
        found = self.connection.execute(sql, parameters or {})
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


_LATENCY = "observations avg_seconds p50_seconds p75_seconds p90_seconds p95_seconds p99_seconds max_seconds"
#: Sorts verdicts from the worst to the best.
VERDICTS_IN_ORDER = "list_position(['not_ready', 'at_risk', 'ready'], verdict)"
#: Sorts hops from the whole flow to its parts.
HOPS_IN_ORDER = "list_position(['t1_t5', 't1_t2', 't2_t3', 't3_t4', 't2_t4', 't4_t5', 'order_t1'], hop)"
_METRIC = "numerator denominator value previous_value change interval_low interval_high is_small_sample"

#: The tables of the page of a week, by the name that its template knows them by.
WEEK_TABLES = {
    "metrics": Selection(
        "metrics", "All brand metrics", "fct_metric_week", f"metric_id member {_METRIC}", "dimension = 'overall'"
    ),
    "splits": Selection(
        "splits",
        "Brand metrics by segment, client and the rest",
        "fct_metric_week",
        f"metric_id dimension member {_METRIC}",
        "dimension <> 'overall'",
    ),
    "drivers": Selection(
        "drivers",
        "What each member brought to a signal",
        "fct_metric_driver_week",
        "metric_id dimension member rate_before rate_now share_before share_now rate_effect mix_effect driver_rank",
        "metric_id in (select metric_id from marts.fct_metric_change_week as changes "
        "where changes.week_start = fct_metric_driver_week.week_start and dimension = 'overall' and is_signal)",
        "metric_id, dimension, driver_rank, member",
    ),
    "operations": Selection(
        "operations",
        "Brands, listings, tickets and settlements",
        "fct_metric_week",
        f"metric_id dimension member {_METRIC}",
        "metric_id in ('brands_onboarded', 'brands_enabled', 'active_listings', 'brand_logo_coverage', "
        "'tickets_raised', 'tickets_resolved', 'settlement_sync_rate', 'order_volume')",
        "metric_id, dimension <> 'overall', dimension, member",
    ),
    "maturity": Selection(
        "maturity",
        "How the cohorts settle",
        "fct_o2d_settling_week",
        "cohort_week_start mall_segment placed shipped ratio settled_low settled_high",
        order="cohort_week_start desc, mall_segment <> 'mall', mall_segment",
    ),
    "failures": Selection(
        "failures",
        "Failure contributions",
        "fct_failure_contribution_week",
        "flow oms_client l2_category failed contribution contribution_rank",
        order="flow, oms_client <> 'all', oms_client, contribution_rank, l2_category",
    ),
    "latency": Selection(
        "latency",
        "Latency by hop and user type",
        "fct_request_latency_week",
        f"user_type hop attempt_scope request_ids {_LATENCY}",
        order=f"user_type <> 'overall', user_type, attempt_scope, {HOPS_IN_ORDER}",
    ),
    "latency_days": Selection(
        "latency_days",
        "Latency day by day, all clients",
        "fct_request_latency_day",
        "day hop attempt_scope observations avg_seconds p95_seconds max_seconds avg_change_pct",
        "oms_client = 'all'",
        f"attempt_scope, {HOPS_IN_ORDER}, day",
    ),
    "manifest_days": Selection(
        "manifest_days",
        "Manifestation calls day by day, all clients",
        "fct_manifest_call_day",
        "day success failed total failure_rate success_change_pct failed_change_pct total_change_pct",
        "oms_client = 'all'",
        "day",
    ),
    "retries": Selection(
        "retries",
        "Retries",
        "fct_retry_reason_week",
        "flow retry_reason retried_calls requests at_max_attempts",
        order="flow, retried_calls desc, retry_reason",
    ),
    "null_ids": Selection(
        "null_ids",
        "Log records without a request id",
        "fct_null_request_id_week",
        "oms_client event_name records null_records null_rate",
    ),
    "readiness": Selection(
        "readiness",
        "Would each OMS bear the next peak?",
        "fct_oms_readiness_week",
        "oms_client verdict reasons calls busiest_hour_calls mean_hourly_calls peak_to_mean success_rate "
        "error_budget_left_pct p95_peak_seconds p95_other_seconds sustained_hourly_calls projected_peak headroom",
        order=f"{VERDICTS_IN_ORDER}, oms_client",
    ),
    "inventory": Selection(
        "inventory",
        "Stock: marketplace against OMS",
        "fct_inventory_sync_week",
        "oms_client compared matched accuracy_rate oversell oversell_units undersell undersell_units missing_in_oms "
        "missing_in_marketplace out_of_stock_cancellations",
        order="oms_client <> 'all', oms_client",
    ),
    "promises": Selection(
        "promises",
        "Promises kept",
        "fct_promise_week",
        "mall_segment ship_due ship_kept ship_kept_rate delivery_due delivery_kept delivery_kept_rate p50_hours "
        "p90_hours p95_hours promise_hours_for_95",
        order="mall_segment <> 'mall', mall_segment",
    ),
    "limited": Selection(
        "limited",
        "Sellers with a daily order limit",
        "fct_seller_ovl_week",
        "seller_id applies_from daily_order_limit limited_since met_weeks_in_a_row reason",
        "is_limited",
        "limited_since desc, seller_id",
    ),
    "incidents": Selection(
        "incidents",
        "What incidents excuse",
        "fct_incident_impact_week",
        "metric_id dimension member value adjusted_value excused numerator denominator adjusted_numerator "
        "adjusted_denominator is_small_sample incident_ids",
        "dimension <> 'seller'",
        "metric_id, dimension <> 'overall', dimension, member",
    ),
    "waivers": Selection(
        "waivers",
        "Waivers",
        "fct_gate_waiver_week",
        "rule_id scope reason approved_by valid_until",
        order="rule_id, scope",
    ),
    "quality": Selection(
        "quality",
        "The gate's rules",
        "fct_data_quality_week",
        "rule_id scope severity passed observed lower upper message",
        order="passed, severity, rule_id, scope",
    ),
}

#: The tables of the page of an OMS client.
CLIENT_TABLES = {
    "metrics": Selection(
        "metrics",
        "Brand metrics of this client",
        "fct_metric_week",
        f"metric_id {_METRIC}",
        "dimension = 'oms_client' and member = $client",
    ),
    "failures": Selection(
        "failures",
        "Why calls fail",
        "fct_failure_contribution_week",
        "flow l2_category failed contribution contribution_rank",
        "oms_client = $client",
        "flow, contribution_rank, l2_category",
    ),
    "latency_days": Selection(
        "latency_days",
        "Latency day by day",
        "fct_request_latency_day",
        "day hop attempt_scope observations avg_seconds p95_seconds max_seconds avg_change_pct",
        "oms_client = $client",
        f"attempt_scope, {HOPS_IN_ORDER}, day",
    ),
    "manifest_days": Selection(
        "manifest_days",
        "Manifestation calls day by day",
        "fct_manifest_call_day",
        "day success failed total failure_rate success_change_pct failed_change_pct total_change_pct",
        "oms_client = $client",
        "day",
    ),
    "null_ids": Selection(
        "null_ids",
        "Log records without a request id",
        "fct_null_request_id_week",
        "event_name records null_records null_rate",
        "oms_client = $client",
    ),
    "readiness": Selection(
        "readiness",
        "Would this OMS bear the next peak?",
        "fct_oms_readiness_week",
        WEEK_TABLES["readiness"].columns.removeprefix("oms_client "),
        "oms_client = $client",
    ),
    "inventory": Selection(
        "inventory",
        "Stock: marketplace against OMS",
        "fct_inventory_sync_week",
        WEEK_TABLES["inventory"].columns.removeprefix("oms_client "),
        "oms_client = $client",
    ),
}


def read_tables(
    store: Store, selections: dict[str, Selection], week: date, client: str | None = None
) -> dict[str, Table]:
    """The tables of a page."""
    return {name: selection.read(store, week, client) for name, selection in selections.items()}


def bars(table: Table, by: Sequence[str]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """The rows of a table in groups of equal values of these columns, in the table's order."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for record in table.records():
        groups.setdefault(tuple(record[name] for name in by), []).append(record)
    return groups
