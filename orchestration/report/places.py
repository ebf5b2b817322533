"""Where pages of the report are, and how they are called. Not here: what they say."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

from orchestration.home.layout import Home


def report_index(home: Home) -> Path:
    """The page to open in a browser: the index over weeks."""
    return home.reports / "index.html"


def week_folder(home: Home, week: date) -> Path:
    """The folder of a week's pages."""
    return home.reports / week.isoformat()


def page_name(text: str) -> str:
    """A file name for an id of any kind; different ids have different names, also where case doesn't count."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", text) and not re.search(r"-[0-9a-f]{8}$", text):
        return f"{text}.html"
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain or 'client'}-{digest}.html"
