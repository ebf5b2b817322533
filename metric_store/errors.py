"""Errors that an analyst reads: one or two lines that say what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from metric_store.words import printable


class MetricStoreError(Exception):
    """Something went wrong that the user can act on; the text is shown as it is."""


class EvidenceMissingError(MetricStoreError):
    """The evidence of the build that a store holds for a week isn't beside it (any more)."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> MetricStoreError:
    """The error for a `kind` of thing, such as a metric, that isn't one of these: with what may have been meant."""
    names, asked = sorted(known), name.lower()
    # A part of the id is close to no id as a whole.
    near = [one for one in names if asked and asked in one] or difflib.get_close_matches(asked, names)
    hint = f"Did you mean {' or '.join(near[:3])}?" if near else f"{kind.capitalize()}s: {', '.join(names)}."
    return MetricStoreError(f"There is no {kind} {printable(name)}. {hint}")
