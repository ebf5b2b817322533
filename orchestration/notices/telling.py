"""Tells the targets of METRIC_STORE_NOTIFY, each thing once. Whatever goes wrong here is a warning, and no more."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestration.errors import InterruptedRunError, UsageError
from orchestration.home.files import write_whole
from orchestration.home.layout import Home
from orchestration.notices.digest import Digest, read_digest

if TYPE_CHECKING:
    from apprise import Apprise

#: Apprise URLs, parted by blanks or commas. They hold passwords, so none is ever said or kept.
NOTIFY_VARIABLE = "METRIC_STORE_NOTIFY"
#: How long the targets have, all at once.
SECONDS = 5.0

Warn = Callable[[str], object]


def targets() -> list[str]:
    """The URLs to tell."""
    text = os.environ.get(NOTIFY_VARIABLE, "")
    return [url for url in re.split(r"[\s,]+(?=[A-Za-z0-9]+://)|\s+", text.strip(" \t\r\n,")) if url]


def tell(home: Home, warn: Warn, *, run_id: str = "", failure: str = "") -> int:
    """Send each target what it hasn't been told of this home; returns to how many. Raises nothing.

    run_id: the run that comes to its end. failure: why one failed, in words for an analyst.
    """
    urls = targets()
    if not urls:
        return 0
    try:
        return _tell(home, urls, warn, run_id, failure)
    except ImportError:
        warn(f"{NOTIFY_VARIABLE} is set, but Apprise isn't installed: install the extra notify of this package.")
    except Exception as error:  # nothing about a notice may change how a run ends
        warn(f"The digest couldn't be sent: {type(error).__name__}.")
    return 0


@contextmanager
def failures_told(home: Home, warn: Warn) -> Iterator[None]:
    """Tell of what ends the block; what the user ended or meant otherwise is no news."""
    try:
        yield
    except (InterruptedRunError, UsageError):
        raise
    except Exception as error:
        tell(home, warn, failure=str(error) or type(error).__name__)
        raise


@dataclass
class _Target:
    """One target: what it was told before, and the digest for it. `name` has no part of its URL but the scheme."""

    name: str
    client: Apprise
    told: Mapping[str, Any]
    digest: Digest
    has_taken_it: bool | None = field(default=None, init=False)

    @property
    def keys(self) -> list[str]:
        return [news.key for news in self.digest.news]

    @property
    def has_news(self) -> bool:
        return not set(self.keys) <= set(self.told.get("keys", ()))


def _tell(home: Home, urls: Sequence[str], warn: Warn, run_id: str, failure: str) -> int:
    from apprise import Apprise, AppriseAsset

    _silence_apprise()
    now = datetime.now(UTC).replace(tzinfo=None)
    asset = AppriseAsset(app_id="Metric store", app_desc="Brand experience metric store", storage_mode="memory")
    told = _read_told(home)
    found = []
    for number, url in enumerate(urls, start=1):
        client = Apprise(asset=asset)  # one for each: it sends a single target's in this thread
        if not client.add(url):
            warn(f"Target {number} of {NOTIFY_VARIABLE} is no URL that Apprise knows.")
            continue
        before = told.get(name := f"{number} {url.partition('://')[0].lower()}", {})
        since = datetime.fromisoformat(before["published_at"]) if before.get("published_at") else None
        found.append(_Target(name, client, before, read_digest(home, since, run_id, failure, now)))
    news = [target for target in found if target.has_news]
    _send(news)
    for target in news:
        if target.has_taken_it is None:
            warn(f"Target {target.name} of {NOTIFY_VARIABLE} didn't answer within {SECONDS:.0f} seconds.")
        elif not target.has_taken_it:
            warn(f"Target {target.name} of {NOTIFY_VARIABLE} couldn't be reached, or refused the digest.")
    known = {target.name: _told_now(target, failure) for target in found}
    if known != told:
        write_whole(home.notices_told, json.dumps(known, indent=1))
    return sum(target.has_taken_it or False for target in news)


def _told_now(target: _Target, failure: str) -> Mapping[str, Any]:
    """What a target knows from here on. What no longer holds is news when it comes again, but for other runs' failures.

    A failure says nothing of what else holds: another range of weeks may fail again and again beside this one.
    """
    if target.has_news and not target.has_taken_it:
        return target.told
    kept = target.told.get("keys", ()) if failure else ()
    published_at = target.digest.published_at
    return {
        "published_at": published_at.isoformat() if published_at else None,
        "keys": sorted({*kept, *target.keys}),
    }


def _send(targets: Sequence[_Target]) -> None:
    """Send each its digest, side by side; one that takes longer than they have is left behind."""
    threads = [threading.Thread(target=_send_one, args=(target,), daemon=True) for target in targets]
    until = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _send_one(target: _Target) -> None:
    digest = target.digest
    try:
        target.has_taken_it = bool(
            target.client.notify(title=digest.title, body=digest.body, notify_type=digest.kind, body_format="text")
        )
    except Exception:  # what it says may hold the URL
        target.has_taken_it = False


def _silence_apprise() -> None:
    """What it logs, and what it asks, names hosts and paths, which are the secret of a webhook."""
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _read_told(home: Home) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        told = json.loads(home.notices_told.read_text(encoding="utf-8"))
        if isinstance(told, dict):
            return told
    return {}
