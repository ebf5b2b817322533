"""The command line `metric-store`. Heavy modules are imported by the command that needs them, never here."""

from orchestration.cli.app import main

__all__ = ["main"]
