"""The gate judges the profile of each week. Cheap to import: Great Expectations lives in the worker's process."""

from orchestration.gate.places import data_docs_index
from orchestration.gate.verdict import GateError, GateReport, ProfileRow, RequiredRow, Rule, RuleResult, Waiver
from orchestration.gate.worker import GateWorker

__all__ = [
    "GateError",
    "GateReport",
    "GateWorker",
    "ProfileRow",
    "RequiredRow",
    "Rule",
    "RuleResult",
    "Waiver",
    "data_docs_index",
]
