"""The layout of a home: what lies where in the folder of one marketplace.

Figures and rules are configuration (`orchestration.configuration`); only places come from the environment.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from metric_store.errors import MetricStoreError
from metric_store.layout import evidence_beside, store_of

HOME_VARIABLE = "METRIC_STORE_HOME"
DEFAULT_HOME = "./data"


@dataclass(frozen=True)
class Home:
    """A home: the folder that holds one marketplace's input, working data and published store."""

    root: Path

    @classmethod
    def of(cls, path: str | os.PathLike[str] | None = None) -> Home:
        """The home at `path`, else at METRIC_STORE_HOME, else ./data; it needn't exist."""
        return cls(Path(path or os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).expanduser().resolve())

    def require(self) -> Home:
        """This home, or an error if there is nothing that could be a home."""
        if not self.root.is_dir():
            raise MetricStoreError(
                f"There is no home at {self.root}.\n"
                f"Give its folder with --home or {HOME_VARIABLE}, or make one: metric-store sample --home {self.quoted}"
            )
        if not (self.inbox.is_dir() or self.published_store.is_file()):
            raise MetricStoreError(
                f"{self.root} has neither an inbox nor a published store: it isn't a home.\n"
                f"Put the files under {self.inbox}/<source>/, or name another folder with --home."
            )
        return self

    def require_writable(self) -> Home:
        """This home, or an error if there is something in it that can't be written."""
        folders = (self.root, self.inbox, self.landing, self.published, self.reports, self.dagster)
        for path in (*folders, self.ledger, self.warehouse):
            if path.exists() and not os.access(path, os.W_OK):
                raise MetricStoreError(
                    f"{path} can't be written: its disk is read-only, or it belongs to another user.\n"
                    "Change that, or name another folder with --home."
                )
        return self

    @property
    def quoted(self) -> str:
        """Its folder as one word of a shell, for the commands that a text suggests."""
        return shlex.quote(str(self.root))

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def adapters(self) -> Path:
        return self.root / "adapters"

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def ledger(self) -> Path:
        return self.landing / "ledger.sqlite"

    @property
    def quarantine(self) -> Path:
        return self.root / "quarantine"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def spark(self) -> Path:
        """What Spark keeps, where it is the engine: its catalog and tables, what it reads of a run, and its results."""
        return self.root / "spark"

    @property
    def model_docs(self) -> Path:
        """The dbt docs site, one page that holds all of it; made by `make docs`."""
        return self.root / "model_docs" / "index.html"

    @property
    def pipeline_at_peak(self) -> Path:
        """What `make bench-volume` measured, for the report."""
        return self.root / "pipeline_at_peak.json"

    @property
    def scratch(self) -> Path:
        """Working files of the run in progress; emptied when a run starts."""
        return self.root / ".scratch"

    @property
    def spill(self) -> Path:
        """Where the engine keeps what memory doesn't hold; removed when a run starts and ends."""
        return self.root / ".spill"

    @property
    def simulations(self) -> Path:
        """Working files of simulations, which no run touches."""
        return self.root / ".simulations"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def published_store(self) -> Path:
        return store_of(self.root)

    @property
    def evidence(self) -> Path:
        """The evidence of every published week, a folder for each week and build."""
        return evidence_beside(self.published_store)

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def report_index(self) -> Path:
        """The page to open in a browser: the index over weeks."""
        return self.reports / "index.html"

    def report_of(self, week: date) -> Path:
        """The folder of a week's pages."""
        return self.reports / week.isoformat()

    @property
    def data_docs(self) -> Path:
        return self.root / "data_docs"

    @property
    def data_docs_index(self) -> Path:
        """The page to open in a browser."""
        return self.data_docs / "index.html"

    @property
    def gate_context(self) -> Path:
        """Great Expectations' own files: `validations/` is the history and stays, each judging rewrites the rest."""
        return self.data_docs / "gx"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def ui_lock(self) -> Path:
        """The lock of the one UI that a home has."""
        return self.dagster / "ui.lock"

    @property
    def daemon_lock(self) -> Path:
        """The lock of Dagster's daemon: that of a UI that was killed may take a few seconds to end."""
        return self.dagster / "daemon.lock"

    @property
    def dbt_target(self) -> Path:
        return self.dagster / "dbt_target"

    @property
    def notices_told(self) -> Path:
        """What each target of notices knows, by digests of it."""
        return self.root / ".notices.json"

    @property
    def copy_note(self) -> Path:
        """Why the copy after the last publication failed; absent where it didn't."""
        return self.root / ".copy.json"

    @property
    def lock(self) -> Path:
        return self.root / ".writer.lock"

    @property
    def lock_note(self) -> Path:
        """Who holds the lock; it outlives only a run that was killed."""
        return self.root / ".writer.json"
