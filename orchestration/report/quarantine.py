"""The rejected records of a week, from the home's quarantine: how many of which reason, and the first of each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from metric_store.sql import sql_parquet, sql_text
from orchestration.home.layout import Home
from orchestration.ingest.contracts import SOURCES
from orchestration.report.tables import Store

#: Records shown of each reason.
EXAMPLES = 3
_WITH_TIME = ", ".join(sql_text(source.name) for source in SOURCES if source.event_time)


def _rejected(home: Home) -> str | None:
    """SQL: the rejected records with their week, which follows from their time, or else from that of their reading."""
    files = sorted(home.quarantine.glob("*/*.parquet"))
    if not files:
        return None
    return f"""
        select *, cast(date_trunc('week', timezone($zone, timezone('UTC', coalesce(
            case when source in ({_WITH_TIME}) then event_at end, ingested_at
        )))) as date) as week_start
        from {sql_parquet(files, ", union_by_name = true")}
    """


def marks_of_quarantine(store: Store, home: Home, zone: str) -> dict[date, str]:
    """By week what changes with its rejected records."""
    rejected = _rejected(home)
    if rejected is None:
        return {}
    return dict(
        store.rows(
            f"""
            select week_start, string_agg(concat_ws(' ', source, reason, records), ';' order by source, reason)
            from (select week_start, source, reason, count(*) as records from ({rejected}) group by all)
            group by week_start
            """,
            {"zone": zone},
        )
    )


def read_quarantine(store: Store, home: Home, zone: str, weeks: Collection[date]) -> dict[date, list[dict[str, Any]]]:
    """By week a row for each source and reason: source, reason, records, and the first of them as `examples`, each with
    source_file, row_number, said (the columns that are wrong, and what they hold) and original."""
    rejected = _rejected(home)
    found: dict[date, list[dict[str, Any]]] = {}
    if rejected is None or not weeks:
        return found
    rows = store.records(
        f"""
        select
            week_start, source, reason, count(*) as records,
            arg_min(
                {{
                    'source_file': source_file, 'row_number': row_number, 'original': original,
                    'said': array_to_string(list_transform(
                        string_split(columns, ','),
                        lambda name: concat(trim(name), ': ', coalesce(original ->> trim(name), 'nothing'))
                    ), ', ')
                }},
                (source_file, row_number), {EXAMPLES}
            ) as examples
        from ({rejected})
        where list_contains($weeks, week_start)
        group by all
        order by week_start, records desc, source, reason
        """,
        {"zone": zone, "weeks": list(weeks)},
    )
    for row in rows:
        found.setdefault(row["week_start"], []).append(row)
    return found
