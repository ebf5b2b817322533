"""Configuration files: what loads, what is refused, and in which words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.configuration import ConfigurationError, load_configuration
from orchestration.configuration.files import FILES, FILES_BY_STEM, SETTINGS, ConfigFile
from orchestration.configuration.ids import GATE_RULES, METRICS
from orchestration.limits import InputLimits
from orchestration.transform.warehouse import create_config_tables
from tests.unit.configuration_kit import HALF, WEEK, Write, changed, default, only_problem, problems_of

CONFORMANCE = Path(__file__).parents[3] / "shared" / "conformance"


# Defaults and whole files


def test_defaults_load_and_hold_for_a_week() -> None:
    configuration = load_configuration(None)
    configuration.check_week(WEEK)
    assert set(configuration.rows) == set(FILES_BY_STEM)
    assert configuration.paths == {file.stem: file.default_path for file in FILES}
    assert configuration.records("oms_capacity") == []


def test_default_settings_are_those_of_the_specification() -> None:
    configuration = load_configuration(None)
    assert {key: getattr(configuration.settings, key) for key in SETTINGS} == {
        "reporting_timezone": "UTC",
        "calculation_offset_hours": 3,
        "small_sample": 30,
        "grade_window_days": 28,
        "availability_slo": Decimal("0.995"),
        "latency_slo_seconds": Decimal(60),
        "peak_multiplier": Decimal("2.5"),
        "publish_within_hours": 12,
        "keep_runs_days": 90,
    }


def test_the_catalogue_and_the_gate_have_every_metric_and_rule_once() -> None:
    rows = load_configuration(None).rows
    assert sorted(row.metric_id for row in rows["metric_catalog"]) == sorted(METRICS)
    assert sorted(row.rule_id for row in rows["gate_rules"]) == sorted(GATE_RULES)


def test_tables_of_the_warehouse_are_typed_and_empty_cells_are_null() -> None:
    with duckdb.connect() as db:
        create_config_tables(db, load_configuration(None))

        def types_of(table: str) -> dict[str, str]:
            return {name: kind for name, kind, *_ in db.execute(f"describe config.{table}").fetchall()}

        for file in FILES:
            assert types_of(file.stem) == file.sql_types
        assert types_of("grade_weights")["weight"] == "DECIMAL(18,6)"
        assert types_of("grade_weights")["valid_to"] == "DATE"
        assert types_of("kpi_periods")["period_days"] == "BIGINT"
        assert db.sql("select distinct valid_to from config.grade_weights").fetchall() == [(None,)]
        assert db.sql("select workdays, workday_start from config.ovl_policy").fetchall() == [
            ("mon,tue,wed,thu,fri", "08:00")
        ]
        assert db.sql("select count(*) from config.oms_capacity").fetchall() == [(0,)]
        assert db.sql("select value from config.settings where key = 'availability_slo'").fetchall() == [("0.995",)]
        assert db.sql("select is_oms_fault from config.failure_reasons group by all order by 1").fetchall() == [
            (False,),
            (True,),
        ]


@pytest.mark.parametrize("name", ["case-1", "case-2"])
def test_the_conformance_configuration_loads(name: str) -> None:
    if not CONFORMANCE.is_dir():
        pytest.skip(f"the conformance cases are not beside this checkout ({CONFORMANCE})")
    case = CONFORMANCE / name / "config"
    configuration = load_configuration(case)
    assert configuration.paths["settings"].parent == case
    configuration.check_week(WEEK)
    # The grade weights of the case change on 2024-08-29.
    assert configuration.config_hash(date(2024, 8, 12)) != configuration.config_hash(WEEK)


def test_importing_needs_no_arrow() -> None:
    code = (
        "import sys, orchestration.configuration as c; c.load_configuration(None); sys.exit('pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_file_of_the_home_replaces_the_default_as_a_whole(write: Write) -> None:
    home = write("failure_reasons.csv", "flow,failure_reason,l2_category,is_oms_fault\nacceptance,A,oms_api,TRUE\n")
    configuration = load_configuration(home)
    assert configuration.records("failure_reasons") == [
        {"flow": "acceptance", "failure_reason": "A", "l2_category": "oms_api", "is_oms_fault": True}
    ]
    assert configuration.paths["failure_reasons"] == home / "failure_reasons.csv"
    assert configuration.paths["settings"] == FILES_BY_STEM["settings"].default_path


def test_settings_left_out_have_their_defaults(write: Write) -> None:
    configuration = load_configuration(write("settings.csv", "key,value\nsmall_sample,50\n"))
    assert configuration.settings.small_sample == 50
    assert configuration.settings.grade_window_days == 28
    assert len(configuration.rows["settings"]) == len(SETTINGS)


def test_limits_may_be_named_by_settings_and_change_no_hash(write: Write) -> None:
    configuration = load_configuration(write("settings.csv", "key,value\nmax_file_weeks,7\n"))
    assert configuration.input_limits == InputLimits(max_file_weeks=7)
    assert load_configuration(None).input_limits == InputLimits()
    assert configuration.config_hash(WEEK) == load_configuration(None).config_hash(WEEK)
    message = only_problem(write("settings.csv", "key,value\nmax_file_weeks,0\n"))
    assert "the max_file_weeks 0 is out of range; it must be at least 1" in message


@pytest.mark.parametrize("rest", ["a,2024-01-01,\n" * 4, "a,2024-01-01," + "x" * 3_000], ids=["rows", "bytes"])
def test_a_file_with_more_rows_than_may_be_is_not_read(write: Write, rest: str) -> None:
    write("settings.csv", "key,value\nmax_configuration_rows,2\n")
    message = only_problem(write("holidays.csv", f"calendar,date,name\n{rest}"))
    assert message == (
        "holidays.csv: holds more than 2 rows, of 1,000 bytes on average; if that is right, "
        "raise max_configuration_rows in settings.csv"
    )


def test_rules_left_out_have_their_defaults(write: Write) -> None:
    lines = default("gate_rules").splitlines()
    own = next(line for line in lines if line.startswith("volume_shift,")).replace("warning,0.5,2,", "error,0.4,3,")
    rules = load_configuration(write("gate_rules.csv", f"{lines[0]}\n{own}\n")).records("gate_rules")
    defaults = load_configuration(None).records("gate_rules")
    assert len(rules) == len(defaults) == len(GATE_RULES)
    assert [rule for rule in rules if rule not in defaults] == [
        {"rule_id": "volume_shift", "severity": "error", "lower": Decimal("0.4"), "upper": Decimal(3)}
        | {name: rules[0][name] for name in ("set_on", "reason")}
    ]


def test_a_missing_folder_means_the_defaults(tmp_path: Path) -> None:
    configuration = load_configuration(tmp_path / "config")
    assert configuration.paths == load_configuration(None).paths


def test_byte_order_mark_windows_lines_spaces_and_blank_lines_are_accepted(write: Write) -> None:
    text = "\ufeffkey , value\r\n\r\n small_sample , 50 \r\n,\r\n"
    assert load_configuration(write("settings.csv", text)).settings.small_sample == 50


def test_hidden_files_are_left_alone(write: Write) -> None:
    load_configuration(write(".DS_Store", "\x00"))


@pytest.mark.parametrize("name", ["grade_weight.csv", "grade_weights.CSV", "grade_weights.csv.bak"])
def test_a_file_of_another_name_is_refused(write: Write, name: str) -> None:
    message = only_problem(write(name, default("grade_weights")))
    assert message.startswith(f"{name}: is not a configuration file; rename it or move it out of ")
    assert "did you mean grade_weights.csv?" in message
    assert all(file.name in message for file in FILES)


def test_a_folder_or_a_dead_link_does_not_mean_the_default(tmp_path: Path) -> None:
    (tmp_path / "holidays.csv").mkdir()
    (tmp_path / "settings.csv").symlink_to(tmp_path / "gone.csv")
    assert [problem.file for problem in problems_of(tmp_path)] == ["settings.csv", "holidays.csv"]


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    """A link isn't followed, whatever it leads to; a pipe isn't waited for."""
    (tmp_path / "secret").write_text("root:secret\n")
    config = tmp_path / "config"
    config.mkdir()
    (config / "settings.csv").symlink_to(tmp_path / "secret")
    (config / "holidays.csv").symlink_to("/dev/zero")
    os.mkfifo(config / "incidents.csv")
    assert [str(problem) for problem in problems_of(config)] == [
        f"settings.csv: {config}/settings.csv cannot be read (it is a link); correct or remove it",
        f"holidays.csv: {config}/holidays.csv cannot be read (it is a link); correct or remove it",
        f"incidents.csv: {config}/incidents.csv cannot be read (it is no plain file); correct or remove it",
    ]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    assert "cannot be read as a folder" in only_problem(tmp_path / "config")


# The form of a file


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", r"settings.csv, row 1: the file is empty; its first line must be key,value"),
        (b"\n\n", r"settings.csv, row 1: the file is empty"),
        (b"key\nsmall_sample\n", r"settings.csv, row 1, value: the column is missing; .* key,value"),
        (b"key,value,note\n", r"settings.csv, row 1, 'note': is not a column of this file; .* one of key, value"),
        (b"key,value,\n", r"settings.csv, row 1, column 3: has no name"),
        (b"key,value,key\n", r"settings.csv, row 1, key: is there twice"),
        (b"key;value\nsmall_sample;30\n", r"settings.csv, row 1: the columns are not separated by commas"),
        (b"key,value\nsmall_sample,30,1\n", r"settings.csv, row 2: has 3 values for 2 columns"),
        (b"key,value\n\nsmall_sample\n", r"settings.csv, row 3: has 1 values for 2 columns"),
        (b"key,value\nsmall_sample,\n", r"settings.csv, row 2, value: is empty; give a value"),
        (b'key,value\nsmall_sample,"30\n', r"settings.csv, row 2: cannot be read as CSV .*quote"),
        (b'key,value\nsmall_sample,"3\n0"\n', r"settings.csv, row 2, value: .*line break"),
        (b"key,value\nsmall_sample,\xff\n", r"settings.csv, row 2: is not UTF-8 text; save the file"),
        ("key,value\nsmall_sample,30\n".encode("utf-16"), r"settings.csv, row 1: is not UTF-8 text"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, raw: bytes, expected: str) -> None:
    (tmp_path / "settings.csv").write_bytes(raw)
    assert re.match(expected, only_problem(tmp_path))


def outcome(config_dir: Path) -> str:
    """What is wrong with a configuration, empty if it can be used."""
    try:
        load_configuration(config_dir).check_week(WEEK)
    except ConfigurationError as error:
        return str(error)
    return ""


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=150,
    derandomize=True,
    database=None,
)
@given(st.sampled_from(FILES), st.binary(max_size=80), st.integers(min_value=0), st.booleans())
def test_no_bytes_end_in_a_traceback(tmp_path: Path, file: ConfigFile, noise: bytes, at: int, alone: bool) -> None:
    raw = file.default_path.read_bytes()
    cut = at % len(raw)
    path = tmp_path / file.name
    path.write_bytes(noise if alone else raw[:cut] + noise + raw[cut + len(noise) :])
    assert len(outcome(tmp_path).split("\n")) <= 11
    path.unlink()


# Values

REFUSED = [
    # file, line, what is replaced there, by what, the expected problem from the row on
    ("settings", 4, "small_sample", "small_samples", r"row 4, key: .* did you mean small_sample\?"),
    ("settings", 4, "30", "3.5", r"row 4, value: the small_sample '3.5' is not a whole number"),
    ("settings", 4, "30", "-1", r"row 4, value: the small_sample -1 is out of range; it must be at least 0"),
    ("settings", 6, "0.995", "1", r"row 6, value: the availability_slo 1 is out of range; .* above 0 and below 1"),
    ("settings", 8, "2.5", "0", r"row 8, value: the peak_multiplier 0 is out of range; it must be above 0"),
    ("settings", 8, "2.5", '"2,5"', r"row 8, value: the peak_multiplier '2,5' is not a number; .* a point"),
    ("settings", 9, "12", "0", r"row 9, value: the publish_within_hours 0 is out of range; it must be at least 1"),
    ("settings", 10, "90", "x", r"row 10, value: the keep_runs_days 'x' is not a whole number"),
    ("settings", 2, "UTC", "Asia/Saigong", r"row 2, value: .* not a known time zone; did you mean Asia/Saigon\?"),
    ("settings", 2, "UTC", "America", r"row 2, value: .*'America' is not a known time zone"),
    ("settings", 2, "UTC", "localtime", r"row 2, value: .*'localtime' is not a known time zone"),
    ("settings", 4, "small_sample", "grade_window_days", r"rows 4-5, key: grade_window_days is there 2 times"),
    ("failure_reasons", 5, "acceptance", "accept", r"row 5, flow: 'accept' is not known; did you mean acceptance\?"),
    ("failure_reasons", 5, "true", "yes", r"row 5, is_oms_fault: 'yes' is neither true nor false"),
    ("failure_reasons", 5, "5XX", "TIMEOUT", r"rows 4-5, flow, failure_reason: acceptance, OMS_API_TIMEOUT is there 2"),
    (
        "reason_classes",
        4,
        "seller_fault",
        "seller",
        r"row 4, class: 'seller' is not known; .* sla_breach, seller_fault",
    ),
    ("reason_classes", 4, "cancellation", "delivery", r"row 4, kind: 'delivery' is not known"),
    ("kpi_periods", 6, "return", "global_return", r"row 6, kpi_id: .* did you mean return_rate\?"),
    ("kpi_periods", 6, "28", "0", r"row 6, period_days: 0 is out of range; it must be at least 1"),
    ("grade_cancellation_reasons", 3, "WRONG_PRICE", "OUT_OF_STOCK", r"rows 2-3, cancellation_reason: OUT_OF_STOCK is"),
    (
        "grade_cancellation_reasons",
        3,
        "2015-01-01",
        "01/01/2015",
        r"row 3, valid_from: .* not a date; write year-month",
    ),
    ("grade_cancellation_reasons", 3, "2015-01-01", "2015-02-30", r"row 3, valid_from: '2015-02-30' is not a date"),
    ("grade_cancellation_reasons", 3, "-01,", "-01,2015-01-01", r"row 3, valid_to: 2015-01-01 is not after valid_from"),
    ("grade_tiers", 4, "silver", "bronze", r"rows 3-4, tier: bronze is there twice on 2015-01-01"),
    ("grade_tiers", 4, "3.50", "2.5", r"rows 3-4, min_grade: 2.5 is there twice on 2015-01-01"),
    ("ovl_policy", 2, "mon,tue,wed", "mon,tue,mon", r"row 2, workdays: .* write each workday once"),
    ("ovl_policy", 2, "wed", "Wednesday", r"row 2, workdays: .* the days are mon, tue"),
    ("ovl_policy", 2, "08:00", "8am", r"row 2, workday_start: '8am' is not a time of day; write hh:mm"),
    ("ovl_policy", 2, "08:00", "17:00", r"row 2, workday_start: 17:00 is not before workday_end 17:00"),
    ("ovl_policy", 2, "4,3,2,", "4,3,101,", r"row 2, max_cancellation_rate: 101 is out of range; .* at most 100"),
    ("ovl_policy", 2, ",VN,", ",US,", r"row 2, holiday_calendar: US has no holidays in holidays.csv; .* VN"),
    ("ovl_policy", 2, "Asia/Ho_Chi_Minh", "Hanoi", r"row 2, time_zone: 'Hanoi' is not a known time zone"),
    ("holidays", 3, "2015-01-02", "2015-01-01", r"rows 2-3, calendar, date: VN, 2015-01-01 is there 2 times"),
    ("metric_catalog", 16, "order_volume", "orders", r"row 16, metric_id: 'orders' is not known"),
    ("metric_catalog", 16, "brand", "brands", r"row 16, family: 'brands' is not known; did you mean brand\?"),
    ("metric_catalog", 16, "neutral", "up", r"row 16, direction: 'up' is not known; it must be one of high, low"),
    ("metric_catalog", 2, ",0,100,", ",101,100,", r"row 2, minimum: 101 is greater than the maximum 100"),
    ("metric_catalog", 16, "order_volume", "claims_rate", r"rows 8, 16, metric_id: claims_rate is there 2 times"),
    ("gate_rules", 15, "warning", "info", r"row 15, severity: 'info' is not known; it must be one of error, warning"),
    ("gate_rules", 15, "0.5,2,", "2,0.5,", r"row 15, lower: 2 is greater than the upper 0.5"),
    ("gate_rules", 15, "0.5,2,", ",,", r"row 15, lower: volume_shift has no bound, so nothing fails it; give lower or"),
    ("gate_rules", 15, "2026-11-21", "yesterday", r"row 15, set_on: 'yesterday' is not a date"),
    ("gate_rules", 15, "volume_shift", "weights", r"rows 6, 15, rule_id: weights is there 2 times"),
    (
        "grade_weights",
        2,
        "50",
        "49",
        r"rows 2-5, weight: the weights valid from 2015-01-01 sum to 99, not 100: .* 49, ",
    ),
    ("grade_weights", 2, "50", "110", r"row 2, weight: 110 of shipment_in_target_duration is outside 0 to 100"),
    ("grade_weights", 3, "seller_cancel_rate", "return_rate", r"row 3, metric_id: 'return_rate' is not known"),
    ("grade_weights", 3, "seller_c", "customer_c", r"rows 3-4, metric_id: customer_cancel_rate is there twice"),
    ("grade_bands", 7, "0,2,", "1,2,", r"row 7, min: the bands of seller_cancel_rate .* start at 1, not at 0"),
    ("grade_bands", 11, "100", "99.5", r"row 11, max: the bands of seller_cancel_rate .* end at 99.5, not at 100"),
    (
        "grade_bands",
        9,
        "11,",
        "11.5,",
        r"rows 8-9, min: .* of seller_cancel_rate .* gap between 3-10 \(row 8\) and 11.5-25",
    ),
    ("grade_bands", 9, "11,", "9,", r"rows 8-9, min: .* of seller_cancel_rate .* overlap: 3-10 \(row 8\) and 9-25"),
    ("grade_bands", 8, "3,10,", "0,10,", r"rows 7-8, min: the bands of seller_cancel_rate .* overlap"),
    ("grade_bands", 8, "3,10,", "10,3,", r"row 8, min: the band 10-3 of seller_cancel_rate is inverted"),
    ("grade_bands", 11, "100", "101", r"row 11, max: 101 of seller_cancel_rate is outside 0 to 100"),
    ("grade_bands", 7, "0,2,", "-1,2,", r"row 7, min: -1 of seller_cancel_rate is outside 0 to 100"),
    ("grade_bands", 11, "100,1,", "100,1000001,", r"row 11, score: 1000001 is out of range; .* at most 1000000"),
    ("grade_bands", 11, "100,1,", "100,,", r"row 11, score: is empty; give a value"),
]


@pytest.mark.parametrize(
    ("stem", "line", "old", "new", "expected"), REFUSED, ids=[f"{case[0]}-{case[3]}" for case in REFUSED]
)
def test_a_wrong_value_is_refused_by_file_row_and_column(
    write: Write, stem: str, line: int, old: str, new: str, expected: str
) -> None:
    message = only_problem(write(f"{stem}.csv", changed(stem, line, old, new)))
    assert re.match(rf"{stem}\.csv, {expected}", message), message


def test_what_cannot_be_seen_of_a_key_is_shown_as_escapes(write: Write) -> None:
    key = "\u202eon\ufeff" + "x" * 5000
    message = only_problem(write("holidays.csv", default("holidays") + f"{key},2026-01-01,a\n{key},2026-01-01,b\n"))
    assert re.match(r"holidays.csv, rows \d+-\d+, calendar, date: \\u202eon\\ufeffxxx", message)
    assert len(message) == 1500


def test_a_metric_left_out_is_missed(write: Write) -> None:
    lines = default("metric_catalog").splitlines()
    gone = lines.pop(5).split(",")[0]
    problem = only_problem(write("metric_catalog.csv", "\n".join(lines)))
    assert problem.startswith(f"metric_catalog.csv, metric_id: no row for {gone}; add")


def test_every_problem_of_every_file_is_reported_and_ten_are_shown(write: Write) -> None:
    write("kpi_periods.csv", "kpi_id,period_days\n" + "sales,28\n" * 12)
    problems = problems_of(write("settings.csv", "key,value\nsmall_sample,x\n"))
    assert [problem.file for problem in problems] == ["settings.csv"] + ["kpi_periods.csv"] * 12
    lines = str(ConfigurationError(problems)).split("\n")
    assert lines[0].startswith("settings.csv, row 2, value: ")
    assert lines[10:] == ["and 3 more"]


# Grades: weights and bands of every version


def test_a_weight_sum_is_checked_in_every_version(write: Write) -> None:
    text = "metric_id,weight,valid_from,valid_to\n" + HALF.format("2015-01-01,2024-08-29")
    text += "shipment_in_target_duration,60,2024-08-29,\nseller_cancel_rate,41,2024-08-29,\n"
    message = only_problem(write("grade_weights.csv", text))
    assert message.startswith(
        "grade_weights.csv, rows 4-5, weight: the weights valid from 2024-08-29 sum to 101, not 100"
    )


def test_a_version_that_begins_late_leaves_a_sum_below_100(write: Write) -> None:
    text = "metric_id,weight,valid_from,valid_to\n" + HALF.format("2015-01-01,").replace("2015", "2016", 1)
    message = only_problem(write("grade_weights.csv", text))
    assert message.startswith("grade_weights.csv, row 3, weight: the weights valid from 2015-01-01 sum to 50, not 100")


def test_a_metric_with_a_weight_and_no_band_at_all_is_named(write: Write) -> None:
    bands = "".join(line for line in default("grade_bands").splitlines(keepends=True) if "customer" not in line)
    message = only_problem(write("grade_bands.csv", bands))
    assert message.startswith(
        "grade_weights.csv, row 4, metric_id: customer_cancel_rate has a weight, but no bands valid on 2015-01-01; add"
    )


def test_a_metric_without_weight_needs_no_band(write: Write) -> None:
    write("grade_weights.csv", "metric_id,weight,valid_from,valid_to\n" + HALF.format("2015-01-01,"))
    bands = "".join(line for line in default("grade_bands").splitlines(keepends=True) if "customer" not in line)
    load_configuration(write("grade_bands.csv", bands))


def test_bands_that_end_before_the_weight_are_missed(write: Write) -> None:
    text = re.sub(r"(?m)^(customer_cancel_rate,.*2015-01-01,)$", r"\g<1>2023-01-01", default("grade_bands"))
    message = only_problem(write("grade_bands.csv", text))
    assert message.startswith(
        "grade_weights.csv, row 4, metric_id: customer_cancel_rate has a weight, but no bands valid on 2023-01-01"
    )


def test_a_new_version_of_bands_may_follow_the_old_one(write: Write) -> None:
    bands = default("grade_bands")
    old = re.sub(r"(?m)^(customer_cancel_rate,.*2015-01-01,)$", r"\g<1>2023-01-01", bands)
    load_configuration(write("grade_bands.csv", old + "customer_cancel_rate,0,100,3,2023-01-01,\n"))
    message = str(problems_of(write("grade_bands.csv", bands + "customer_cancel_rate,0,100,3,2023-01-01,\n"))[0])
    assert re.match(
        r"grade_bands.csv, rows 12, 22, min: the bands of customer_cancel_rate .* 2023-01-01 overlap", message
    )


def test_a_wrong_band_is_reported_once_though_the_weights_change_meanwhile(write: Write) -> None:
    weights = default("grade_weights").replace("2015-01-01,", "2015-01-01,2023-01-01")
    write("grade_weights.csv", weights + HALF.format("2023-01-01,"))
    assert "leave a gap" in only_problem(write("grade_bands.csv", changed("grade_bands", 9, "11,", "12,")))


def test_two_bands_may_not_begin_at_the_same_value(write: Write) -> None:
    text = changed("grade_bands", 7, "0,2,", "0,0,").replace("rate,3,10,4", "rate,0,10,4")
    assert "overlap: 0-0 (row 7) and 0-10 (row 8)" in only_problem(write("grade_bands.csv", text))


@pytest.mark.parametrize("seam", [("25", "26"), ("25", "25"), ("25", "25.5"), ("25.5", "26.5")])
def test_neighbouring_bands_may_meet_or_leave_one_whole_number(write: Write, seam: tuple[str, str]) -> None:
    kept = "".join(line for line in default("grade_bands").splitlines(keepends=True) if "customer" not in line)
    rows = f"customer_cancel_rate,0,{seam[0]},5,2015-01-01,\ncustomer_cancel_rate,{seam[1]},100,1,2015-01-01,\n"
    load_configuration(write("grade_bands.csv", kept + rows))
