"""What tests of the commands share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from orchestration.cli.app import main


def call(*arguments: str | Path) -> Result:
    """A command in this process; for commands that launch no run."""
    return CliRunner().invoke(main, [*map(str, arguments)])


def ends(result: Result, status: int, *said: str) -> None:
    """It ended with this status and said these things in one or two lines of standard error, and nothing else."""
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) <= 2, result.stderr
    assert "Traceback" not in result.stderr
    for part in said:
        assert part in result.stderr


def as_text(value: object) -> str:
    """A published value as a CSV has it."""
    return "" if value is None else str(value)


def modules_after(code: str) -> set[str]:
    """The modules that a process of its own has loaded after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('modules', *sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())
