"""From calls to log records: requests, missing request ids, the stamps t1 to t5, failure and retry reasons."""

from datetime import date, timedelta

import numpy as np

from orchestration.sample.clients import habit
from orchestration.sample.frames import (
    DAY_KEY,
    NEVER,
    Carry,
    Column,
    Frame,
    day_number,
    midnight,
    seconds,
    size,
    take,
    within_group,
)
from orchestration.sample.scenarios import Scenario
from orchestration.sample.season import Season
from orchestration.sample.words import CALL_FAILURES, EVENTS, FLOWS, OMS_FAULTS, OTHER_FAULTS, RETRY_REASONS, USER_TYPES
from orchestration.sample.world import World

MAX_SUB_ORDERS = 200
STAMPS = ("t1_received_at", "t2_sos_notified_at", "t3_label_created_at", "t4_label_shared_at", "t5_label_sent_at")
_LABEL_CREATED = STAMPS[2]
_MANIFESTATION = FLOWS.index("manifestation")
_PANEL_CALLS = 0.35  # of the requests of sellers that use both channels
_HIGHEST_NULL_SHARE = 0.55

# How much likelier than others an event comes without a request id.
_NULL_FACTORS = {"polling_event": 1.6, "sku_master": 1.5, "sku_master_update": 1.4, "label_generated": 0.8}
_NULL_FACTOR = np.array([_NULL_FACTORS.get(event, 1.0) for event in EVENTS])


class DailyLogs:
    """The log records of one day after the other; calls and records of a later day wait in here."""

    def __init__(self, scenario: Scenario, world: World, season: Season) -> None:
        self._scenario, self._world, self._season = scenario, world, season
        self._calls = Carry("at")
        self._records = Carry("logged_at")
        self._null_shares = _null_shares(scenario, world)
        self._owed = np.zeros(len(self._null_shares))  # records without id that each client is still to send

    def add(self, calls: Frame) -> None:
        """Calls of any day from the next one asked for on."""
        self._calls.add(calls)

    def records_of(self, day: date, rng: np.random.Generator) -> Frame:
        """The records logged on the day, in the order of logged_at, with a `log_key` that sorts like them."""
        end = midnight(day + timedelta(days=1))
        self._records.add(self._record(self._calls.take_before(end), day, rng))
        records = self._records.take_before(end)
        records["log_key"] = day_number(day) * DAY_KEY + 1 + np.arange(size(records))
        return records

    def _record(self, calls: Frame, day: date, rng: np.random.Generator) -> Frame:
        calls, request, place = _grouped(calls)
        rows, requests = size(calls), int(request.max(initial=-1)) + 1
        first = np.flatnonzero(np.append(True, request[1:] != request[:-1]))
        seller = calls["seller"]
        client = self._world.sellers["client"][seller]

        user_type = self._world.sellers["user_type"][seller[first]]
        by_panel = user_type == USER_TYPES.index("panel_only")
        by_panel |= (user_type == USER_TYPES.index("non_parallel")) & (rng.random(requests) < _PANEL_CALLS)
        is_null = self._without_id(calls["event"][first], client[first], calls["is_poll"][first], request, rng)
        request_key = np.where(is_null, -1, day_number(day) * DAY_KEY + 1 + np.arange(requests))

        records = calls | {
            "client": client,
            "channel": by_panel[request].astype(int),
            "request_key": request_key[request],
            "failure_reason": _failure_reasons(calls, client, self._oms_faults(day), rng),
            "retry_reason": np.where(calls["attempt"] > 1, rng.integers(-1, len(RETRY_REASONS), rows), -1),
        }
        self._stamp(records, place, rng)
        return records

    def _without_id(
        self, event: Column, client: Column, is_poll: Column, request: Column, rng: np.random.Generator
    ) -> Column:
        """Which requests carry no id, so that each client's share of records without one is the same every week.

        Drawn one by one, the shares of small clients would wander; here what a day leaves open the next day makes up.
        """
        clients = len(self._null_shares)
        records = np.bincount(request, minlength=len(event)).astype(float)
        droppable = np.where(is_poll, 0.0, records)  # a poll needs its id
        self._owed += self._null_shares * np.bincount(client, weights=records, minlength=clients)
        most = _HIGHEST_NULL_SHARE * np.bincount(client, weights=droppable, minlength=clients)
        quota = np.minimum(self._owed, most)

        turn = rng.exponential(1 / _NULL_FACTOR[event])
        order = np.lexsort((turn, client))
        ordered = client[order]
        reached = np.cumsum(droppable[order])
        starts = np.append(True, ordered[1:] != ordered[:-1])
        before = np.maximum.accumulate(np.where(starts, reached - droppable[order], 0.0))
        is_null = np.zeros(len(event), dtype=bool)
        is_null[order] = reached - before <= quota[ordered]
        is_null &= ~is_poll
        self._owed -= np.bincount(client, weights=records * is_null, minlength=clients)
        return is_null

    def _oms_faults(self, day: date) -> Column:
        """By client, the share of its failed calls that are its own fault; of what overload adds, nearly all are."""
        usual = self._scenario.oms_fault_factor * habit("oms_faults")
        failures = self._season.strain(day).failures
        share: Column = (usual + 0.9 * (failures - 1)) / failures
        return share

    def _stamp(self, records: Frame, place: Column, rng: np.random.Generator) -> None:
        """Add t1 to t5 to manifestation records and logged_at to all; a failed call ends on its way."""
        rows = size(records)
        client, scenario = records["client"], self._scenario
        hour = (records["at"] - records["at"].astype("datetime64[D]")) / np.timedelta64(1, "h")
        load = 1 + 0.5 * np.exp(-(((hour - 5) / 4) ** 2))  # slower while most sellers pack
        restless = habit("restlessness")[client]
        is_label = records["flow"] == _MANIFESTATION
        waiting = np.ones(rows)
        waiting[is_label] = self._season.waiting(client[is_label], records["at"][is_label])
        if scenario.has_label_queue:  # which is what makes them slower
            load = np.ones(rows)

        reached = np.where(records["is_success"], 5, rng.integers(2, 5, rows))
        stamp = records["at"] + seconds(0.15 * place)
        logged_at = stamp
        for number, name in enumerate(STAMPS, start=1):
            if number > 1:
                median = scenario.lag_factor * habit("hop_seconds" if number == 2 else "label_seconds")[client]
                queue = waiting if name == _LABEL_CREATED else 1.0
                stamp = stamp + seconds(0.05 + median * load * queue * rng.lognormal(0, restless))
            logged_at = np.where(number <= reached, stamp, logged_at)
            gone = (number in (2, 3, 4)) & (rng.random(rows) < scenario.missing_hop_share)
            records[name] = np.where(is_label & (number <= reached) & ~gone, stamp, NEVER)
        disagrees = rng.random(rows) < scenario.negative_hop_share
        earlier = records[STAMPS[1]] - seconds(rng.uniform(0.01, 2, rows))
        records[STAMPS[2]] = np.where(disagrees & ~np.isnat(records[STAMPS[2]]), earlier, records[STAMPS[2]])
        records["logged_at"] = logged_at + seconds(rng.uniform(0.005, 0.2, rows))


def _null_shares(scenario: Scenario, world: World) -> Column:
    """Share of records without request id per client, scaled so that all clients together have the scenario's."""
    share = habit("null_request_ids")[:-1]
    has_oms = world.sellers["client"] >= 0
    client, weight = world.sellers["client"][has_oms], world.sellers["weight"][has_oms]
    volume = np.bincount(client, weights=weight, minlength=len(share))
    scaled: Column = share * scenario.null_request_id_share / np.average(share, weights=volume)
    return scaled


def _grouped(calls: Frame) -> tuple[Frame, Column, Column]:
    """The calls sorted by request, the request's number and the place within it.

    One seller's calls of one kind at the same instant are one request, up to 200 sub-orders. Requests are numbered in
    time.
    """
    keys = ("attempt", "is_poll", "flow", "event", "seller", "at")
    calls = take(calls, np.lexsort([calls["sub_key"], *(calls[key] for key in keys)]))
    starts = np.append(True, np.zeros(size(calls) - 1, dtype=bool))
    for key in keys:
        starts[1:] |= calls[key][1:] != calls[key][:-1]
    starts |= within_group(starts) % MAX_SUB_ORDERS == 0
    return calls, np.cumsum(starts) - 1, within_group(starts)


def _failure_reasons(calls: Frame, client: Column, oms_faults: Column, rng: np.random.Generator) -> Column:
    """A reason code for each failed call: the OMS's own fault as often as the client is known for, 3 % without."""
    rows = size(calls)
    is_oms_fault = rng.random(rows) < oms_faults[client]
    which = rng.random(rows)
    reason = np.full(rows, -1)
    for flow in (*range(len(FLOWS)), -1):
        for names, at_fault in ((OMS_FAULTS[flow], is_oms_fault), (OTHER_FAULTS[flow], ~is_oms_fault)):
            codes = np.array([CALL_FAILURES.index(name) for name in names])
            # The power favours the first reason and makes the last one, mapped nowhere, rare.
            chosen = codes[(len(codes) * which**4).astype(int)]
            reason = np.where((calls["flow"] == flow) & at_fault, chosen, reason)
    return np.where(~calls["is_success"] & (rng.random(rows) >= 0.03), reason, -1)
