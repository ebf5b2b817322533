"""Synthetic raw files for demos and tests: invented sellers, brands, buyers and orders, none of them real.

Logs come as day files, everything else as weekly files; together they use every format the inbox accepts. The files
hold what real exports hold: late and replayed log records, newer versions of older orders, clocks that disagree, and
a few bad records for the quarantine. Scenarios differ in their shares (`scenarios.py`), not in code; but for `august`,
a month too large for arrays in memory, whose heavy sources the engine writes (`august/`).
"""

from orchestration.sample.august import write_august
from orchestration.sample.files import SampleSummary
from orchestration.sample.generator import DEFAULT_START, write_sample
from orchestration.sample.scenarios import AUGUST, POISON, SCENARIOS

__all__ = ["AUGUST", "DEFAULT_START", "POISON", "SCENARIOS", "SampleSummary", "write_august", "write_sample"]
