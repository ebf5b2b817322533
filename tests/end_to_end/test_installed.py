"""The built wheel, as others install it: it brings the parse of the dbt project, and writes nothing beside the home."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from orchestration.project import PROJECT_ROOT
from tests.conftest import small_sample

_CALL = """
import logging
logging.basicConfig(level=logging.WARNING)  # as a notebook or a service has it
from orchestration.cli import main
main(["run", "--home", {home!r}])
"""


def test_the_wheel_runs_without_a_write_beside_the_home_and_prints_its_own_lines(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--wheel", "--no-build-isolation"]
    subprocess.run([*build, "--python", sys.executable, "-o", str(tmp_path / "dist"), str(PROJECT_ROOT)], check=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    site, home, elsewhere = (tmp_path / name for name in ("site", "home", "elsewhere"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    elsewhere.mkdir()
    small_sample(home, weeks=1)
    before = _files(site)
    assert Path("dbt_project/target/manifest.json") in before
    done = subprocess.run(
        [sys.executable, "-c", _CALL.format(home=str(home))],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = re.compile(r" *[\d.]+ s  |Read \d+ new files: ")
    assert [line for line in done.stderr.splitlines() if not ours.match(line)] == []
    assert done.stdout.splitlines()[0].startswith("Published 1 week: ")
    assert _files(site) == before
    assert list(elsewhere.iterdir()) == []
    assert not (home / "dagster" / "dbt_target" / "manifest.json").exists(), "nothing had to be parsed"


def _files(folder: Path) -> dict[Path, int]:
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
