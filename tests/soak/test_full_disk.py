"""A disk that fills up in each stage of a run: the run says so, readers keep what they had, and it goes on with space.

The home lies on a small disk in memory. How much each stage takes is measured with an undisturbed run first.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import Running
from tests.soak.campaign import REPORT, STAGES, Case, check_between, make_case, numbers, reading, recover

pytestmark = pytest.mark.soak

_ENOUGH = 1 << 30


@contextmanager
def disk(place: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes; skips the test where none can be had."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk needs the right to mount one: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def used(place: Path) -> int:
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("cases") / "restated", "restated", [])


@pytest.fixture(scope="module")
def most(case: Case, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The most bytes that a home takes in each stage, and before the run."""
    with disk(tmp_path_factory.mktemp("disks") / "large", _ENOUGH) as place:
        home = case.new_home(place / "home")
        found = {"before": used(place), **dict.fromkeys(STAGES, 0)}
        run = Running(home)
        while run.is_at_work:
            stage, bytes_used = case.stage(run.steps), used(place)
            if stage in found:
                found[stage] = max(found[stage], bytes_used)
            time.sleep(0.01)
        assert run.end().status == case.status
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_is_full_in_a_stage(stage: str, case: Case, most: dict[str, int], tmp_path: Path) -> None:
    stages = list(most)
    least = max(most[earlier] for earlier in stages[: stages.index(stage)])
    if most[stage] - least < 200_000:
        pytest.skip(f"{stage} takes no more space than what comes before it")
    size = int(least + (0.2 + 0.6 * numbers(f"disk-{stage}").random()) * (most[stage] - least))
    with disk(tmp_path / "small", size) as place:
        home = case.new_home(place / "home")
        with reading(case, home) as reader:
            run = Running(home)
            ended = run.end()
            assert ended.status == 1, ended.text
            said = ended.err.splitlines()
            at = said.index(f"Error: No space is left on the disk of {home}.")
            assert said[at + 1 :] == [
                "The published store is whole; free some space, and run again to go on from here."
            ]
            assert "Traceback" not in ended.text
            assert run.children_that_stay == []
            published = check_between(case, home)
            subprocess.run(["mount", "-o", f"remount,size={_ENOUGH}", str(place)], check=True)
            recover(case, home, [])
    REPORT.append(
        f"disk full, meant for {stage} ({size:,} bytes): stopped in {case.stage(run.steps)}; "
        f"published then: {published}; store opened {reader.opened} times meanwhile"
    )
