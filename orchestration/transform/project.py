"""The parse of the dbt project: shipped with the package, or kept in a home where the project differs from it.

`python -m orchestration.transform.project` parses the project in place, as the build of the package and `make` do.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from orchestration.home.files import write_whole
from orchestration.home.layout import Home
from orchestration.limits import EngineLimits
from orchestration.project import DBT_PROJECT_DIR, digest_of
from orchestration.transform.engine import Engine
from orchestration.transform.invocation import DbtError, invoke

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

#: The parse that belongs to the package; nothing writes it at run time.
PACKAGED_PARSE = DBT_PROJECT_DIR / "target"

_MANIFEST, _PARTIAL = "manifest.json", "partial_parse.msgpack"
#: Holds the digest of the files that were parsed; written last, so a parse that was killed doesn't count.
_PARSED = "parsed.txt"

#: dbt parses anew where a variable of the profile has another value, so every parse has the same ones.
_ANY_HOME, _ANY_LIMITS = Home(Path()), EngineLimits(threads=1)

_parsing = threading.Lock()
_parsed: dict[tuple[str, str], Manifest] = {}


def manifest_path(home: Home) -> Path:
    """The manifest of the project as it is now; parses the project into the home where the packaged one is older."""
    return _current_parse(home.dbt_target) / _MANIFEST


def parsed_manifest(home: Home, engine: Engine) -> Manifest:
    """The project as dbt's own object, for `dbtRunner`. It names no home, so one serves all of a process."""
    with _parsing:
        key = engine.target, _project_digest()
        if key not in _parsed:
            engine.prepare_process()
            target_path = home.dbt_target / engine.target
            target_path.mkdir(parents=True, exist_ok=True)
            if engine.target == Engine.target:
                # dbt starts from its last parse if it finds one, and may write there: it gets a copy.
                shutil.copyfile(_current_parse(home.dbt_target) / _PARTIAL, target_path / _PARTIAL)
            _parsed[key] = _parse(engine.target, target_path, "--no-write-json")
        return _parsed[key]


def parse_strictly(target_path: Path) -> list[str]:
    """Parse the project from nothing; returns its errors, or what dbt warns of."""
    warnings: list[str] = []

    def note(event: object) -> None:
        info = getattr(event, "info", None)
        if info is not None and info.level == "warn":
            warnings.append(info.msg.strip())

    try:
        _parse(Engine.target, target_path, "--no-partial-parse", on_event=note)
    except DbtError as error:
        return [str(error)]
    return warnings


def _current_parse(folder: Path) -> Path:
    """The packaged parse if it is of the project as it is, else the one in `folder`, made where it is missing."""
    wanted = _project_digest()
    if _digest_in(PACKAGED_PARSE) == wanted:
        return PACKAGED_PARSE
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".parse.lock"):
        if _digest_in(folder) != wanted:
            _parse_into(folder)
    return folder


def _parse_into(folder: Path) -> None:
    """Parse in full: a partial parse of a project in the middle of a change can lose dependencies."""
    digest = _project_digest()
    (folder / _PARSED).unlink(missing_ok=True)
    _parse(Engine.target, folder, "--no-partial-parse")
    write_whole(folder / _PARSED, digest)


def _parse(target: str, target_path: Path, option: str, on_event: Callable[[Any], None] | None = None) -> Any:
    return invoke(["parse", option], _ANY_HOME, target, target_path, limits=_ANY_LIMITS, on_event=on_event)


def _digest_in(folder: Path) -> str | None:
    try:
        return (folder / _PARSED).read_text()
    except OSError:
        return None


def _project_digest() -> str:
    parts = ("models", "macros", "tests")
    files = [file for part in parts for file in (DBT_PROJECT_DIR / part).rglob("*") if file.is_file()]
    return digest_of([*files, DBT_PROJECT_DIR / "dbt_project.yml", DBT_PROJECT_DIR / "profiles.yml"])


if __name__ == "__main__":
    if _digest_in(PACKAGED_PARSE) != _project_digest():
        _parse_into(PACKAGED_PARSE)
