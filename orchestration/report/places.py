"""File names of the report's pages. Not here: their folder, which the home knows."""

from __future__ import annotations

import hashlib
import re


def page_name(text: str) -> str:
    """A file name for an id of any kind; different ids have different names, also where case doesn't count."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", text) and not re.search(r"-[0-9a-f]{8}$", text):
        return f"{text}.html"
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain or 'client'}-{digest}.html"
