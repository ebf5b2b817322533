"""Synthetic raw files for demos and tests: invented sellers, brands, buyers and orders, none of them real.

Logs come as day files, everything else as weekly files; together they use every format the inbox accepts. The files
hold what real exports hold: late and replayed log records, newer versions of older orders, clocks that disagree, and
a few bad records for the quarantine. Scenarios differ in their shares (`scenarios.py`), not in code.
"""

from orchestration.sample.generator import DEFAULT_START, SampleSummary, write_sample
from orchestration.sample.scenarios import SCENARIOS

__all__ = ["DEFAULT_START", "SCENARIOS", "SampleSummary", "write_sample"]
