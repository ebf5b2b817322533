"""A checked configuration, and what of it holds in a week."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from orchestration.configuration.files import FILES, FILES_BY_STEM, OPERATING_SETTINGS, TEXT_TYPE, ConfigFile
from orchestration.configuration.problems import ConfigurationError, Problem
from orchestration.configuration.reading import Row
from orchestration.configuration.values import Value, canonical_text
from orchestration.limits import InputLimits
from orchestration.weeks.calendar import CalendarWeek, calendar

_VALIDITY = ("valid_from", "valid_to")


@dataclass(frozen=True)
class Configuration:
    """All configuration files, checked, by file stem. Made by `load_configuration`.

    rows: the typed rows of each file.
    paths: the file each was read from, the home's or the default.
    """

    rows: dict[str, list[Row]]
    paths: dict[str, Path]

    def records(self, stem: str) -> list[dict[str, Value | None]]:
        """The rows of a file as they are stored: `ConfigFile.sql_types` in the declared order, empty cells None.

        Times of day stay `hh:mm` and workdays a comma list, both text; so are the values of settings, in one spelling
        per value.
        """
        kinds = FILES_BY_STEM[stem].sql_types
        return [
            {name: canonical_text(row[name]) if kind == TEXT_TYPE else row[name] for name, kind in kinds.items()}
            for row in self.rows[stem]
        ]

    def setting(self, key: str) -> Value:
        """The typed value of a key of settings.csv: int, Decimal, or the name of the time zone."""
        return self._settings[key]

    @property
    def input_limits(self) -> InputLimits:
        """How much what comes in may hold."""
        return InputLimits.of(self._settings)

    @property
    def calendar_settings(self) -> tuple[str, int]:
        """The reporting time zone, and the hours from the end of a week to A."""
        hours = self.setting("calculation_offset_hours")
        assert isinstance(hours, int)
        return str(self.setting("reporting_timezone")), hours

    @property
    def calendar(self) -> dict[date, CalendarWeek]:
        """Every week by its Monday, with S, E and A, by the time zone and offset of the settings."""
        return calendar(*self.calendar_settings)

    def calculated_at(self, week_start: date) -> datetime:
        """A of a week, in UTC without zone."""
        return self.calendar[week_start].calculated_at

    def config_hash(self, week_start: date) -> str:
        """16 hex digits that differ where, for the week, another figure, rule or text would hold.

        Of files with a validity only the rows valid at the date of A count, and not their dates: ending a version
        leaves the weeks before as they were. Of a file that is a history the earlier rows count too, with the dates
        up to then. Of a file about single weeks only the rows of this one count, of incidents those that began before
        A. Order, spacing and spelling do not count, nor which file held it.
        """
        valid_at = self.calendar[week_start].calculated_on
        held = {file.stem: sorted(self._hashed_rows(file, week_start, valid_at)) for file in FILES}
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
            if not any(row.holds_on(day) for row in self.rows[stem])
        ]
        if problems:
            raise ConfigurationError(problems)

    @cached_property
    def _settings(self) -> dict[str, Value]:
        return {row.text("key"): value for row in self.rows["settings"] if (value := row["value"]) is not None}

    def _is_before_a(self, instant: Value | None, week_start: date) -> bool:
        assert isinstance(instant, datetime)
        return instant < self.calculated_at(week_start)

    def _hashed_rows(self, file: ConfigFile, week_start: date, valid_at: date) -> Iterator[str]:
        for row in self.rows[file.stem]:
            if file.stem == "settings" and row["key"] in OPERATING_SETTINGS:
                continue
            if file.is_of_weeks and row["week_start"] != week_start:
                continue
            if file.counts_after and not self._is_before_a(row[file.counts_after], week_start):
                continue
            if not file.is_dated or row.holds_on(valid_at) or (file.is_history and row.starts <= valid_at):
                held = {name: canonical_text(value) for name, value in row.values.items() if name not in _VALIDITY}
                if file.is_history:
                    held["valid_from"] = canonical_text(row.starts)
                    held["valid_to"] = canonical_text(row.ends) if row.ends <= valid_at else None
                yield json.dumps(held, sort_keys=True)
