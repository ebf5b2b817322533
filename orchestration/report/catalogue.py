"""What a page is about: the metrics and their names, what isn't measured or delivered, and the times of a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from orchestration.ingest.contracts import SOURCES
from orchestration.report.tables import Store


def read_metrics(store: Store) -> dict[str, dict[str, Any]]:
    """The catalogue, by metric_id. Metrics of the same name have what tells their ids apart behind it."""
    metrics = {row["metric_id"]: row for row in store.records("from marts.dim_metric order by family, metric_id")}
    times = Counter(metric["setup_name"] for metric in metrics.values())
    for metric_id, metric in metrics.items():
        name = metric["setup_name"]
        own = [word for word in metric_id.split("_") if word not in (name or "").lower().split()]
        if times[name] > 1 and own:
            for column in ("setup_name", "seller_name", "export_name"):
                metric[column] = f"{metric[column]} ({' '.join(own)})"
    return metrics


def read_local(store: Store, week: date, zone: str) -> Mapping[str, datetime]:
    """When the week was calculated and published, in a time zone; empty of a week that isn't published."""
    rows = store.records(
        "select timezone($zone, timezone('UTC', calculated_at)) as calculated_at, "
        "timezone($zone, timezone('UTC', published_at)) as published_at "
        "from marts.publication where is_current and week_start = $week",
        {"zone": zone, "week": week},
    )
    return rows[0] if rows else {}


def read_unmeasured(store: Store, week: date) -> dict[str, list[str]]:
    """metric_id -> the columns, source.column, that no file has and without which it isn't measured."""
    if not store.has("fct_unmeasured_metric_week"):
        return {}
    rows = store.rows(
        "select metric_id, missing_columns from marts.fct_unmeasured_metric_week where week_start = $week order by 1",
        {"week": week},
    )
    return {metric: columns.split(",") for metric, columns in rows}


def read_absent_sources(store: Store, week: date) -> list[str]:
    """The sources that never had a file, as the gate saw it; none where it didn't look at files."""
    rows = store.rows(
        "select scope from marts.fct_data_quality_week where week_start = $week and rule_id = 'files_readable'",
        {"week": week},
    )
    seen = {source for (source,) in rows}
    return [source.name for source in SOURCES if seen and source.name not in seen]
