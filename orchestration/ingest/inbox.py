"""Lists the files of the inbox by name, size and time; opens none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.unreadable import UnreadableFileError

#: Accepted endings and how each is read, the longest first.
FORMATS = {
    ".jsonl.gz": "jsonl",
    ".jsonl.zst": "jsonl",
    ".jsonl": "jsonl",
    ".csv.gz": "csv",
    ".csv": "csv",
    ".parquet": "parquet",
}
_INCOMPLETE_ENDINGS = (".tmp", ".part")


@dataclass(frozen=True)
class InboxFile:
    """A file as it lies in the inbox. `path` is relative to `inbox/<source>`; `size` in bytes.

    leads_out: it is a link, of a file or a folder, that leads out of the inbox; what lies there isn't looked at.
    """

    source: str
    path: str
    location: Path
    size: int
    mtime_ns: int
    leads_out: bool = False

    @property
    def format(self) -> str:
        return next(kind for ending, kind in FORMATS.items() if self.path.endswith(ending))

    @property
    def compression(self) -> str | None:
        return "gzip" if self.path.endswith(".gz") else "zstd" if self.path.endswith(".zst") else None


@dataclass(frozen=True)
class InboxListing:
    """Everything in an inbox: files to read by source, in byte order of their path, and what is ignored."""

    files: dict[str, list[InboxFile]]
    ignored: list[str]


def is_hidden_or_incomplete(name: str) -> bool:
    """Whether a name says that the file or folder isn't there yet, or isn't meant for us."""
    return name.startswith((".", "_")) or name.endswith(_INCOMPLETE_ENDINGS)


def list_inbox(inbox: Path, claimed: frozenset[Path] = frozenset()) -> InboxListing:
    """List an inbox. `claimed` are the files that adapters read; they belong to no plain source."""
    files: dict[str, list[InboxFile]] = {name: [] for name in SOURCES_BY_NAME}
    ignored: list[str] = []
    for location in sorted(_complete_files(inbox), key=os.fsencode):
        if location in claimed:
            continue
        source, *rest = location.relative_to(inbox).parts
        is_out = _is_link_out(location, inbox)
        if source not in SOURCES_BY_NAME or not (is_out or (rest and location.name.endswith(tuple(FORMATS)))):
            ignored.append(readable(location.relative_to(inbox)))
            continue
        try:
            found = location.stat(follow_symlinks=not is_out)
        except OSError:  # taken away between the listing and now, or a link to itself
            continue
        if not is_out and not stat.S_ISREG(found.st_mode):  # opening a pipe would block
            ignored.append(readable(location.relative_to(inbox)))
            continue
        files[source].append(
            InboxFile(source, readable(Path(*rest)), location, found.st_size, found.st_mtime_ns, is_out)
        )
    return InboxListing(files, ignored)


def leads_out(location: Path, folder: Path) -> bool:
    """Whether a file or folder named within a folder, which is no link, lies outside it, by whichever link."""
    return not Path(os.path.realpath(location)).is_relative_to(folder)


def require_inside(location: Path, folder: Path) -> Path:
    """Where a file of a folder really lies. Raises UnreadableFileError where links lead out of the folder."""
    if leads_out(location, folder):
        raise UnreadableFileError(f"it is a link that leads out of {folder.name}/: put the file itself there")
    return Path(os.path.realpath(location))


def links_out(inbox: Path) -> list[Path]:
    """The links of files and folders that lead out of an inbox."""
    return [location for location in _complete_files(inbox) if _is_link_out(location, inbox)]


def _is_link_out(location: Path, inbox: Path) -> bool:
    """The same of a file or folder in a folder that doesn't lie outside: takes one look where it is no link."""
    return location.is_symlink() and leads_out(location, inbox)


def _complete_files(inbox: Path) -> Iterator[Path]:
    """Every complete file at any depth, and links that lead out. Linked folders within the inbox are followed, each
    folder once: a link may lead upwards."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(inbox, followlinks=True):
        found = Path(folder).stat()
        if (found.st_dev, found.st_ino) in seen:
            folders.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        complete = [name for name in folders if not is_hidden_or_incomplete(name)]
        out = [name for name in complete if _is_link_out(Path(folder, name), inbox)]
        folders[:] = sorted((name for name in complete if name not in out), key=os.fsencode)
        yield from (Path(folder, name) for name in (*names, *out) if not is_hidden_or_incomplete(name))


def readable(path: Path) -> str:
    """The path as text that can be stored and printed: bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
