"""Paths of the project's own files, and the version of the code that computes the figures."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
DEFAULT_CONFIG_DIR = DBT_PROJECT_DIR / "seeds"


@cache
def code_version() -> str:
    """The release, and a digest of what makes the figures: the SQL, and the registry that it is written for."""
    files = [file for part in ("macros", "models") for file in (DBT_PROJECT_DIR / part).rglob("*.sql")]
    files.append(DBT_PROJECT_DIR / "dbt_project.yml")
    return f"{importlib.metadata.version('brand-experience-metric-store')}+{digest_of(files)[:8]}"


def digest_of(files: list[Path]) -> str:
    """A digest of files of the dbt project, of their names and what they hold."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(DBT_PROJECT_DIR).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
