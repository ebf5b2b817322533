"""Writes the pages of the weeks whose publication changed, and the index. One rename puts each file in place."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import metric_store
from metric_store.errors import MetricStoreError
from metric_store.reading import open_store
from orchestration.configuration import load_configuration
from orchestration.home.files import write_whole
from orchestration.home.layout import Home
from orchestration.report.pages import Beside, index_page, week_pages
from orchestration.report.pipeline import mark_of_pipeline, read_pipeline
from orchestration.report.quarantine import marks_of_quarantine, read_quarantine
from orchestration.report.reading import Week, read_weeks
from orchestration.report.tables import Store
from orchestration.weeks.deadlines import publish_within
from orchestration.whatif import rehearsal

_MARK = ".mark"


@dataclass(frozen=True)
class Written:
    """What was written: the weeks whose pages are new, of all weeks that the store knows of."""

    index: Path
    weeks: tuple[date, ...]
    known: int
    bytes: int


def write_report(home: Home) -> Written:
    """Bring the report up to date with the published store; a week that shows the same as before is left alone.

    Raises MetricStoreError where there is no store, OSError where the disk refuses.
    """
    size = 0
    done: list[date] = []
    docs = "../data_docs/index.html" if home.data_docs_index.is_file() else None
    with open_store(home.published_store) as connection:
        store = Store(connection)
        weeks = read_weeks(store)
        zone, within = _settings(home, weeks)
        rejected = marks_of_quarantine(store, home, zone)
        of_all = f"{_code()} {docs} {mark_of_pipeline(home)} {zone} {within}"
        marks = {week.week_start: f"{week.fingerprint} {of_all} {rejected.get(week.week_start)}\n" for week in weeks}
        due = [week for week in weeks if _read(home.report_of(week.week_start) / _MARK) != marks[week.week_start]]
        beside = Beside(
            store=home.published_store,
            docs=docs and f"../{docs}",
            pipeline=read_pipeline(home),
            zone=zone,
            publish_within_hours=within,
            quarantine=read_quarantine(store, home, zone, [week.week_start for week in due]),
        )
        for week in due:
            folder = home.report_of(week.week_start)
            size += _write_folder(folder, week_pages(store, week, weeks, beside))
            write_whole(folder / _MARK, marks[week.week_start])
            done.append(week.week_start)
        links = {
            "What the gate checked": home.data_docs_index,
            "How each figure is computed": home.model_docs,
        }
        index = index_page(store, weeks, {text: _way_to(page, home) for text, page in links.items() if page.is_file()})
        size += write_whole(home.report_index, index)
    _remove_others(home, {week.week_start for week in weeks})
    return Written(home.report_index, tuple(done), len(weeks), size)


def _way_to(page: Path, home: Home) -> str:
    return f"../{page.relative_to(home.root).as_posix()}"


def _settings(home: Home, weeks: Sequence[Week]) -> tuple[str, int | None]:
    """The reporting time zone, and the hours from A within which a week is published.

    UTC where the published weeks are of another calendar than the settings name now; UTC and None without settings.
    """
    try:
        configuration = load_configuration(home.config)
    except (MetricStoreError, OSError):
        return "UTC", None
    same = all(w.calculated_at == configuration.calculated_at(w.week_start) for w in weeks if w.is_published)
    zone = configuration.settings.reporting_timezone if same else "UTC"
    return zone, publish_within(configuration) // timedelta(hours=1)


@cache
def _code() -> str:
    digest = hashlib.sha256()
    readers = Path(metric_store.__file__).parent  # what moved a figure, and what would end a limit, are told there
    for path in [Path(rehearsal.__file__), *sorted(readers.glob("*.py")), *sorted(Path(__file__).parent.rglob("*"))]:
        if path.suffix in (".py", ".html", ".css", ".js"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _write_folder(folder: Path, pages: Mapping[str, str]) -> int:
    """The files of a week, the page that leads to the others last; files of an earlier build go after it."""
    size = sum(
        write_whole(folder / name, text)
        for name, text in sorted(pages.items(), key=lambda page: page[0] == "index.html")
    )
    kept = {folder / name for name in pages}
    for path in folder.rglob("*"):
        if path.is_file() and path not in kept and path.name != _MARK:
            path.unlink()
    return size


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def _remove_others(home: Home, weeks: set[date]) -> None:
    """Remove the pages of weeks that the store doesn't know: it was begun anew."""
    for mark in home.reports.glob(f"*/{_MARK}"):
        if mark.parent.name not in {week.isoformat() for week in weeks}:
            shutil.rmtree(mark.parent)
