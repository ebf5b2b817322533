"""Why a whole file is unreadable, in one line for the person who has to fix it."""

from __future__ import annotations

import glob
import re
from pathlib import Path

import duckdb


class UnreadableFileError(Exception):
    """The file as a whole can't be read; the text says why, in one line."""

    def __init__(self, why: str) -> None:
        super().__init__(one_line(why))


#: What is wrong with the machine, not with the file: the run has to stop, and the file is not to blame. Whether memory
#: is to blame shows when the file is read again, alone.
_NOT_THE_FILE = (duckdb.OutOfMemoryException, duckdb.InterruptException, duckdb.InternalException)
_NOT_THE_FILE_TEXTS = ("No space left", "Too many open files", "Disk quota exceeded", "Input/output error")


def unreadable(error: duckdb.Error, location: Path) -> UnreadableFileError:
    """The engine's error in one line, without its advice and our name of the file; one not about it is raised."""
    text = str(error)
    if isinstance(error, _NOT_THE_FILE) or any(sign in text for sign in _NOT_THE_FILE_TEXTS):
        raise error
    named = text.split("\nLINE ")[0].replace(glob.escape(str(location)), "the file").replace(str(location), "the file")
    return UnreadableFileError(
        re.sub(r"^[A-Z][A-Za-z ]*Error: ", "", re.split(r"\bTry |\bPossible |\bThe search space", named)[0])
    )


def one_line(text: str) -> str:
    """A text that came from outside as one line without control characters, cut to 400 letters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:400]
