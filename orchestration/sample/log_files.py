"""The files of oms_logs: one per day, and one per week with what the week before failed to deliver."""

from datetime import date

import numpy as np
import pyarrow as pa

from orchestration.sample.clients import CLIENT_NAMES
from orchestration.sample.columns import dated, seller_ids, stamps, sub_order_ids, whole, words
from orchestration.sample.files import Inbox, spoil
from orchestration.sample.frames import Frame
from orchestration.sample.logs import STAMPS
from orchestration.sample.scenarios import Scenario
from orchestration.sample.words import CALL_FAILURES, CALL_STATUSES, EVENTS, FLOWS, LOG_CHANNELS, RETRY_REASONS

_FEWEST_LATE_OF = 50  # a day with fewer records is delivered whole, so that no day is ever empty


class LogFiles:
    """Writes the day files and keeps the late and the replayed records until the next week's file."""

    def __init__(self, scenario: Scenario, inbox: Inbox) -> None:
        self._scenario = scenario
        self._inbox = inbox
        self._undelivered: list[pa.Table] = []

    def write_late(self, monday: date) -> None:
        """The records of the week before that come late or a second time, in a file of this week."""
        if self._undelivered:
            name = f"{monday:%Y-%m}/{monday}-late.jsonl.zst"
            self._inbox.write("oms_logs", name, pa.concat_tables(self._undelivered))
        self._undelivered = []

    def write_day(self, day: date, records: Frame, rng: np.random.Generator) -> None:
        """The records of a day, in the order of their ids."""
        table = _table(records)
        late = rng.random(table.num_rows) < self._scenario.late_log_share * (table.num_rows >= _FEWEST_LATE_OF)
        on_time = table.filter(pa.array(~late))
        damaged_table, damaged = spoil("oms_logs", on_time, self._scenario.bad_record_share, rng)
        count = max(1, round(self._scenario.replayed_log_share * on_time.num_rows))
        replayed = np.setdiff1d(rng.choice(on_time.num_rows, count, replace=False), damaged)
        self._undelivered += [table.filter(pa.array(late)), on_time.take(pa.array(replayed))]
        self._inbox.write("oms_logs", f"{day:%Y-%m}/{day}.parquet", damaged_table)


def _table(records: Frame) -> pa.Table:
    columns: dict[str, pa.Array] = {
        "log_id": dated("L", records["log_key"], 9),
        "logged_at": stamps(records["logged_at"]),
        "event_name": words(EVENTS, records["event"]),
        "request_id": dated("R", records["request_key"], 8),
        "oms_client": words(CLIENT_NAMES, records["client"]),
        "seller_id": seller_ids(records["seller"]),
        "sub_order_id": sub_order_ids(records["sub_key"]),
        "flow": words(FLOWS, records["flow"]),
        "channel": words(LOG_CHANNELS, records["channel"]),
        "call_status": words(CALL_STATUSES, records["is_success"].astype(int)),
        "failure_reason": words(CALL_FAILURES, records["failure_reason"]),
        "attempt": whole(records["attempt"]),
        "retry_reason": words(RETRY_REASONS, records["retry_reason"]),
    }
    return pa.table(columns | {name: stamps(records[name]) for name in STAMPS})
