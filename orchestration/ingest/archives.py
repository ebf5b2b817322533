"""Checksums: compressed files are unpacked and verified, and pages of Parquet that have checksums are verified."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import DEFAULT_INPUT_LIMITS, InputLimits, raise_limit

_CHUNK = 1024 * 1024


def unpack(
    archive: Path,
    compression: str,
    target: Path,
    limits: InputLimits = DEFAULT_INPUT_LIMITS,
    most: int | None = None,
) -> bool:
    """Write what an archive (`gzip` or `zstd`, of one or several members) holds to `target`.

    most: so many bytes are enough; returns whether there is more than was written.
    The engine reads archives itself, but checks neither the checksum nor the length of a gzip, and takes one that
    breaks off for a shorter one. Raises UnreadableFileError for an archive that isn't whole, has something behind, or
    holds more than it may.
    """
    with pa.input_stream(str(archive), compression=compression, buffer_size=_CHUNK) as stream, target.open("wb") as out:
        size = min(_CHUNK, most or _CHUNK)
        chunk = _next(stream, compression, size)
        if not chunk and not archive.stat().st_size:
            raise UnreadableFileError(f"broken {compression}: it is empty")
        allowed = limits.unpacked_bytes(archive.stat().st_size)
        while chunk:
            out.write(chunk)
            if out.tell() > allowed:
                raise UnreadableFileError(too_large_unpacked(archive.stat().st_size, limits))
            if most is not None and out.tell() >= most:
                return True
            chunk = _next(stream, compression, size)
    return False


def too_large_unpacked(size: int, limits: InputLimits) -> str:
    """Why a file of this size fails that takes more than it may when it is unpacked."""
    allowed = limits.unpacked_bytes(size)
    found = f"unpacked it has more than {allowed // 10**6:,} MB"
    if allowed == limits.max_unpacked_mb * 10**6:
        return raise_limit("max_unpacked_mb", found)
    return raise_limit("max_unpacked_ratio", f"{found}, and more than {limits.max_unpacked_ratio:,} times its size")


def _next(stream: pa.NativeFile, compression: str, size: int) -> bytes:
    try:
        return bytes(stream.read(size))
    except OSError as error:
        if error.errno:  # the disk's, not the archive's
            raise
        raise UnreadableFileError(f"broken {compression}: {error}") from error
