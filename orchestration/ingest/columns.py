"""Maps the columns of a file to those of the contract: by exact name, else ignoring case and outer blanks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from orchestration.ingest.contracts import Source
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import InputLimits, raise_limit

#: What is trimmed at the ends of names and values: Unicode's white space, the zero-width space, the byte order mark.
BLANKS = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
)


@dataclass(frozen=True)
class Columns:
    """The columns of a file.

    taken: column of the contract -> place of the file's column, from 0.
    ignored: names in the file that no column of the contract takes.
    missing: columns of the contract that the file lacks.
    """

    taken: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def hints(self) -> dict[str, str]:
        """Missing column -> the ignored name that is probably meant by it, where one is close."""
        by_plain_name = {_plain(name): name for name in reversed(self.ignored)}
        close = {name: get_close_matches(name, by_plain_name, n=1, cutoff=0.8) for name in self.missing}
        return {name: by_plain_name[found[0]] for name, found in close.items() if found}


def match_columns(source: Source, names: Sequence[str]) -> Columns:
    """Find the contract's columns among the names of a file.

    Raises UnreadableFileError where a listed column could be either of two, or a required one is missing.
    """
    taken: dict[str, int] = {}
    for column in source.columns:
        places = [place for place, name in enumerate(names) if name == column.name]
        places = places or [place for place, name in enumerate(names) if _plain(name) == column.name]
        if len(places) > 1:
            found = " and ".join(f"{names[place]!r} (column {place + 1})" for place in places)
            raise UnreadableFileError(f"{column.name} may be {found}: leave one of them")
        if places:
            taken[column.name] = places[0]
    columns = Columns(
        taken,
        tuple(dict.fromkeys(name for place, name in enumerate(names) if place not in taken.values())),
        tuple(column.name for column in source.columns if column.name not in taken),
    )
    lacking = [column.name for column in source.columns if column.required and column.name in columns.missing]
    if lacking:
        hints = columns.hints
        said = ", ".join(f"{name} (did you mean {hints[name]}?)" if name in hints else name for name in lacking)
        has = ", ".join(name.strip(BLANKS) for name in names) or "nothing"
        raise UnreadableFileError(f"required column missing: {said}; the file has: {has}")
    return columns


def _plain(name: str) -> str:
    return name.strip(BLANKS).lower()


def require_few(names: Sequence[str], limits: InputLimits) -> None:
    """Raises UnreadableFileError for a file with more columns than it may have."""
    if len(names) > limits.max_file_columns:
        raise UnreadableFileError(
            raise_limit("max_file_columns", f"it has {len(names):,} columns, and may have {limits.max_file_columns:,}")
        )
