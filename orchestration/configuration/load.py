"""Finds the configuration files that are in effect, reads them and checks them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from orchestration.configuration.checks import check_contents
from orchestration.configuration.configuration import Configuration
from orchestration.configuration.files import FILES, FILES_BY_STEM, AllSettings, Setting, Settings
from orchestration.configuration.problems import ConfigurationError, Problem, shown
from orchestration.configuration.reading import BYTES_OF_ROW, Content, read_content, wrong_values
from orchestration.configuration.values import canonical_text, one_of_text
from orchestration.home.files import read_plain
from orchestration.limits import InputLimits


def load_configuration(config_dir: Path | None, instead: Path | None = None) -> Configuration:
    """The configuration of a home: a file in `config_dir` replaces the default of the same name as a whole.

    Of settings.csv and gate_rules.csv it replaces only the keys and rules that it names, so that changing one takes one
    line, and a file of an earlier release holds. Files of `instead` replace those of `config_dir` in the same way, to
    try them out. A folder that does not exist, or None, replaces nothing; hidden files in it are left alone. Raises
    ConfigurationError with every problem of every file, before anything is built.
    """
    given: list[dict[str, Path]] = []
    problems: list[Problem] = []
    for folder in (instead, config_dir):
        overrides, wrong = _overrides(folder)
        given.append(overrides)
        problems += wrong
    # The file that counts first, what it leaves out after it.
    paths = {
        file.stem: [*(files[file.name] for files in given if file.name in files), file.default_path] for file in FILES
    }
    most_rows = InputLimits().max_configuration_rows
    contents: dict[str, Content] = {}
    for stem, files in paths.items():
        contents[stem] = _read(stem, files, most_rows)
        if stem == "settings" and (settings := _read_settings(contents[stem])):  # the first, which limit the others
            most_rows = InputLimits.of(dict(settings)).max_configuration_rows
    check_contents(contents)
    problems += [problem for content in contents.values() for problem in content.problems]
    if problems:
        raise ConfigurationError(problems)
    rows = {stem: content.rows for stem, content in contents.items()}
    return Configuration(rows, {stem: found[0] for stem, found in paths.items()})


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
        reason = f"cannot be read as a folder of configuration files ({error.strerror}); correct or remove it"
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


def _read(stem: str, paths: Sequence[Path], most_rows: int) -> Content:
    """The content of the first of the files; the others give the rows that it doesn't name, where rows have names."""
    file, path = FILES_BY_STEM[stem], paths[0]
    try:
        if path == file.default_path:
            content = read_content(file, path.read_bytes())
        else:
            content = read_content(file, read_plain(path, most_rows * BYTES_OF_ROW + 1), most_rows)
    except OSError as error:
        content = Content(file)
        content.report(None, None, f"{path} cannot be read ({error.strerror}); correct or remove it")
    if file.named_by and content.is_clean and len(paths) > 1:
        given = {row.values[file.named_by] for row in content.rows}
        rest = _read(stem, paths[1:], most_rows)
        content.rows += [row for row in rest.rows if row.values[file.named_by] not in given]
        content.problems += rest.problems
    return content


def _read_settings(content: Content) -> Settings | None:
    """Reads the values, whose types only their keys tell, and gives each its one spelling; None where one is wrong."""
    given = content.rows_of(Setting)
    lines = {row.key: row.line for row in given}
    try:
        settings = AllSettings.model_validate({row.key: row.value for row in given})
    except ValidationError as error:
        for key, message in wrong_values(error, AllSettings.model_fields):
            if key in lines:
                content.report(lines[key], "value", f"the {key} {message}")
        return None
    content.rows = [row.model_copy(update={"value": canonical_text(getattr(settings, row.key))}) for row in given]
    return settings
