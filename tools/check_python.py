"""Ends with an error unless this Python is one that pyproject.toml asks for; its syntax is that of Python 3.6."""

import re
import sys
from pathlib import Path

REQUIRED = r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$'


def main() -> None:
    """Say which versions will do, where this one won't."""
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    required = re.search(REQUIRED, project.read_text(), re.MULTILINE)
    if required is None:
        sys.exit("pyproject.toml has no requires-python of the form >=3.x,<3.y")
    first, end = map(int, required.groups())
    if (3, first) <= sys.version_info[:2] < (3, end):
        return
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        f"Python {found} won't do: Python 3.{first} to 3.{end - 1} is needed.\n"
        f"Name one of these, such as make PYTHON=python3.{end - 1} demo"
    )


if __name__ == "__main__":
    main()
