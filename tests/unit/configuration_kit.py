"""What tests of the configuration write, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from orchestration.configuration import ConfigurationError, Problem, load_configuration
from orchestration.configuration.files import FILES_BY_STEM

WEEK = date(2024, 8, 26)
Write = Callable[[str, str], Path]


def default(stem: str) -> str:
    return FILES_BY_STEM[stem].default_path.read_text(encoding="utf-8")


def changed(stem: str, line: int, old: str, new: str) -> str:
    """The default file with a part of one line replaced."""
    lines = default(stem).splitlines(keepends=True)
    assert old in lines[line - 1], f"{old!r} must be in line {line} of {stem}: {lines[line - 1]!r}"
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return "".join(lines)


def problems_of(config_dir: Path) -> list[Problem]:
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(config_dir)
    return raised.value.problems


def only_problem(config_dir: Path) -> str:
    problems = problems_of(config_dir)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return str(problems[0])


#: Two metrics that share the weight.
HALF = "shipment_in_target_duration,50,{0}\nseller_cancel_rate,50,{0}\n"
