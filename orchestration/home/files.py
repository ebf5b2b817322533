"""Durable and atomic writes: a file is on disk, and complete, before anything relies on it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str) -> int:
    """Write a text file that is there as a whole or as it was before, whenever this ends; returns its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.next")
    content = text.encode()
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)  # on a full disk it is in the way of what comes next
        raise
    return len(content)


def keep_from_others() -> None:
    """What this process and those that it starts make is for user and group: 0750 and 0640, or less by the umask."""
    os.umask(os.umask(0o027) | 0o027)


def read_plain(path: Path, most: int) -> bytes:
    """So many bytes of a file. Raises OSError for whatever isn't one: links aren't followed, pipes not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(error.errno, "it is a link", str(path)) from None
        raise
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file", str(path))
        return stream.read(most)
