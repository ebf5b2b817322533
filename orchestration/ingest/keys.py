"""Records that meet a key again, as SQL: the same content is a duplicate, other content breaks `duplicate_key`.

Over `staged`, this file's records that are sound by themselves, `sound`, the same with their `_row`, and `landed`,
earlier ones that may have their keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from metric_store.sql import sql_instant, sql_name, sql_names
from orchestration.ingest.contracts import Source
from orchestration.ingest.records import same_content


def doubtful_keys_query(columns: Sequence[str]) -> str:
    """SQL: the keys, of these columns, that repeat within `staged` or have landed before.

    Keys are compared where their hashes repeat: grouping numbers takes half the time of grouping texts.
    """
    key = sql_names(columns)
    return f"""
        select {key} from staged
        where hash({key}) in (select hash({key}) as hash_of_key from staged group by all having count(*) > 1)
        group by all having count(*) > 1
        union
        select {key} from landed semi join staged using ({key})
    """


def verdicts_query(source: Source, latest_event: datetime) -> str:
    """SQL: _row, outcome of the staged records that don't land. `doubtful` holds the doubtful keys.

    Records are judged in the order of the file, as if each landed before the next: the record that has landed stays,
    and one from the future doesn't land, so it can't stand in a later one's way.
    """
    key = sql_names(source.key)
    columns = sql_names([column.name for column in source.columns])
    values = [column.name for column in source.columns if column.name not in source.key]
    is_future = f"{sql_name(source.event_time)} > {sql_instant(latest_event)}" if source.event_time else "false"
    return f"""
        with
            suspects as (select *, {is_future} as is_future from sound semi join doubtful using ({key})),
            settled as (select {columns} from landed semi join doubtful using ({key})),
            firsts as (select min(_row) as _row from suspects where not is_future group by {key}),
            kept as (
                select {columns}, 0 as kept_row from settled
                union all
                select {columns}, _row as kept_row
                from suspects semi join firsts using (_row) anti join settled using ({key})
            )
        select
            suspects._row,
            case
                when kept.kept_row is null or suspects._row < kept.kept_row then 'future_event'
                when {same_content(values, "suspects", "kept")} then 'duplicate'
                else 'duplicate_key'
            end as outcome
        from suspects left join kept using ({key})
        where suspects._row is distinct from kept.kept_row
        union all
        select _row, 'future_event' from sound anti join doubtful using ({key}) where {is_future}
    """
