"""What moved the figures of a week: the members of each dimension, from fct_metric_driver_week."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.report.tables import Store


@dataclass(frozen=True)
class Drivers:
    """The members of a dimension, the greatest effect first; `effect` is that of share and rate together, in points."""

    dimension: str
    members: tuple[Mapping[str, Any], ...]


def read_drivers(store: Store, week: date, metrics: Collection[str]) -> dict[str, list[Drivers]]:
    """By metric its dimensions, those first in which a single member moved the figure most. Members without an effect
    are left out."""
    if not store.has("fct_metric_driver_week"):
        return {}
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in store.records(
        "select *, mix_effect + rate_effect as effect from marts.fct_metric_driver_week "
        "where week_start = $week and list_contains($metrics, metric_id) and (mix_effect <> 0 or rate_effect <> 0) "
        "order by metric_id, max(abs(mix_effect + rate_effect)) over (partition by metric_id, dimension) desc, "
        "dimension, driver_rank, member",
        {"week": week, "metrics": list(metrics)},
    ):
        found.setdefault(row["metric_id"], {}).setdefault(row["dimension"], []).append(row)
    return {
        metric: [Drivers(dimension, tuple(rows)) for dimension, rows in dimensions.items()]
        for metric, dimensions in found.items()
    }
