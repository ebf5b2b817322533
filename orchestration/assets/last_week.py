"""What a mart's asset shows of the last week of a run: few rows of it, as Markdown. Selects; computes no figure."""

from collections.abc import Collection
from datetime import date

from orchestration.assets.markdown import MOST_CHARACTERS, table
from orchestration.report.cells import shown
from orchestration.report.reading import read_ratings, read_tiers
from orchestration.report.tables import HOPS_IN_ORDER, VERDICTS_IN_ORDER, Column, Selection, Store, Table
from orchestration.settings import Home
from orchestration.warehouse import open_warehouse

_MOST_ROWS = 20


def _of(source: str, columns: str, where: str = "true", order: str = "") -> Selection:
    return Selection(source, source, source, columns, where, order)


#: Rows and columns by mart.
SELECTIONS = {
    selection.source: selection
    for selection in (
        _of(
            "fct_metric_week",
            "metric_id display_value change denominator",
            "dimension = 'overall'",
        ),
        _of(
            "fct_o2d_maturity_week",
            "cohort_week_start placed shipped ratio",
            "mall_segment = 'mall'",
            "cohort_week_start desc",
        ),
        _of(
            "fct_failure_contribution_week",
            "flow l2_category failed contribution",
            "oms_client = 'all'",
            "flow, contribution_rank, l2_category",
        ),
        _of(
            "fct_request_latency_week",
            "hop observations avg_seconds p50_seconds p95_seconds max_seconds",
            "user_type = 'overall' and attempt_scope = 'all'",
            HOPS_IN_ORDER,
        ),
        _of("fct_manifest_call_day", "day success failed failure_rate total_change_pct", "oms_client = 'all'", "day"),
        _of(
            "fct_seller_ovl_week",
            "seller_id daily_order_limit limited_since reason",
            "is_limited",
            "limited_since desc, seller_id",
        ),
        _of(
            "fct_inventory_sync_week",
            "oms_client compared accuracy_rate oversell undersell",
            order="oms_client <> 'all', compared desc, oms_client",
        ),
        _of(
            "fct_promise_week",
            "mall_segment ship_due ship_kept_rate delivery_due delivery_kept_rate",
            order="mall_segment <> 'mall', mall_segment",
        ),
        _of(
            "fct_oms_readiness_week",
            "oms_client verdict reasons busiest_hour_calls headroom",
            order=f"{VERDICTS_IN_ORDER}, calls desc, oms_client",
        ),
        _of(
            "fct_data_quality_week",
            "rule_id scope severity observed lower upper",
            "not passed",
            "severity, rule_id, scope",
        ),
    )
}
_WITHOUT_ROWS = {"fct_data_quality_week": "Every rule passed.", "fct_seller_ovl_week": "No seller has a limit."}
_QUERIES = {
    "fct_seller_rating_week": (read_ratings, "kpi_id sellers p10 p25 p50 p75 p90"),
    "fct_seller_grade_week": (read_tiers, "tier sellers lowest_grade"),
}


SHOWN_MARTS = frozenset({*SELECTIONS, *_QUERIES})


def last_week(home: Home, marts: Collection[str]) -> dict[str, str]:
    """By mart of `SHOWN_MARTS`: rows of the last week of the run in progress, from the warehouse, as Markdown."""
    if not marts:
        return {}
    with open_warehouse(home, read_only=True) as connection:
        store = Store(connection)
        [(week, publishable)] = store.rows(
            "select run_weeks.week_start, is_publishable from inputs.run_weeks as run_weeks "
            "left join inputs.gate_verdicts using (week_start) order by week_start desc limit 1"
        )
        state = {None: "before the gate", True: "let through by the gate", False: "withheld by the gate"}[publishable]
        return {mart: f"Week of {week}, {state}\n\n{rows_as_text(store, mart, week)}" for mart in sorted(marts)}


def rows_as_text(store: Store, mart: str, week: date) -> str:
    """As many rows of a mart as Dagster shows at once."""
    return _text(_read(store, mart, week))


def _read(store: Store, mart: str, week: date) -> Table:
    if mart in _QUERIES:
        read, names = _QUERIES[mart]
        columns = tuple(
            Column(name, name, "text" if name in ("kpi_id", "tier") else "number", "") for name in names.split()
        )
        rows = [tuple(record[column.name] for column in columns) for record in read(store, week)]
        return Table(mart, mart, mart, columns, rows)
    return SELECTIONS[mart].read(store, week, most=_MOST_ROWS)


def _text(found: Table) -> str:
    """As many rows as Dagster shows at once."""
    if not found:
        return _WITHOUT_ROWS.get(found.id, "Nothing in this week.")
    heads = [column.label for column in found.columns]
    numbers = [column.label for column in found.columns if not column.is_text]
    rows = [[shown(value, column.kind) for column, value in zip(found.columns, row, strict=True)] for row in found.rows]
    for most in range(len(rows), 0, -1):
        left = len(rows) - most + found.left_out
        text = table(heads, rows[:most], numbers) + (f"\n\n{left:,} more." if left else "")
        if len(text) < MOST_CHARACTERS - 60:
            break
    return text
