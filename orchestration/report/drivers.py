"""Drivers of the changes of a week: the members of each dimension, from fct_metric_driver_week."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from metric_store.changes import FLOWS, changed_failures, drivers
from orchestration.report.tables import Store

_MOST_CATEGORIES = 8


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
    rows = drivers(store.connection, list(metrics), week)
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for values in rows.fetchall():
        row = dict(zip(rows.columns, values, strict=True))
        if row["rate_effect"] or row["mix_effect"]:
            found.setdefault(row["metric_id"], {}).setdefault(row["dimension"], []).append(row)
    return {
        metric: [
            Drivers(dimension, tuple(members))
            for dimension, members in sorted(
                dimensions.items(), key=lambda item: (-max(abs(row["effect"]) for row in item[1]), item[0])
            )
        ]
        for metric, dimensions in found.items()
    }


def read_changed_failures(store: Store, week: date) -> list[dict[str, Any]]:
    """The categories whose number of failed orders moved most since the week before, with the OMS client of whom it
    moved most: flow, l2_category, failed_before, failed, oms_client, client_before, client_now. Without a published
    week before nothing moved."""
    found = changed_failures(store.connection, list(FLOWS.values()), week, clients=1)
    categories: dict[int, dict[str, Any]] = {}
    for values in found.fetchall():
        row = dict(zip(found.columns, values, strict=True))
        if row["oms_client"] == "all":
            categories[row["place"]] = {**row, "oms_client": None, "client_before": None, "client_now": None}
        else:
            client = {"client_before": row["failed_before"], "client_now": row["failed"]}
            categories[row["place"]] |= {"oms_client": row["oms_client"], **client}
    return list(categories.values())[:_MOST_CATEGORIES]
