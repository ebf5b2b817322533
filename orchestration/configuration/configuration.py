"""A checked configuration, and which part of it is valid in a week."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from orchestration.configuration.files import (
    FILES_BY_STEM,
    AllSettings,
    DatedRow,
    Owner,
    Row,
    Setting,
    Settings,
)
from orchestration.configuration.problems import ConfigurationError, Problem
from orchestration.configuration.values import Value, canonical_text
from orchestration.limits import InputLimits
from orchestration.weeks.calendar import CalendarWeek, calendar


@dataclass(frozen=True)
class Configuration:
    """All configuration files, checked, by file stem. Made by `load_configuration`.

    rows: the typed rows of each file.
    paths: the file each was read from, the home's or the default.
    """

    rows: dict[str, list[Row]]
    paths: dict[str, Path]

    def records(self, stem: str) -> list[dict[str, Value | None]]:
        """The rows of a file as they are stored, of the types of `ConfigFile.sql_types`; empty cells are None.

        Times of day stay `hh:mm` and workdays a comma list, both text; so are the values of settings, in one spelling
        per value.
        """
        return [row.values for row in self.rows[stem]]

    @cached_property
    def settings(self) -> Settings:
        """The typed values of settings.csv."""
        rows = self.rows["settings"]
        return AllSettings.model_validate({row.key: row.value for row in rows if isinstance(row, Setting)})

    def owner(self, *sources_and_rules: str) -> str | None:
        """Who must act on the first of these that owners.csv names; None where it names none of them."""
        owners = {row.source_or_rule: row.owner for row in self.rows["owners"] if isinstance(row, Owner)}
        return next((owners[name] for name in sources_and_rules if name in owners), None)

    @property
    def input_limits(self) -> InputLimits:
        """How much what comes in may hold."""
        return InputLimits.of(dict(self.settings))

    @property
    def calendar_settings(self) -> tuple[str, int]:
        """The reporting time zone, and the hours from the end of a week to A."""
        return self.settings.reporting_timezone, self.settings.calculation_offset_hours

    @property
    def calendar(self) -> dict[date, CalendarWeek]:
        """Every week by its Monday, with S, E and A, by the time zone and offset of the settings."""
        return calendar(*self.calendar_settings)

    def calculated_at(self, week_start: date) -> datetime:
        """A of a week, in UTC without zone."""
        return self.calendar[week_start].calculated_at

    def config_hash(self, week_start: date) -> str:
        """16 hex digits that differ where, for the week, another figure, rule or text would hold.

        `Row.held_in` says what of a row counts. Order, spacing and spelling do not count, nor which file held it.
        """
        week = self.calendar[week_start]
        held = {
            stem: sorted(
                json.dumps({name: canonical_text(value) for name, value in values.items()}, sort_keys=True)
                for row in rows
                if (values := row.held_in(week)) is not None
            )
            for stem, rows in self.rows.items()
        }
        return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]

    def check_week(self, week_start: date) -> None:
        """Raises ConfigurationError where no limit policy or no grade weights are valid at the date of A.

        That the weights and bands which are valid can be scored was checked for every day when they were loaded.
        """
        day = self.calendar[week_start].calculated_on
        problems = [
            Problem(
                FILES_BY_STEM[stem].name,
                None,
                "valid_from",
                f"no row is valid on {day}, when week {week_start} is calculated; add {what} valid then, or let one"
                " of the rows begin earlier or end later",
            )
            for stem, what in (("ovl_policy", "a policy"), ("grade_weights", "weights"))
            if not any(isinstance(row, DatedRow) and row.holds_on(day) for row in self.rows[stem])
        ]
        if problems:
            raise ConfigurationError(problems)
