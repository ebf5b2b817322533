"""Limits on what the engine may use, the same for ingest and dbt, and on the size of what comes in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

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

    def at_most(self, megabytes: int) -> EngineLimits:
        """These limits, with no more memory than that."""
        amount, unit = re.findall(r"([\d.]+)\s*(\S+)", self.memory)[0]
        if unit == "%":
            size = float(amount) / 100 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        else:
            size = float(amount) * (1024 if "i" in unit.lower() else 1000) ** ("KMGT".index(unit[0].upper()) + 1)
        return self if size <= megabytes * 10**6 else EngineLimits(f"{megabytes}MB", self.threads)

    @property
    def cores(self) -> int:
        return self.threads or os.cpu_count() or 1


def _limit(default: int, what: str) -> Any:
    return field(default=default, metadata={"what": what})


@dataclass(frozen=True)
class InputLimits:
    """How much one file or adapter may hold or take; more makes it fail. `settings.csv` may name each with another."""

    max_file_columns: int = _limit(2_000, "columns of a file; keys of all records of JSON lines together")
    max_record_mb: int = _limit(2, "MB of a record: a row of CSV, a line of JSON")
    max_file_weeks: int = _limit(520, "weeks that a file has records of")
    max_unpacked_mb: int = _limit(20_000, "MB of a file when it is unpacked")
    max_unpacked_ratio: int = _limit(200, "times its size that a file takes unpacked, where that is over 64 MB")
    max_configuration_rows: int = _limit(100_000, "rows of a configuration file, of 1,000 bytes on average")
    max_adapter_seconds: int = _limit(900, "seconds that an adapter runs")
    max_adapter_memory_mb: int = _limit(4_000, "MB of memory of an adapter's engine, if `--memory-limit` isn't less")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> InputLimits:
        """The limits that settings name, by default these."""
        return cls(**{limit.name: settings[limit.name] for limit in fields(cls) if limit.name in settings})

    def unpacked_bytes(self, size: int) -> int:
        """How many bytes a file of this size may have unpacked."""
        return min(self.max_unpacked_mb * 10**6, max(size * self.max_unpacked_ratio, _SMALL))


def raise_limit(name: str, found: str) -> str:
    """Why a file fails that holds more than the limit of this name, and what to do."""
    return f"{found}: if that is right, raise {name} in config/settings.csv and touch the file"


#: Up to this size the ratio is not limited.
_SMALL = 64 * 10**6
DEFAULT_INPUT_LIMITS = InputLimits()
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
