"""Whether a Zstandard file is whole: the engine takes one that breaks off between two blocks for a shorter file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_FRAME, _SKIPPABLE = 0xFD2FB528, range(0x184D2A50, 0x184D2A60)
_REPEATED_BYTE = 1


def is_whole(file: Path) -> bool:
    """Walk the frames from block header to block header (RFC 8878); nothing is decompressed.

    What isn't Zstandard at all counts as whole: the engine says so better.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        while stream.tell() < size:
            magic = int.from_bytes(stream.read(4), "little")
            if magic in _SKIPPABLE:
                stream.seek(int.from_bytes(stream.read(4), "little"), 1)
            elif magic != _FRAME or not _skip_frame(stream):
                return magic != _FRAME
        return stream.tell() == size


def _skip_frame(stream: BinaryIO) -> bool:
    """Go behind a frame; False where it breaks off."""
    descriptor = int.from_bytes(stream.read(1), "little")
    is_single_segment = descriptor >> 5 & 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (is_single_segment, 2, 4, 8)[descriptor >> 6]
    stream.seek((1 - is_single_segment) + dictionary + content_size, 1)
    is_last = False
    while not is_last:
        header = stream.read(3)
        if len(header) < 3:
            return False
        block = int.from_bytes(header, "little")
        is_last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        stream.seek(1 if kind == _REPEATED_BYTE else size, 1)
    stream.seek(4 * (descriptor >> 2 & 1), 1)  # the checksum
    return True
