"""What distinguishes one sample scenario from another: shares and rates, no code of its own."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scenario:
    """Shares (0 to 1) that shape the generated records; the defaults are an ordinary stretch of weeks.

    The gate's bounds allow for all of them: a scenario that trips a rule does so by its own values here.
    """

    name: str
    parallel_share: float = 0.65  # of the order volume, by sellers that use their OMS only: 63 % of the requests
    non_parallel_share: float = 0.305  # through OMS and supplier panel
    panel_only_share: float = 0.035  # the rest has no acceptance or manifestation call at all
    null_request_id_share: float = 0.275  # of the log records
    cross_border_share: float = 0.12  # of the sellers
    late_log_share: float = 0.003  # delivered with the files of the following week
    replayed_log_share: float = 0.0003  # delivered twice, unchanged
    negative_hop_share: float = 0.005  # of the manifestation calls: clocks that disagree
    missing_hop_share: float = 0.015  # of the hops t2 to t4
    backwards_share: float = 0.003  # of the sub-orders: confirmed before they were placed
    bad_record_share: float = 0.0005  # of the records of a file, rounded down: none in small files
    onboarding_days: float = 70.0  # from the first Monday on: in which the new sellers join
    weekly_loads: tuple[float, ...] = ()  # orders of the first weeks, as multiples of the others
    has_label_queue: bool = False  # labels take longer the more of them a client asks for in an hour
    weak_client: str = ""  # the one that breaks first
    weak_breaking_point: float = np.inf  # in busiest hours of an ordinary week
    breaking_point: float = np.inf  # of the others
    claimed_capacity: float = 0.0  # likewise, what a load test of each client is said to have shown; 0: there was none
    lag_factor: float = 1.0  # on the medians of all hops
    oms_fault_factor: float = 1.0  # on the share of failed calls that are the OMS's own fault
    day_volume_noise: float = 0.05  # standard deviation of the log of a day's share of its week


AUGUST = Scenario("august", onboarding_days=28.0)  # all its sellers have joined by the end of the month
# Five weeks up to the peak and two after it. All clients claim to be ready, one is not.
HOLIDAY = Scenario(
    "holiday",
    weekly_loads=(1.0, 1.25, 1.6, 2.3, 3.5, 1.8, 1.2),
    has_label_queue=True,
    weak_client="sample_oms_cedar",
    weak_breaking_point=1.7,
    breaking_point=12.0,
    claimed_capacity=20.0,
    lag_factor=0.4,
    oms_fault_factor=0.005,
)
# Ordinary weeks, of which some records are changed on their way into the inbox (`poisons.py`).
POISON = Scenario("poison")
SCENARIOS = {scenario.name: scenario for scenario in (Scenario("normal"), HOLIDAY, AUGUST, POISON)}


def scenario_named(name: str) -> Scenario:
    """The scenario of that name; ValueError that lists the available ones otherwise."""
    if name not in SCENARIOS:
        raise ValueError(f"unknown sample scenario {name!r}; available: {', '.join(sorted(SCENARIOS))}")
    return SCENARIOS[name]
