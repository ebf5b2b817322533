"""`make audit`: looks up every pinned dependency in the package index's advisories; ends with 0 only if all are sound.

A package that the service doesn't know counts as not checked, not as sound: behind a mirror that has no advisories
every package is such a one.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-spark.lock")


def main() -> int:
    """Audits all locks at once; returns the exit status."""
    options = ["--format", "json", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    files = [option for lock in LOCKS for option in ("--requirement", str(PROJECT / lock))]
    ended = subprocess.run(
        [sys.executable, "-m", "pip_audit", *options, *files], capture_output=True, text=True, check=False
    )
    try:
        dependencies = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = ended.stderr.strip().splitlines() or ["no reason given"]
        print(f"Not audited: the advisory service can't be reached, or gave no answer. {said[-1]}", file=sys.stderr)
        return 1
    lines, status = verdict(dependencies)
    print("\n".join(lines), file=sys.stderr if status else sys.stdout)
    return status


def verdict(dependencies: Iterable[dict[str, Any]]) -> tuple[list[str], int]:
    """What pip-audit's list of dependencies says, in lines, and the exit status: 0 if all were checked and sound."""
    packages = {(package["name"], package.get("version", "")): package for package in dependencies}
    unchecked = sorted(name for (name, _), package in packages.items() if "skip_reason" in package)
    lines = [
        f"{name} {version}: {found['id']}{_known_as(found)}; {_mended(found)}"
        for (name, version), package in sorted(packages.items())
        for found in package.get("vulns", [])
    ]
    if unchecked and len(unchecked) == len(packages):
        lines.append(
            f"Not audited: the advisory service knows none of the {len(packages)} packages, so it isn't within reach; "
            "a mirror of the package index that has no advisories answers like this."
        )
    elif unchecked:
        lines.append(f"Not checked, as the advisory service doesn't know them: {', '.join(unchecked)}")
    if not packages:
        lines.append("Not audited: no package was found in the locks.")
    if lines:
        return lines, 1
    return [f"No advisory is known for the {len(packages)} packages of {', '.join(LOCKS)}."], 0


def _known_as(found: dict[str, Any]) -> str:
    return f" ({', '.join(found['aliases'])})" if found.get("aliases") else ""


def _mended(found: dict[str, Any]) -> str:
    return f"fixed in {', '.join(found['fix_versions'])}" if found.get("fix_versions") else "not fixed yet"


if __name__ == "__main__":
    sys.exit(main())
