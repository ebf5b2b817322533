"""The seed of the fault campaign and what it did, at the end of pytest's output and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import campaign

_FOLDER = pytest.StashKey[Path]()


@pytest.fixture(scope="session", autouse=True)
def folder_of_the_report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    request.config.stash[_FOLDER] = tmp_path_factory.getbasetemp()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not campaign.REPORT:
        return
    lines = [f"seed {campaign.SEED}", *campaign.REPORT]
    terminalreporter.section("fault campaign")
    for line in lines:
        terminalreporter.write_line(line)
    file = terminalreporter.config.stash[_FOLDER] / "fault-campaign.txt"
    file.write_text("\n".join(lines) + "\n")
    terminalreporter.write_line(f"also in {file}")
