"""Claims, tickets and settlements: cases that are opened in a week and decided later, in a version of its own."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from orchestration.sample.columns import dated, seller_ids, stamps, sub_order_ids, words
from orchestration.sample.frames import (
    DAY_KEY,
    NEVER,
    Carry,
    Column,
    Frame,
    day_number,
    draw,
    hours,
    midnight,
    size,
    take,
)
from orchestration.sample.words import (
    CLAIM_TYPES,
    DOCUMENT_TYPES,
    SYNC_FAILURES,
    SYNC_STATUSES,
    TICKET_CHANNELS,
    TICKET_TOPICS,
    VERDICTS,
)
from orchestration.sample.world import World

TICKET_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%g+07:00"
"""The ticket system writes local times with their offset."""

_TICKET_OFFSET = hours(7.0)
_WEEK = timedelta(days=7)
_PENDING, _SYNCED, _FAILED = range(len(SYNC_STATUSES))


class Cases:
    """Claims, tickets and settlements week by week; decisions of a later week wait in here."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._claims, self._tickets, self._documents = Carry("updated_at"), Carry("updated_at"), Carry("updated_at")

    def claims(self, monday: date, recent: Frame, rng: np.random.Generator) -> pa.Table:
        """Claims raised or decided in the week, about one for every 80 recent sub-orders delivered by then."""
        start, end = midnight(monday), midnight(monday + _WEEK)
        placed = int((recent["ordered_at"] >= start).sum())
        delivered = take(
            recent, (recent["delivered_at"] > start - hours(240.0)) & (recent["delivered_at"] < end - hours(12.0))
        )
        count = min(max(1, round(0.012 * placed)), size(delivered))
        chosen = take(delivered, rng.choice(size(delivered), count, replace=False))
        earliest = np.maximum(chosen["delivered_at"] + hours(1.0), start)
        raised_at = earliest + ((end - earliest) * rng.random(count)).astype("timedelta64[ms]")
        opened = _opened(monday, raised_at) | {
            "sub_key": chosen["sub_key"],
            "type": rng.integers(-1, len(CLAIM_TYPES), count),
            "verdict": np.full(count, -1),
        }
        decided = dict(opened)
        decided["updated_at"] = raised_at + hours(24 * rng.lognormal(1.2, 0.7, count))
        decided["verdict"] = draw(rng, np.array([0.5, 0.4, 0.1]), count)
        self._claims.add(opened)
        self._claims.add(take(decided, rng.random(count) < 0.7))
        due = self._claims.take_before(end)
        return pa.table(
            {
                "claim_id": dated("C", due["key"], 6),
                "sub_order_id": sub_order_ids(due["sub_key"]),
                "raised_at": stamps(due["opened_at"]),
                "claim_type": words(CLAIM_TYPES, due["type"]),
                "verdict": words(VERDICTS, due["verdict"]),
                "updated_at": stamps(due["updated_at"]),
            }
        )

    def tickets(self, monday: date, orders: int, rng: np.random.Generator) -> pa.Table:
        """Tickets raised or resolved in the week, about one for every 50 orders; times at UTC+7."""
        end = midnight(monday + _WEEK)
        count = max(1, round(0.02 * orders))
        opened = _opened(monday, _in_office(monday, count, rng)) | {
            "seller": self._some_sellers(monday, count, rng),
            "channel": draw(rng, np.array([0.35, 0.65]), count),
            "topic": draw(rng, np.array([22, 14, 24, 18, 14, 8, 4]), count),
        }
        opened["topic"] = np.where(opened["topic"] == len(TICKET_TOPICS), -1, opened["topic"])
        opened["resolved_at"] = np.full(count, NEVER)
        resolved = dict(opened)
        resolved["resolved_at"] = opened["opened_at"] + hours(rng.lognormal(3.0, 0.9, count))
        resolved["updated_at"] = resolved["resolved_at"]
        self._tickets.add(opened)
        self._tickets.add(take(resolved, rng.random(count) < 0.88))
        due = self._tickets.take_before(end)
        return pa.table(
            {
                "ticket_id": dated("T", due["key"], 6),
                "seller_id": seller_ids(due["seller"]),
                "channel": words(TICKET_CHANNELS, due["channel"]),
                "topic": words(TICKET_TOPICS, due["topic"]),
                "raised_at": stamps(due["opened_at"] + _TICKET_OFFSET),
                "resolved_at": stamps(due["resolved_at"] + _TICKET_OFFSET),
                "updated_at": stamps(due["updated_at"] + _TICKET_OFFSET),
            }
        )

    def settlements(self, monday: date, orders: int, rng: np.random.Generator) -> pa.Table:
        """Documents generated, synced or failed in the week: a payout per seller, an invoice per ten orders."""
        end = midnight(monday + _WEEK)
        paid = np.flatnonzero(self._world.active_weights(midnight(monday)))
        invoices = max(1, orders // 10)
        count = len(paid) + invoices
        is_invoice = np.arange(count) >= len(paid)
        payout_at = midnight(monday) + hours(50 + 6 * rng.random(count))  # in the night to Wednesday
        pending = _opened(monday, np.where(is_invoice, _in_office(monday, count, rng), payout_at)) | {
            "seller": np.concatenate([paid, self._some_sellers(monday, invoices, rng)]),
            "type": is_invoice.astype(int),
            "synced_at": np.full(count, NEVER),
            "status": np.full(count, _PENDING),
            "failure": np.full(count, -1),
        }
        fate = rng.choice([_SYNCED, _FAILED, _PENDING], count, p=[0.93, 0.04, 0.03])
        done_at = pending["opened_at"] + hours(rng.lognormal(1.2, 1.1, count))
        done = pending | {
            "status": fate,
            "synced_at": np.where(fate == _SYNCED, done_at, NEVER),
            "failure": np.where(fate == _FAILED, rng.integers(0, len(SYNC_FAILURES), count), -1),
            "updated_at": done_at,
        }
        self._documents.add(pending)
        self._documents.add(take(done, fate != _PENDING))
        due = self._documents.take_before(end)
        return pa.table(
            {
                "document_id": dated("D", due["key"], 6),
                "seller_id": seller_ids(due["seller"]),
                "document_type": words(DOCUMENT_TYPES, due["type"]),
                "generated_at": stamps(due["opened_at"]),
                "synced_at": stamps(due["synced_at"]),
                "sync_status": words(SYNC_STATUSES, due["status"]),
                "failure_reason": words(SYNC_FAILURES, due["failure"]),
                "updated_at": stamps(due["updated_at"]),
            }
        )

    def _some_sellers(self, monday: date, count: int, rng: np.random.Generator) -> Column:
        return draw(rng, np.sqrt(self._world.active_weights(midnight(monday))), count)


def _opened(monday: date, opened_at: Column) -> Frame:
    """New cases: a key that sorts like the instants they were opened at."""
    order = np.argsort(np.argsort(opened_at, kind="stable"), kind="stable")
    return {"key": day_number(monday) * DAY_KEY + 1 + order, "opened_at": opened_at, "updated_at": opened_at}


def _in_office(monday: date, count: int, rng: np.random.Generator) -> Column:
    """Instants of the week in the sellers' office hours (UTC+7), fewer on the weekend."""
    weekday = draw(rng, np.array([1.2, 1.0, 1.0, 1.0, 1.0, 0.4, 0.3]), count)
    return midnight(monday) + hours(24.0 * weekday + 1 + 10 * rng.random(count))
