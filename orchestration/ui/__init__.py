"""Dagster's UI of a home: its webserver in this process, daemon and code location beside it. Nothing of a run."""
