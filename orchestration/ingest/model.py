"""What a contract is made of: kinds of values, columns and sources."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a raw value is read; `value` is the type it lands in."""

    TEXT = "VARCHAR"
    TIMESTAMP = "TIMESTAMP"
    WHOLE = "BIGINT"
    MONEY = "DECIMAL(18,2)"
    BOOLEAN = "BOOLEAN"
    WEEKDAYS = "WEEKDAYS"

    @property
    def sql_type(self) -> str:
        """The column's type in landed Parquet and in the warehouse."""
        return "VARCHAR" if self is Kind.WEEKDAYS else self.value


_TAKES = {
    Kind.TEXT: "a text",
    Kind.TIMESTAMP: "a time such as 2026-01-05T10:00:00Z, from 1970 to 2199",
    Kind.WHOLE: "a whole number",
    Kind.MONEY: "a number",
    Kind.BOOLEAN: "true, false, 1 or 0",
    Kind.WEEKDAYS: "days such as sat,sun, at most six, or none; nothing means sun",
}


@dataclass(frozen=True)
class Column:
    """One column of a source. `within` are the least and the greatest number, `one_of` is a closed set.

    has_total: published tables have a member `all` beside the column's values, so that none may be called so.
    `dated_by` names the timestamp from which the value counts (a reason goes with its timestamp); it decides which
    weeks a newer version of a record touches. None: the value counts from the record's first timestamp on.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    one_of: tuple[str, ...] = ()
    within: tuple[int, int] | None = None
    has_total: bool = False
    dated_by: str | None = None

    @property
    def sql_type(self) -> str:
        return self.kind.sql_type

    @property
    def takes(self) -> str:
        """Its values, in words."""
        if self.one_of:
            return ", ".join(self.one_of) + ("" if self.required else ", or nothing")
        if self.within:
            number = "a whole number" if self.kind is Kind.WHOLE else "a number"
            return f"{number} from {self.within[0]:,} to {self.within[1]:,}"
        return _TAKES[self.kind] + (" other than `all`" if self.has_total else "")


@dataclass(frozen=True)
class Source:
    """One source.

    event_time: the column that puts a record into a week; None for master data.
    key: the columns that identify a landed record (with `updated_at`, where versions of a record are kept).
    newest_wins: of several versions only the newest counts (sub-orders, tickets); else versions hold from their
        `updated_at` on.
    facts: timestamps from which the record counts for a week: the earliest of them is where it begins to. For a
        source of which the newest version counts, all that a window may be laid over.
    backwards: the pairs (earlier, later) that should not run backwards; a record that breaks one lands all the same.
    """

    name: str
    event_time: str | None
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    facts: tuple[str, ...]
    newest_wins: bool = False
    backwards: tuple[tuple[str, str], ...] = ()

    @property
    def is_versioned(self) -> bool:
        return "updated_at" in self.key

    @property
    def identity(self) -> tuple[str, ...]:
        """The key without its version."""
        return tuple(name for name in self.key if name != "updated_at")

    @property
    def week_column(self) -> str:
        """The timestamp whose UTC week is the landing partition."""
        return self.event_time or "updated_at"

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
