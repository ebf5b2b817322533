"""The contract as SQL: typed values, and the first rule that a record breaks. Text is built here, nothing is executed."""

from __future__ import annotations

from orchestration.ingest.contracts import Column, Kind, Source
from orchestration.ingest.readers import RawRelation, sql_name, sql_text

_BLANKS = sql_text(" \t\r\n\v\f\u00a0")
# ISO 8601, extended: date, or date and time parted by T or a space, fraction and offset where given.
_ISO_8601 = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?"
_WHOLE = r"[+-]?\d{1,18}(\.0*)?"
_DECIMAL = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAYS = rf"none|({'|'.join(_DAYS)})(\s*,\s*({'|'.join(_DAYS)}))*"


def _text(column: Column, engine_type: str) -> str:
    """The raw value as trimmed text, null where it is blank."""
    value = sql_name(column.name) if engine_type == "VARCHAR" else f"cast({sql_name(column.name)} as varchar)"
    return f"nullif(trim({value}, {_BLANKS}), '')"


def present(column: Column, raw: RawRelation) -> str:
    """SQL: whether the record has a value in this column."""
    engine_type = raw.types.get(column.name)
    if engine_type is None:
        return "false"
    return f"({_text(column, engine_type)} is not null)"


def typed(column: Column, raw: RawRelation) -> str:
    """SQL: the value in the column's type; null where there is none and where it can't be read."""
    engine_type = raw.types.get(column.name)
    if engine_type is None:
        return f"cast(null as {column.sql_type})"
    name, text = sql_name(column.name), _text(column, engine_type)
    return {
        Kind.TEXT: _typed_text,
        Kind.TIMESTAMP: _typed_timestamp,
        Kind.WHOLE: _typed_whole,
        Kind.MONEY: _typed_money,
        Kind.BOOLEAN: _typed_boolean,
        Kind.WEEKDAYS: _typed_weekdays,
    }[column.kind](column, name, text, engine_type)


def _typed_text(_: Column, __: str, text: str, ___: str) -> str:
    return text


def _typed_timestamp(_: Column, name: str, text: str, engine_type: str) -> str:
    if engine_type == "TIMESTAMP":
        # 'infinity' is a value of the engine's type, but no instant.
        return f"case when isfinite({name}) then {name} end"
    if engine_type == "TIMESTAMP WITH TIME ZONE":
        return f"case when isfinite({name}) then timezone('UTC', {name}) end"
    if engine_type.startswith("TIMESTAMP") or engine_type == "DATE":
        return f"case when isfinite({name}) then cast({name} as timestamp) end"
    if engine_type == "VARCHAR":
        return f"case when regexp_full_match({text}, {sql_text(_ISO_8601)}) then timezone('UTC', try_cast({text} as timestamptz)) end"
    return "cast(null as timestamp)"


def _typed_whole(column: Column, name: str, text: str, engine_type: str) -> str:
    if engine_type in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"):
        value = f"cast({name} as bigint)"
    else:
        # Exports made with data frames write whole numbers as 3.0 where a column has gaps.
        value = f"case when regexp_full_match({text}, {sql_text(_WHOLE)}) then try_cast(split_part({text}, '.', 1) as bigint) end"
    if column.least is None:
        return value
    return f"case when {value} >= {column.least} then {value} end"


def _typed_money(column: Column, _: str, text: str, __: str) -> str:
    return f"case when regexp_full_match({text}, {sql_text(_DECIMAL)}) then try_cast({text} as {column.sql_type}) end"


def _typed_boolean(_: Column, __: str, text: str, ___: str) -> str:
    return f"case lower({text}) when 'true' then true when '1' then true when 'false' then false when '0' then false end"


def _typed_weekdays(_: Column, __: str, text: str, ___: str) -> str:
    """Canonical: in the order of the week, without blanks or repetitions. An invalid list stays as it came."""
    days = ", ".join(f"case when contains(lower({text}), '{day}') then '{day}' end" for day in _DAYS)
    return f"case when regexp_full_match(lower({text}), {sql_text(_WEEKDAYS)}) then coalesce(nullif(concat_ws(',', {days}), ''), 'none') else {text} end"


def _outside_set(column: Column) -> str | None:
    """SQL over typed values: whether the value is outside its closed set; None where the column has no set."""
    name = sql_name(column.name)
    if column.kind is Kind.WEEKDAYS:
        valid = rf"none|({'|'.join(_DAYS)})(,({'|'.join(_DAYS)})){{0,5}}"
        return f"({name} is not null and not regexp_full_match({name}, {sql_text(valid)}))"
    if column.one_of:
        return f"({name} is not null and {name} not in ({', '.join(sql_text(value) for value in column.one_of)}))"
    return None


def parsed_query(source: Source, raw: RawRelation) -> str:
    """SQL: `raw` with typed values, `_row`, `_reason` (the first rule broken by the record alone) and `_detail` (where)."""
    values = ", ".join(f"{typed(column, raw)} as {sql_name(column.name)}" for column in source.columns)
    flags = ", ".join(f"{present(column, raw)} as {sql_name('has ' + column.name)}" for column in source.columns)
    missing = {c.name: f"not {sql_name('has ' + c.name)}" for c in source.columns if c.required}
    unread = {c.name: f"({sql_name('has ' + c.name)} and {sql_name(c.name)} is null)" for c in source.columns}
    outside = {c.name: test for c in source.columns if (test := _outside_set(c)) is not None}
    rules = [(reason, tests) for reason, tests in (("missing_required", missing), ("bad_type", unread), ("not_in_set", outside)) if tests]
    reason = " ".join(f"when {' or '.join(tests.values())} then '{code}'" for code, tests in rules)
    detail = " ".join(
        f"when {' or '.join(tests.values())} then concat_ws(', ', {', '.join(f'case when {test} then {sql_text(name)} end' for name, test in tests.items())})"
        for _, tests in rules
    )
    columns = ", ".join(sql_name(column.name) for column in source.columns)
    return (
        f"select _row, {columns}, case {reason} end as _reason, case {detail} end as _detail "
        f"from (select _row, {values}, {flags} from raw)"
    )


def content(source: Source, alias: str) -> str:
    """SQL: all typed values of a record as one value, for comparison with `is not distinct from`."""
    return f"struct_pack({', '.join(f'{sql_name(c.name)} := {alias}.{sql_name(c.name)}' for c in source.columns)})"


def runs_backwards(source: Source) -> str:
    """SQL: whether the record's timestamps run backwards; such a record lands, and is counted."""
    pairs = [f"({sql_name(later)} < {sql_name(earlier)})" for earlier, later in source.backwards]
    return f"coalesce({' or '.join(f'coalesce({pair}, false)' for pair in pairs)}, false)" if pairs else "false"
