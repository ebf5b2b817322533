"""The audit of the locks: what was not checked is never called sound."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tools import audit

SOUND = {"name": "numpy", "version": "2.5.0", "vulns": []}
UNKNOWN = {"name": "duckdb", "skip_reason": "Dependency not found on PyPI and could not be audited: duckdb (2.0.0)"}
BAD = {
    "name": "aiohttp",
    "version": "3.1",
    "vulns": [
        {"id": "PYSEC-1", "aliases": ["CVE-1", "GHSA-1"], "fix_versions": ["3.2", "4.0"], "description": "..."},
        {"id": "PYSEC-2", "aliases": [], "fix_versions": []},
    ],
}


def test_all_checked_and_sound() -> None:
    lines, status = audit.verdict([SOUND, SOUND])
    assert (lines[0].startswith("No advisory is known for the 1 packages of requirements.lock, "), status) == (True, 0)


def test_each_advisory_is_named_with_what_mends_it() -> None:
    assert audit.verdict([SOUND, BAD]) == (
        ["aiohttp 3.1: PYSEC-1 (CVE-1, GHSA-1); fixed in 3.2, 4.0", "aiohttp 3.1: PYSEC-2; not fixed yet"],
        1,
    )


@pytest.mark.parametrize(
    ("dependencies", "said"),
    [
        ([UNKNOWN], "Not audited: the advisory service knows none of the 1 packages"),
        ([SOUND, UNKNOWN], "Not checked, as the advisory service doesn't know them: duckdb"),
        ([], "Not audited: no package was found"),
    ],
)
def test_what_was_not_checked_is_not_sound(dependencies: list[dict[str, Any]], said: str) -> None:
    lines, status = audit.verdict(dependencies)
    assert lines[0].startswith(said)
    assert status == 1


@pytest.mark.parametrize("answer", ["", "{}", "<html>"])
def test_no_answer_is_an_error_of_one_line(
    answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = "Traceback\n  line 1\nConnectionError: no route"
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, answer, error))
    assert audit.main() == 1
    said = capsys.readouterr().err
    assert said.endswith("can't be reached, or gave no answer. ConnectionError: no route\n")
    assert said.count("\n") == 1


def test_every_lock_is_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}')

    monkeypatch.setattr(subprocess, "run", run)
    assert audit.main() == 0
    audited = {argument for argument in commands[0] if argument.endswith(".lock")}
    assert audited == {str(lock) for lock in audit.PROJECT.glob("*.lock")}
