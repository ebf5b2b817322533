"""What the engine may take of the machine, and where it keeps what memory doesn't hold: the same for ingest and dbt."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from orchestration.errors import UsageError
from orchestration.home.layout import Home

_MEMORY = r"\d+(\.\d+)?\s*(%|[KMGT]i?B)"

EngineConfig = dict[str, str | bool | int | float | list[str]]


@dataclass(frozen=True)
class EngineLimits:
    """What one engine takes at most.

    memory: of what it holds, such as `4GB`, or a share of the machine's such as `25%`; a process takes about 1 GB more.
    threads: None for as many as there are cores.
    """

    memory: str = "25%"
    threads: int | None = None

    @classmethod
    def of(cls, memory: str | None = None, threads: int | None = None) -> EngineLimits:
        """The limits that were asked for, by default a quarter of memory and all cores. Raises UsageError."""
        if memory and not re.fullmatch(_MEMORY, memory.strip(), re.IGNORECASE):
            raise UsageError(f"{memory!r} is no amount of memory: write 4GB, 512MiB or 25%.")
        return cls(memory.strip() if memory else cls.memory, threads or None)

    @property
    def cores(self) -> int:
        return self.threads or os.cpu_count() or 1


#: A quarter of the machine's memory, and all of its cores.
DEFAULT_LIMITS = EngineLimits()


def engine_config(home: Home, limits: EngineLimits) -> EngineConfig:
    """The settings of an engine that works for a home."""
    return {
        "memory_limit": limits.memory,
        "threads": limits.cores,
        "temp_directory": str(home.spill),
        # DuckDB 2.0.0 fails now and then where it collects the small chunks that come out of a join.
        "enable_caching_operators": False,
    }
