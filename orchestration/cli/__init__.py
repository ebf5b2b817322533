"""The command line `metric-store`: a thin front for the same job that the UI, the schedule and the sensor launch."""

import os
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """The console script. It ends the process at once: taking apart what Dagster made costs a second of every run."""
    from orchestration.cli.app import main as command

    status = 1
    try:
        command()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may be gone
            stream.flush()
    os._exit(status)
