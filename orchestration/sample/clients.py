"""The OMS clients of the sample and their habits: speed, failures, and how often they leave out the request id."""

from dataclasses import dataclass, fields

import numpy as np

from orchestration.sample.frames import Column


@dataclass(frozen=True)
class _Client:
    name: str
    volume: float  # relative share of the sub-orders
    null_request_ids: float  # share of its records, before all clients are scaled to the scenario's share
    accept_failures: float  # share of first acceptance calls
    manifest_failures: float  # share of first manifestation calls
    oms_faults: float  # share of the failed calls that are the OMS's own fault
    retry_minutes: float  # until the second attempt; doubled for each further one
    hop_seconds: float  # median of the lag from t1 to t2
    label_seconds: float  # median of each later hop
    restlessness: float  # standard deviation of the log of a lag


_CLIENTS = (
    _Client("sample_oms_amber", 14.0, 0.24, 0.030, 0.050, 0.05, 10, 0.9, 3.0, 0.5),
    _Client("sample_oms_birch", 12.0, 0.22, 0.025, 0.040, 0.06, 5, 0.6, 2.2, 0.4),
    _Client("sample_oms_cedar", 10.0, 0.30, 0.050, 0.070, 0.10, 15, 1.5, 4.5, 0.6),
    _Client("sample_oms_delta", 9.0, 0.28, 0.040, 0.060, 0.25, 10, 1.2, 4.0, 0.7),
    _Client("sample_oms_ember", 8.0, 0.35, 0.060, 0.090, 0.30, 30, 2.5, 6.0, 0.7),
    _Client("sample_oms_fjord", 8.0, 0.18, 0.015, 0.030, 0.04, 5, 0.5, 1.8, 0.3),
    _Client("sample_oms_grove", 7.0, 0.31, 0.045, 0.065, 0.20, 15, 1.8, 4.0, 0.5),
    _Client("sample_oms_heron", 6.0, 0.26, 0.035, 0.055, 0.15, 10, 1.0, 3.5, 0.6),
    _Client("sample_oms_indigo", 6.0, 0.40, 0.080, 0.120, 0.45, 30, 4.0, 9.0, 0.8),
    _Client("sample_oms_juniper", 5.0, 0.20, 0.020, 0.035, 0.05, 5, 0.8, 2.5, 0.4),
    _Client("sample_oms_kestrel", 5.0, 0.33, 0.050, 0.080, 0.12, 20, 2.0, 5.0, 0.6),
    _Client("sample_oms_lagoon", 4.0, 0.29, 0.040, 0.060, 0.10, 10, 1.3, 3.8, 0.5),
    _Client("sample_oms_maple", 3.0, 0.45, 0.110, 0.150, 0.55, 45, 5.0, 11.0, 0.9),
    _Client("sample_oms_nimbus", 3.0, 0.12, 0.020, 0.040, 0.08, 5, 0.7, 2.0, 0.4),
)

CLIENT_NAMES = tuple(client.name for client in _CLIENTS)


def habit(name: str) -> Column:
    """One habit of all clients: float array of shape (clients + 1,); the last entry, reached by the client code -1
    of sellers without an OMS, is 0."""
    if name not in {field.name for field in fields(_Client)}:
        raise KeyError(name)
    return np.array([*(float(getattr(client, name)) for client in _CLIENTS), 0.0])
