"""The evidence beside the store: for each published week the Parquet of its current build.

A build's evidence is complete before the store that names the build takes its place, and stays until a store that
names another build has taken its place. What no store names is what a killed run left, or is no longer needed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb

from orchestration.home.files import sync
from orchestration.publication.tables import PublishedTable
from orchestration.sql import sql_name, sql_text

#: The metrics that have evidence, as the macro `evidence_families` has them.
EVIDENCE_METRICS = (
    "o2d_ratio",
    "acceptance_failure_rate",
    "sla_breach_cancellation_rate",
    "manifestation_failure_rate",
    "bad_user_order_contribution",
    "cancellation_rate",
    "pending_to_shipped_48h_rate",
    "pending_to_shipped_n_hours_rate",
    "pending_to_ready_to_ship_n_hours_rate",
    "return_rate",
    "shipping_on_time_rate",
    "global_cancellation_rate",
    "global_return_rate",
    "rejection_rate",
    "ovl_cancellation_rate",
    "ovl_on_time_rate",
    "seller_cancel_rate",
    "customer_cancel_rate",
    "shipment_in_target_duration",
    "seller_related_delivery_problems",
)


def evidence_files(folder: Path, week: date, build_id: str) -> list[Path]:
    """The Parquet files of a week's build; none where that build has no evidence here."""
    return sorted(_folder_of(folder, week, build_id).glob("*.parquet"))


def write_evidence(
    db: duckdb.DuckDBPyConnection, table: PublishedTable, folder: Path, weeks: Sequence[date], build_id: str
) -> int:
    """Write the weeks' rows of a mart of the attached `warehouse`, a file for each week; returns how many rows.

    They lie in the order metric, seller, unit: the file's own statistics lead a query of one metric and seller there.
    On return they are on the disk.
    """
    columns = ", ".join(map(sql_name, table.columns))
    order = ", ".join(map(sql_name, table.key))
    rows = 0
    for week in weeks:
        target = _folder_of(folder, week, build_id) / "evidence.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        [(written,)] = db.execute(
            f"copy (select {columns} from warehouse.marts.{table.name} where week_start = date '{week}' "
            f"order by {order}) to {sql_text(str(target))} (format parquet, compression zstd)"
        ).fetchall()
        rows += written
        for path in (target, target.parent, target.parent.parent):
            sync(path)
    if weeks:
        for path in (folder, folder.parent):
            sync(path)
    return rows


def remove_evidence_of_other_builds(folder: Path, builds: Mapping[date, str]) -> None:
    """Remove the evidence of every build but these, the current build of each week.

    What can't be removed now, because a reader on another machine has it open, is left for the next publication.
    """
    current = {_folder_of(folder, week, build_id) for week, build_id in builds.items()}
    for build in folder.glob("week_start=*/build_id=*"):
        if build not in current:
            shutil.rmtree(build, ignore_errors=True)
    for week in folder.glob("week_start=*"):
        with suppress(OSError):  # holds something
            week.rmdir()


def _folder_of(folder: Path, week: date, build_id: str) -> Path:
    return folder / f"week_start={week}" / f"build_id={build_id}"
