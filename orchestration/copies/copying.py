"""Brings a copy up to the published store, and notes where that failed. Never touches the publication."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import duckdb
from filelock import Timeout

from metric_store.errors import MetricStoreError
from orchestration.copies.folder import copy_to_folder
from orchestration.copies.plan import Copied, original
from orchestration.errors import UsageError
from orchestration.home.files import write_whole
from orchestration.home.layout import Home

#: Where each run copies what it published: postgresql://... or a folder. It may hold a password.
COPY_VARIABLE = "METRIC_STORE_COPY_TO"
_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


def copy_target() -> str:
    """The copy that follows each publication, or ''."""
    return os.environ.get(COPY_VARIABLE, "").strip()


def copy_store(home: Home, to: str) -> Copied:
    """Copy the weeks that changed into PostgreSQL or a folder. Raises MetricStoreError; the copy is then as it was."""
    if not to.strip():
        raise UsageError("A copy goes to postgresql://... or to a folder; neither is named.")
    if to.startswith(_POSTGRES):
        copied = _copy_to_postgres(home, to)
    elif "://" in to:
        raise UsageError(f"A copy goes to postgresql://... or to a folder, not to {to.partition('://')[0]}://...")
    else:
        folder = Path(to).expanduser().resolve()
        if folder == home.root.resolve() or home.published.resolve() in (folder, *folder.parents):
            raise UsageError(f"{folder} is the home's own: copy to another folder.")
        try:
            with original(home) as store:
                copied = copy_to_folder(store, folder)
        except Timeout as error:
            raise MetricStoreError(
                f"Another copy into {folder} is at work and doesn't end. Try again later."
            ) from error
        except (OSError, duckdb.IOException) as error:
            raise _failed(str(folder), error) from error
    note = failed_copy(home)
    if note and note["to"] == copied.name:
        home.copy_note.unlink(missing_ok=True)
    return copied


def keep_copy(home: Home, to: str, now: datetime) -> Copied | MetricStoreError:
    """The same after a publication: what goes wrong is noted for `status` and the digest, and returned."""
    try:
        return copy_store(home, to)
    except Exception as raised:  # nothing about a copy may change how a run ends
        error = raised if isinstance(raised, MetricStoreError) else _failed(name_of(to), type(raised).__name__)
        note = {"to": name_of(to), "failed_at": now.isoformat(sep=" "), "error": str(error).splitlines()[0]}
        with suppress(OSError):
            write_whole(home.copy_note, json.dumps(note))
        return error


def failed_copy(home: Home) -> dict[str, str] | None:
    """The copy after a publication that failed last, if none has succeeded since: to, failed_at (UTC), error."""
    with suppress(OSError, ValueError):
        found: dict[str, str] = json.loads(home.copy_note.read_text(encoding="utf-8"))
        return found
    return None


def name_of(to: str) -> str:
    """A copy's place without what may be a secret."""
    if not to.startswith(_POSTGRES):
        return str(Path(to).expanduser().resolve())
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    with suppress(ImportError, ValueError, ArgumentError):  # it isn't installed, or the URL can't be read
        from orchestration.copies.postgres import place_of

        return place_of(make_url(to))
    return "postgresql://..."


def _copy_to_postgres(home: Home, to: str) -> Copied:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        import psycopg

        from orchestration.copies.postgres import copy_to_postgres
    except ImportError as error:
        raise MetricStoreError(
            "A copy into PostgreSQL needs psycopg.\nInstall the extra postgres of this package."
        ) from error
    try:
        url = make_url(to)
    except (ArgumentError, ValueError):  # what they say may hold a part of it
        raise MetricStoreError(
            "The URL of the copy can't be read: write postgresql://user:password@host:port/database."
        ) from None
    try:
        with original(home) as store:
            return copy_to_postgres(store, url)
    except SQLAlchemyError as error:
        raise _failed(name_of(to), getattr(error, "orig", None) or error) from error
    except (psycopg.Error, OSError, duckdb.IOException) as error:
        raise _failed(name_of(to), error) from error


def _failed(name: str, error: object) -> MetricStoreError:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return MetricStoreError(
        f"The copy {name} isn't up to date: {said}\nThe published store is whole; the next copy catches up."
    )
