"""What lies in the inbox: names, sizes and times only; no file is opened here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.contracts import SOURCES_BY_NAME

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
    """A file as it lies in the inbox. `path` is relative to `inbox/<source>`; `size` in bytes."""

    source: str
    path: str
    location: Path
    size: int
    mtime_ns: int

    @property
    def format(self) -> str:
        return next(kind for ending, kind in FORMATS.items() if self.path.endswith(ending))

    @property
    def compression(self) -> str:
        return "gzip" if self.path.endswith(".gz") else "zstd" if self.path.endswith(".zst") else "none"


@dataclass(frozen=True)
class InboxListing:
    """Everything in an inbox: files to read by source, in byte order of their path, and what is ignored."""

    files: dict[str, list[InboxFile]]
    ignored: list[str]


def is_hidden_or_incomplete(name: str) -> bool:
    """Whether a name says that the file isn't there yet, or isn't meant for us."""
    return name.startswith((".", "_")) or name.endswith(_INCOMPLETE_ENDINGS)


def list_inbox(inbox: Path, claimed: frozenset[Path] = frozenset()) -> InboxListing:
    """List an inbox. `claimed` are the files that adapters read; they belong to no plain source."""
    files: dict[str, list[InboxFile]] = {name: [] for name in SOURCES_BY_NAME}
    ignored: list[str] = []
    for folder, folders, names in os.walk(inbox):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            location = Path(folder, name)
            if is_hidden_or_incomplete(name) or location in claimed:
                continue
            relative = location.relative_to(inbox)
            source = relative.parts[0]
            known = len(relative.parts) > 1 and source in SOURCES_BY_NAME
            if not (known and name.endswith(tuple(FORMATS))):
                ignored.append(str(relative))
                continue
            try:
                found = location.stat()
            except FileNotFoundError:  # taken away between the listing and now
                continue
            path = str(Path(*relative.parts[1:]))
            files[source].append(InboxFile(source, path, location, found.st_size, found.st_mtime_ns))
    for listed in files.values():
        listed.sort(key=lambda file: os.fsencode(file.path))
    return InboxListing(files, ignored)
