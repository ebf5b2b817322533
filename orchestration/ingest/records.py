"""The contract as SQL: typed values, and the first rule that a record breaks. Text is built here, nothing is run."""

from __future__ import annotations

from collections.abc import Sequence

from metric_store.sql import sql_name, sql_names, sql_text
from orchestration.ingest.columns import BLANKS
from orchestration.ingest.contracts import Column, Kind, Source
from orchestration.ingest.readers import ROW, RawRelation

_BLANKS = sql_text(BLANKS)
# ISO 8601, extended: date, or date and time parted by T or a space, fraction and offset where given. The engine would
# take an offset of 99:99, too, and make another day of it.
_ISO_8601 = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?)?"
_WITH_OFFSET = r"[+-]\d{2}(:?\d{2})?$"
_FIRST, _LAST = "timestamp '1970-01-01'", "timestamp '2199-12-31 23:59:59.999999'"
_WHOLE = r"[+-]?\d{1,18}(\.0*)?"
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
# From here on a floating-point number may stand for another whole number, too.
_INEXACT = 2**53
_DECIMAL = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAYS = rf"none|({'|'.join(_DAYS)})(\s*,\s*({'|'.join(_DAYS)}))*"


def _came(column: Column, raw: RawRelation) -> str:
    """SQL over `raw`: the value as it came, text trimmed, null where there is none."""
    name, engine_type = sql_name(column.name), raw.types.get(column.name)
    if engine_type is None:
        return "cast(null as varchar)"
    if engine_type in _FLOATS:
        # `isnan` is false of every value where Parquet's statistics, which leave NaN out, have a least and a greatest.
        return f"case when isfinite({name}) or isinf({name}) then {name} end"
    if engine_type == "BLOB":
        return f"case when trim(try(decode({name})), {_BLANKS}) = '' then null else {name} end"
    if engine_type == "JSON":
        is_nothing = f"lower(cast({name} as varchar)) in ('null', 'nan') or {_trimmed(_json_text(name))} = ''"
        return f"case when {is_nothing} then null else {name} end"
    if engine_type != "VARCHAR" or column.name in raw.clean:
        return name
    trimmed = f"nullif({_trimmed(name)}, '')"
    return trimmed if raw.is_small else f"case when {_has_clean_ends(name)} then {name} else {trimmed} end"


def _trimmed(text: str) -> str:
    return f"trim({text}, {_BLANKS})"


def _json_text(name: str) -> str:
    return f"json_extract_string({name}, '$')"


def _has_clean_ends(text: str) -> str:
    return f"({text} >= '!' and {text} < chr(127) and {text}[-1] between '!' and '~')"


def clean_columns_query(raw: RawRelation) -> str:
    """SQL: for each text column of `raw` whether none of its values has to be trimmed.

    Trimming a value costs ten times this look at both of its ends.
    """
    tests = (f"coalesce(bool_and({_has_clean_ends(sql_name(name))}), true)" for name in raw.texts)
    return f"select {', '.join(tests)} from raw"


def _text(column: Column, raw: RawRelation) -> str:
    """SQL over values as they came: the value as text, null for bytes that aren't."""
    name = sql_name(column.name)
    match raw.types.get(column.name, "VARCHAR"):
        case "VARCHAR":
            return name
        case "BLOB":
            return _trimmed(f"try(decode({name}))")
        case "JSON":
            return _trimmed(_json_text(name))
        case _:
            return f"cast({name} as varchar)"


def _read(column: Column, raw: RawRelation) -> str:
    """SQL over values as they came: the value in the column's type, null where it can't be read."""
    name, engine_type, text = sql_name(column.name), raw.types.get(column.name, "VARCHAR"), _text(column, raw)
    match column.kind:
        case Kind.TEXT:
            return _read_text(name, engine_type, text)
        case Kind.TIMESTAMP:
            return _read_timestamp(name, engine_type, text)
        case Kind.WHOLE if engine_type in _WHOLE_TYPES:
            return f"try_cast({name} as bigint)"
        case Kind.WHOLE:
            # Exports made with data frames write whole numbers as 3.0 where a column has gaps.
            digits = f"split_part({text}, '.', 1)"
            return f"case when regexp_full_match({text}, '{_WHOLE}') then try_cast({digits} as bigint) end"
        case Kind.MONEY:
            return f"case when regexp_full_match({text}, '{_DECIMAL}') then try_cast({text} as {column.sql_type}) end"
        case Kind.BOOLEAN:
            lower = f"lower({text})"
            return f"case when {lower} in ('true', '1') then true when {lower} in ('false', '0') then false end"
        case Kind.WEEKDAYS:
            return _read_weekdays(_read_text(name, engine_type, text))


def _read_text(name: str, engine_type: str, text: str) -> str:
    """A number is its digits where it is whole; what is neither text nor such a number can't be an id or a code."""
    if engine_type in ("VARCHAR", "BLOB", *_WHOLE_TYPES):
        return text
    if engine_type in _FLOATS:
        return _digits(name)
    if engine_type.startswith("DECIMAL"):
        return f"case when {name} = trunc({name}) then cast(cast({name} as decimal(38, 0)) as varchar) end"
    if engine_type == "JSON":
        token = f"cast({name} as varchar)"
        return (
            f"case when {token}[1] = '\"' then {text} when regexp_full_match({token}, '-?[1-9]\\d*') then {token} "
            f"else {_digits(f'try_cast({token} as double)')} end"
        )
    return "cast(null as varchar)"


def _digits(number: str) -> str:
    """SQL: a floating-point number as its digits, null where it isn't whole."""
    is_whole = f"abs({number}) < {_INEXACT} and {number} = trunc({number})"
    return f"case when {is_whole} then cast(cast({number} as bigint) as varchar) end"


def _read_timestamp(name: str, engine_type: str, text: str) -> str:
    if engine_type in ("VARCHAR", "BLOB", "JSON"):
        # With an offset the engine needs its calendar, which is slow.
        return (
            f"case when not regexp_full_match({text}, '{_ISO_8601}') then null "
            f"when regexp_matches({text}, ':.*{_WITH_OFFSET}') then timezone('UTC', try_cast({text} as timestamptz)) "
            f"else try_cast({text} as timestamp) end"
        )
    if engine_type in ("TIMESTAMP_NS", "TIMESTAMPTZ_NS"):
        # A cast would round; what is before 1970 is out of range anyway.
        return f"case when epoch_ns({name}) >= 0 then make_timestamp(epoch_ns({name}) // 1000) end"
    if engine_type == "TIMESTAMP WITH TIME ZONE":
        return f"case when isfinite({name}) then timezone('UTC', {name}) end"
    if engine_type.startswith("TIMESTAMP") or engine_type == "DATE":
        return f"try_cast({name} as timestamp)"
    return "cast(null as timestamp)"


def _read_weekdays(text: str) -> str:
    """Canonical: in the order of the week, without blanks or repetitions. An invalid list stays as it came."""
    days = ", ".join(f"case when contains(lower({text}), '{day}') then '{day}' end" for day in _DAYS)
    canonical = f"coalesce(nullif(concat_ws(',', {days}), ''), 'none')"
    return f"case when regexp_full_match(lower({text}), '{_WEEKDAYS}') then {canonical} else {text} end"


def _within_bounds(column: Column) -> str:
    """SQL over values that were read: null where the value is out of bounds."""
    name = sql_name(column.name)
    if column.kind is Kind.TIMESTAMP:
        return f"case when {name} between {_FIRST} and {_LAST} then {name} end"
    if column.within is None:
        return name
    return f"case when {name} between {column.within[0]} and {column.within[1]} then {name} end"


def _typed_query(source: Source, raw: RawRelation, condition: str = "true") -> str:
    """SQL: `_row`, typed values by column name, and the values as they came as "came <column>"."""
    names = [column.name for column in source.columns]
    kept = ", ".join(f"{sql_name(name)} as {sql_name('came ' + name)}" for name in names)
    came, read, bounded = (
        ", ".join(f"{build(column)} as {sql_name(column.name)}" for column in source.columns)
        for build in (lambda c: _came(c, raw), lambda c: _read(c, raw), _within_bounds)
    )
    return (
        f"select _row, {bounded}, columns('came .*') from (select _row, {read}, {kept} "
        f"from (select {ROW} as _row, {came} from raw where {condition}))"
    )


def _outside_set(column: Column) -> str | None:
    """SQL over typed values: whether the value is outside its closed set; None where the column has no set."""
    name = sql_name(column.name)
    if column.kind is Kind.WEEKDAYS:
        at_most_six = rf"none|({'|'.join(_DAYS)})(,({'|'.join(_DAYS)})){{0,5}}"
        return f"({name} is not null and not regexp_full_match({name}, '{at_most_six}'))"
    if column.one_of:
        return f"({name} is not null and {name} not in ({', '.join(map(sql_text, column.one_of))}))"
    return None


def _broken_rules(source: Source, raw: RawRelation) -> list[tuple[str, dict[str, str]]]:
    """The rules that a record can break by itself, the first that counts first: reason, column -> SQL test."""
    came = {column.name: sql_name("came " + column.name) for column in source.columns}
    rules = {
        "missing_required": {c.name: f"{came[c.name]} is null" for c in source.columns if c.required},
        "bad_type": {
            c.name: f"({sql_name(c.name)} is null and {came[c.name]} is not null)"
            for c in source.columns
            if c.kind not in (Kind.TEXT, Kind.WEEKDAYS) or raw.types.get(c.name, "VARCHAR") != "VARCHAR"
        },
        "not_in_set": {c.name: test for c in source.columns if (test := _outside_set(c)) is not None},
        "reserved_name": {c.name: f"lower({sql_name(c.name)}) = 'all'" for c in source.columns if c.has_total},
    }
    return [(reason, tests) for reason, tests in rules.items() if tests]


def parsed_query(source: Source, raw: RawRelation) -> str:
    """SQL: `raw` as `_row`, typed values, and `_reason`: the first rule that the record breaks by itself."""
    reason = " ".join(f"when {' or '.join(tests.values())} then '{code}'" for code, tests in _broken_rules(source, raw))
    columns = sql_names([column.name for column in source.columns])
    return f"select _row, {columns}, case {reason} end as _reason from ({_typed_query(source, raw)})"


def lands_unchanged(source: Source, raw: RawRelation) -> bool:
    """Whether every value of a sound record lands just as it lies in the file."""
    has_lists = any(column.kind is Kind.WEEKDAYS for column in source.columns)
    return raw.has_landed_form and not has_lists and raw.clean.issuperset(raw.texts)


def rejected_query(source: Source, raw: RawRelation) -> str:
    """SQL: the records of `raw` that `rejected` (_row, rule) names: these, columns at fault, content, event_at, week.

    `content` stands for all values of the record: typed where they can be read, else as they came. The same record has
    the same content in every format.
    """
    # The key rules name no single column: the whole key is at fault.
    at_fault = f"when 'duplicate_key' then '{', '.join(source.key)}' when 'future_event' then '{source.event_time}'"
    for reason, tests in _broken_rules(source, raw):
        named = ", ".join(f"case when {test} then '{name}' end" for name, test in tests.items())
        at_fault += f" when '{reason}' then concat_ws(', ', {named})"
    content = ", ".join(
        f"coalesce(cast({sql_name(c.name)} as varchar), cast({sql_name('came ' + c.name)} as varchar))"
        for c in source.columns
    )
    event_at = sql_name(source.event_time) if source.event_time else "cast(null as timestamp)"
    monday = f"cast(date_trunc('week', {sql_name(source.week_column)}) as date)"
    typed = _typed_query(source, raw, f"{ROW} in (select _row from rejected)")
    return (
        f"select _row, rule, case rule {at_fault} end as columns, "
        f"md5(cast(to_json([{content}]) as varchar)) as content, {identity_text(source)} as record_key, "
        f"{event_at} as event_at, coalesce(cast({monday} as varchar), '') as week "
        f"from ({typed}) inner join rejected using (_row)"
    )


def faults_query(source: Source, raw: RawRelation, most_values: int = 5) -> str:
    """SQL: reason, column, records, values: each column with records that break a rule by it, whatever broke first.

    values: the most frequent ones as they came, a list of {value, records}.
    """
    tests = [
        f"{{reason: '{reason}', fault: '{name}', value: cast({sql_name('came ' + name)} as varchar), breaks: {test}}}"
        for reason, columns in _broken_rules(source, raw)
        for name, test in columns.items()
    ]
    return f"""
        with
            faults as (select unnest([{", ".join(tests)}], recursive := true) from ({_typed_query(source, raw)})),
            counted as (select reason, fault, value, count(*) as records from faults where breaks group by all)
        select
            reason,
            fault,
            cast(sum(records) as bigint) as records,
            list({{value: value, records: records}} order by records desc, value)[:{most_values}] as values
        from counted
        group by reason, fault
        order by all
    """


def times_query(source: Source, raw: RawRelation) -> str:
    """SQL, one row: for each timestamp of the contract how many values there are, and how many are a midnight."""
    counts = [
        f"count({name}), count(*) filter (where {name} = date_trunc('day', {name}))"
        for column in source.columns
        if column.kind is Kind.TIMESTAMP and (name := sql_name(column.name))
    ]
    return f"select {', '.join(counts)} from ({_typed_query(source, raw)})"


def identity_text(source: Source) -> str:
    """SQL over typed values: what names the record whatever its version, as text; null where a part can't be read."""
    names = [sql_name(name) for name in source.identity]
    if len(names) == 1:
        return names[0]
    is_known = " and ".join(f"{name} is not null" for name in names)
    texts = ", ".join(f"cast({name} as varchar)" for name in names)
    return f"case when {is_known} then cast(to_json([{texts}]) as varchar) end"


def same_content(columns: Sequence[str], one: str, other: str) -> str:
    """SQL: whether two records, by their aliases, agree in these columns."""
    tests = [f"{one}.{sql_name(name)} is not distinct from {other}.{sql_name(name)}" for name in columns]
    return f"({' and '.join(tests)})" if tests else "true"


def runs_backwards(source: Source) -> str:
    """SQL: whether the record's timestamps run backwards; such a record lands, and is counted."""
    pairs = [f"coalesce({sql_name(later)} < {sql_name(earlier)}, false)" for earlier, later in source.backwards]
    return f"({' or '.join(pairs)})" if pairs else "false"
