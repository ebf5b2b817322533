"""Where the gate keeps its files in a home's folder for Data Docs. Not here: any other place, see `settings.Home`."""

from __future__ import annotations

from pathlib import Path

from orchestration.home.layout import Home


def data_docs_index(home: Home) -> Path:
    """The page to open in a browser."""
    return home.data_docs / "index.html"


def context_folder(home: Home) -> Path:
    """Great Expectations' own files: `validations/` is the history and stays, each judging rewrites the rest."""
    return home.data_docs / "gx"
