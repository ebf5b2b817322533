"""What distinguishes one sample scenario from another: shares and rates, no code of its own."""

from dataclasses import dataclass


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
    day_volume_noise: float = 0.05  # standard deviation of the log of a day's share of its week


AUGUST = Scenario("august", onboarding_days=28.0)  # all its sellers have joined by the end of the month
SCENARIOS = {scenario.name: scenario for scenario in (Scenario("normal"), AUGUST)}


def scenario_named(name: str) -> Scenario:
    """The scenario of that name; ValueError that lists the available ones otherwise."""
    if name not in SCENARIOS:
        raise ValueError(f"unknown sample scenario {name!r}; available: {', '.join(sorted(SCENARIOS))}")
    return SCENARIOS[name]
