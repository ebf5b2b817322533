"""The rules of the gate, as gate_rules.csv has them. Not here: what is measured (dbt), and which weeks are judged."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

Severity = Literal["error", "warning"]

# Rule ids are columns of the frame that Great Expectations judges, so nothing that could need quoting is let in.
_RULE_ID = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of gate_rules.csv. A bound belongs to the permitted range; None is no bound."""

    rule_id: str
    severity: Severity
    lower: float | None
    upper: float | None
    set_on: date
    reason: str

    def __post_init__(self) -> None:
        if not _RULE_ID.fullmatch(self.rule_id):
            raise ValueError(f"rule id {self.rule_id!r}: use lower-case letters, digits and underscores")
        if self.severity not in get_args(Severity):
            raise ValueError(f"rule {self.rule_id}: severity {self.severity!r} is neither error nor warning")
        for side in ("lower", "upper"):
            bound = getattr(self, side)
            if bound is not None and not math.isfinite(bound):
                raise ValueError(f"rule {self.rule_id}: {side} is {bound}, not a number; leave it out for no bound")
            object.__setattr__(self, side, None if bound is None else float(bound))  # decimals of the configuration
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"rule {self.rule_id}: lower {self.lower} is greater than upper {self.upper}")

    @property
    def permitted(self) -> str:
        """The permitted range: `0 to 60`, `at most 5`, `at least 0.5`, `7`, or `any number`."""
        if self.lower is None and self.upper is None:
            return "any number"
        if self.lower is None:
            return f"at most {self.upper:g}"
        if self.upper is None:
            return f"at least {self.lower:g}"
        return f"{self.lower:g}" if self.lower == self.upper else f"{self.lower:g} to {self.upper:g}"
