"""The command line `metric-store`. Heavy modules are imported by the command that needs them, never here."""

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def main() -> NoReturn:
    """The console script. It ends as Python does, but doesn't take apart what was imported: a second of every run."""
    from orchestration.cli.app import main as command

    status = 1
    try:
        command()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it may be gone
            stream.flush()
    os._exit(status)


__all__ = ["main"]
