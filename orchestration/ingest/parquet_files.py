"""What a Parquet file says of itself in its footer, and whether its pages are sound. Its records are the engine's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from orchestration.ingest.unreadable import UnreadableFileError

# Fields 1 to 4, each an integer: a byte that says so, then groups of seven bits, the last without its highest bit.
_FOUR_NUMBERS = re.compile(rb"(?:\x15[\x80-\xff]*[\x00-\x7f]){4}")
# Of a row group: few rows cost time, many cost memory and cores.
_FEW_ROWS, _MANY_ROWS = 10_000, 1_100_000


@dataclass(frozen=True)
class Footer:
    """The footer of a Parquet file.

    names: the top-level columns as they are written; the engine renames one that differs by case only.
    unpacked_bytes: what the pages of all columns take without compression.
    first_page: at which byte the first page begins; None without rows.
    is_plain: other engines read the same from it, and its row groups are neither huge nor tiny.
    """

    names: list[str]
    rows: int
    unpacked_bytes: int
    first_page: int | None
    is_plain: bool


def read_footer(file: Path) -> Footer:
    """Read the footer of a Parquet file. Raises UnreadableFileError where it can't be read."""
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(file)
        names = found.schema.to_arrow_schema().names
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise _broken(error) from error
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    first_page = None
    if groups and groups[0].num_columns:
        column = groups[0].column(0)
        first_page = min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
    return Footer(
        names,
        found.num_rows,
        sum(group.total_byte_size for group in groups),
        first_page,
        _has_plain_columns(found.schema)
        and (len(groups) <= 1 or found.num_rows / len(groups) >= _FEW_ROWS)
        and found.num_rows <= max(len(groups), 1) * _MANY_ROWS,
    )


def _has_plain_columns(schema: pa.parquet.ParquetSchema) -> bool:
    """Whether no column is of a type that only some engines read as it is meant."""
    for column in (schema.column(number) for number in range(len(schema))):
        is_bytes = column.physical_type == "BYTE_ARRAY" and column.converted_type != "UTF8"
        is_old_time = "Timestamp" in str(column.logical_type) and "from_converted_type=true" in str(column.logical_type)
        if column.physical_type == "INT96" or is_bytes or is_old_time:
            return False
    return True


def has_page_checksums(file: Path, first_page: int) -> bool:
    """Whether a Parquet file's first page, at this byte, has a checksum: field 4 of its header, in compact Thrift."""
    with file.open("rb") as stream:
        stream.seek(first_page)
        return _FOUR_NUMBERS.match(stream.read(64)) is not None


def require_sound_pages(file: Path, columns: Sequence[str]) -> None:
    """Read these columns of a Parquet file whose pages have checksums; the engine doesn't compare them.

    Raises UnreadableFileError for a page whose checksum is another.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            for _ in parquet.iter_batches(columns=list(columns)):
                pass
    except pa.ArrowNotImplementedError:
        return  # an encoding that pyarrow doesn't know: the engine reads the pages, and nothing compares them
    except (pa.ArrowInvalid, OSError) as error:
        raise _broken(error) from error


def _broken(error: Exception) -> UnreadableFileError:
    """What pyarrow says of the file; an error of the disk is raised as it is."""
    if isinstance(error, OSError) and error.errno:
        raise error
    return UnreadableFileError(f"broken Parquet: {error}")
