"""The Makefile: which Python it takes, and folders with a space."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

# Stands for an interpreter: version and name of the file say which; what it is asked for is noted.
_INTERPRETER = """#!/bin/sh
echo "$0 $*" >> "{calls}"
case "$1" in
    tools/check_python.py) exec "{python}" -c "
import sys
sys.version_info = {version}
sys.argv = ['tools/check_python.py']
exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'), {{'__name__': '__main__', '__file__': sys.argv[0]}})" ;;
    -m) [ "$2" != venv ] || {{ mkdir -p .venv/bin; cp "$0" .venv/bin/python; }} ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone without an environment."""
    for name in ("Makefile", "pyproject.toml", "requirements-dev.lock", "tools/check_python.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    return tmp_path


def interpreter(project: Path, name: str, version: tuple[int, int, int]) -> str:
    path = project / name
    path.write_text(_INTERPRETER.format(calls=project / "calls", python=sys.executable, version=version))
    path.chmod(0o755)
    return f"PYTHON=./{name}"


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=project, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_python_that_will_not_do_is_refused_and_leaves_nothing_behind(project: Path) -> None:
    for version in ((3, 10, 4), (3, 14, 0)):
        refused = make(project, interpreter(project, "unfit", version), ".venv/.installed")
        assert refused.returncode != 0
        found = ".".join(map(str, version))
        assert refused.stderr.startswith(
            f"Python {found} won't do: Python 3.11 to 3.13 is needed.\n"
            "Name one of these, such as make PYTHON=python3.13 demo\n"
        )
        assert not (project / ".venv").exists()
    made = make(project, interpreter(project, "fit", (3, 12, 1)), ".venv/.installed")
    assert made.returncode == 0, made.stderr
    assert (project / ".venv" / ".installed").exists()


@pytest.mark.parametrize("left", ["of a Python that won't do", "of an installation that was broken off"])
def test_an_environment_that_cannot_be_used_is_made_anew(project: Path, left: str) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    if left == "of a Python that won't do":
        interpreter(project, ".venv/bin/python", (3, 9, 2))
    made = make(project, interpreter(project, "fit", (3, 12, 1)), ".venv/.installed")
    assert made.returncode == 0, made.stderr
    assert "./fit -m venv --clear .venv" in (project / "calls").read_text()
    (project / ".venv" / ".installed").unlink()
    (project / "calls").write_text("")
    make(project, "PYTHON=false", ".venv/.installed")
    assert "venv" not in (project / "calls").read_text().replace(".venv", ""), "one that can be used is kept"


@pytest.mark.parametrize("target", ["demo", "ui", "bench-volume", "spark-up", "spark-down"])
def test_the_home_may_have_a_space_in_its_name(target: str) -> None:
    place = "SPARK_DIR" if target.startswith("spark") else "HOME_DIR"
    said = make(PROJECT, "--dry-run", "--old-file=.venv/.installed", f"{place}=/a home/x", target)
    assert said.stdout.splitlines()[-1].count('"/a home/x"') == 1, said
