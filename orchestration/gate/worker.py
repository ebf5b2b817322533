"""Great Expectations in a process of its own, which imports it while a run does other things. Not here: judging."""

from __future__ import annotations

import os
import sys
import threading
import types
from collections.abc import Sequence
from datetime import date

from orchestration.background import Background, BackgroundEndedError, Closing, Purpose
from orchestration.gate.verdict import GateError, GateReport, ProfileRow, RequiredRow, Rule
from orchestration.settings import Home


class GateWorker(Closing):
    """Starts importing at once; `judge` waits until that is done. Close it, or use it in a `with` statement."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process = Background.obtain(GATE_PROCESS)

    def judge(
        self,
        weeks: Sequence[date],
        profile: Sequence[ProfileRow],
        rules: Sequence[Rule],
        required: Sequence[RequiredRow],
    ) -> GateReport:
        """The verdict on these weeks; see `orchestration.gate.judge`."""
        try:
            return self._process.call(_judge, self._home, weeks, profile, rules, required)
        except BackgroundEndedError as error:
            raise GateError(
                "The gate's process ended before it gave a verdict, so nothing may be published.\n"
                "It was killed, or memory ran out: run again."
            ) from error

    def close(self) -> None:
        """Ends the process, also while it is still importing."""
        self._process.close()


def _get_ready() -> None:
    import logging
    import warnings

    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    from tqdm import tqdm  # type: ignore[import-untyped]

    tqdm.set_lock(threading.RLock())  # its own one is a semaphore of the system, reported as leaked at a sudden end
    warnings.simplefilter("ignore")
    # Great Expectations imports Spark where it is installed, for nothing here; Spark takes a process that was spawned
    # without a main module for one of its own tests, and ends it.
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    # For expectations about distributions, of which the gate has none, it imports these: more than a second of work.
    for name in ("scipy", "scipy.stats", "altair"):
        sys.modules[name] = types.ModuleType(name)
    from orchestration.gate.judge import warm_up

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warm_up()


#: Its seconds of importing are needed last.
GATE_PROCESS = Purpose(_get_ready, niceness=10)


def _judge(
    home: Home,
    weeks: Sequence[date],
    profile: Sequence[ProfileRow],
    rules: Sequence[Rule],
    required: Sequence[RequiredRow],
) -> GateReport:
    from orchestration.gate.judge import judge

    try:
        return judge(home, weeks, profile, rules, required)
    except (ValueError, GateError, OSError):
        raise
    except Exception as error:  # its own exceptions don't all survive the way back to the parent
        raise GateError(f"Great Expectations failed: {type(error).__name__}: {error}") from error
