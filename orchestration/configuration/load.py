"""Finds the configuration files that hold, reads them, and lets none through that is wrong."""

from __future__ import annotations

from pathlib import Path

from orchestration.configuration.checks import check_contents
from orchestration.configuration.configuration import Configuration
from orchestration.configuration.files import FILES, FILES_BY_STEM, SETTINGS
from orchestration.configuration.problems import ConfigurationError, Problem, shown
from orchestration.configuration.reading import Content, read_content
from orchestration.configuration.values import one_of_text


def load_configuration(config_dir: Path | None) -> Configuration:
    """The configuration of a home: a file in `config_dir` replaces the default of the same name as a whole.

    The one exception is settings.csv: a key that the home's file leaves out has the default value, so that changing
    one setting takes one line. A folder that does not exist, or None, means all defaults; hidden files in it are
    left alone. Raises ConfigurationError with every problem of every file, before anything is built.
    """
    overrides, problems = _overrides(config_dir)
    paths = {file.stem: overrides.get(file.name, file.default_path) for file in FILES}
    contents = {file.stem: _read(file.stem, paths[file.stem]) for file in FILES}
    check_contents(contents)
    problems += [problem for content in contents.values() for problem in content.problems]
    if problems:
        raise ConfigurationError(problems)
    rows = {stem: content.rows for stem, content in contents.items()}
    return Configuration(rows, paths)


def _overrides(config_dir: Path | None) -> tuple[dict[str, Path], list[Problem]]:
    """The files of the home's folder by name, and those that are no configuration file."""
    if config_dir is None:
        return {}, []
    try:
        # Listed, not asked for one by one: a name that differs in case, or a dead link, must not mean the default.
        found = sorted(path for path in config_dir.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        reason = f"cannot be read as a folder of configuration files ({error.strerror}); mend or remove it"
        return {}, [Problem(str(config_dir), None, None, reason)]
    known = tuple(file.name for file in FILES)
    problems = [
        Problem(
            path.name if path.name.isprintable() else shown(path.name),
            None,
            None,
            f"is not a configuration file; rename it or move it out of {config_dir}; {one_of_text(path.name, known)}",
        )
        for path in found
        if path.name not in known
    ]
    return {path.name: path for path in found if path.name in known}, problems


def _read(stem: str, path: Path) -> Content:
    file = FILES_BY_STEM[stem]
    try:
        content = read_content(file, path.read_bytes())
    except OSError as error:
        content = Content(file)
        content.report(None, None, f"{path} cannot be read ({error.strerror}); mend or remove it")
    if stem == "settings" and content.is_clean and path != file.default_path:
        given = {row.text("key") for row in content.rows}
        if len(given) < len(SETTINGS):
            content.rows += [row for row in _read(stem, file.default_path).rows if row.text("key") not in given]
    return content
