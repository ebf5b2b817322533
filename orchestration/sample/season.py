"""How far a week is above a normal one, and the effect on OMS clients, sellers and stock."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from orchestration.sample.clients import CLIENT_NAMES
from orchestration.sample.frames import Column
from orchestration.sample.scenarios import Scenario
from orchestration.sample.words import USER_TYPES
from orchestration.sample.world import World

#: Label calls of a client in the busiest hour of an ordinary week, per order of the week that its sellers get: what the
#: ordinary sample shows once its first week is over. It is the unit in which breaking points are given.
_BUSIEST_HOUR_CALLS = 0.118
#: An overloaded queue doesn't grow for ever: callers give up.
_MOST_UTILISATION = 0.96


@dataclass(frozen=True)
class Strain:
    """What a day's load does. load: orders of an ordinary day; failures: by client, against the usual ones."""

    load: float
    failures: Column

    @property
    def excess(self) -> float:
        """How many ordinary days' orders there are on top."""
        return self.load - 1


class Season:
    """The weeks of a scenario, and the label queue of each client: one station that breaks at its capacity."""

    def __init__(self, scenario: Scenario, world: World, start: date, orders_per_week: int) -> None:
        self._scenario, self._start = scenario, start
        is_weak = np.array([name == scenario.weak_client for name in CLIENT_NAMES] + [False])
        self._breaking_points = np.where(is_weak, scenario.weak_breaking_point, scenario.breaking_point)
        calls = np.isin(world.sellers["user_type"], [USER_TYPES.index("no_flow")], invert=True)
        share = np.bincount(
            world.sellers["client"][calls],
            weights=world.sellers["weight"][calls] / world.sellers["weight"].sum(),
            minlength=len(CLIENT_NAMES) + 1,
        )
        busiest_hour = np.maximum(_BUSIEST_HOUR_CALLS * orders_per_week * share, 1.0)
        self._capacity = self._breaking_points * busiest_hour
        #: Label calls that a client's queue serves in an hour.
        self.capacity = dict(zip(CLIENT_NAMES, self._capacity.tolist(), strict=False))
        #: Hourly calls that its load test is said to have shown.
        self.claimed_capacity = {
            CLIENT_NAMES[client]: round(scenario.claimed_capacity * busiest_hour[client])
            for client in np.flatnonzero(share[:-1])
        }

    def load(self, day: date) -> float:
        """Orders of the day's week, as a multiple of an ordinary week's."""
        week = (day - self._start).days // 7
        loads = self._scenario.weekly_loads
        return loads[week] if 0 <= week < len(loads) else 1.0

    def strain(self, day: date) -> Strain:
        """What the day's load does: a client near its breaking point begins to fail."""
        load = self.load(day)
        over = np.maximum(load / self._breaking_points - 0.95, 0.0)
        return Strain(load, 1 + 8 * over)

    def waiting(self, client: Column, at: Column) -> Column:
        """How many times as long as in an empty queue a label call takes, by the calls of its client in its hour."""
        if not self._scenario.has_label_queue:
            return np.ones(len(client))
        hour = at.astype("datetime64[h]").astype(np.int64)
        _, group, calls = np.unique(hour * (len(CLIENT_NAMES) + 1) + client, return_inverse=True, return_counts=True)
        utilisation = np.minimum(calls[group] / self._capacity[client], _MOST_UTILISATION)
        waiting: Column = 1 / (1 - utilisation)
        return waiting
