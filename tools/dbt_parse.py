"""`make check`: parses the whole dbt project from nothing, and fails on an error or a deprecation."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from orchestration.transform.project import parse_strictly


def main() -> int:
    """Parse into a folder of its own, so that no earlier parse hides anything."""
    with tempfile.TemporaryDirectory() as target:
        complaints = parse_strictly(Path(target))
    print("\n".join(complaints) or "dbt parse: ok", file=sys.stderr if complaints else sys.stdout)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
