"""What of the configuration holds in a week: versions, hashes, waivers and incidents."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.configuration import Configuration, ConfigurationError, load_configuration
from orchestration.configuration.files import FILES
from orchestration.transform.warehouse import create_config_tables
from tests.unit.configuration_kit import HALF, WEEK, Write, changed, default, only_problem


def test_a_week_without_policy_or_weights_is_refused(write: Write) -> None:
    weights = default("grade_weights").replace("2015-01-01,", "2015-01-01,2024-09-03")
    configuration = load_configuration(write("grade_weights.csv", weights))
    configuration.check_week(WEEK)
    with pytest.raises(ConfigurationError) as raised:
        configuration.check_week(date(2024, 9, 2))
    assert str(raised.value).startswith(
        "grade_weights.csv, valid_from: no row is valid on 2024-09-09, when week 2024-09-02"
    )
    with pytest.raises(ConfigurationError) as raised:
        configuration.check_week(date(2014, 1, 6))
    assert [problem.file for problem in raised.value.problems] == ["ovl_policy.csv", "grade_weights.csv"]


@pytest.mark.parametrize(
    ("zone", "hours", "week", "expected"),
    [
        ("UTC", 3, date(2024, 8, 26), [(2024, 8, 26, 0), (2024, 9, 2, 0), (2024, 9, 2, 3)]),
        ("Asia/Ho_Chi_Minh", 3, date(2024, 8, 26), [(2024, 8, 25, 17), (2024, 9, 1, 17), (2024, 9, 1, 20)]),
        # The clocks go forward, or back, on the Sunday of the week.
        ("Europe/Berlin", 3, date(2024, 3, 25), [(2024, 3, 24, 23), (2024, 3, 31, 22), (2024, 4, 1, 1)]),
        ("Europe/Berlin", 48, date(2024, 10, 21), [(2024, 10, 20, 22), (2024, 10, 27, 23), (2024, 10, 29, 23)]),
    ],
)
def test_a_week_is_local_and_its_instants_are_utc(
    write: Write, zone: str, hours: int, week: date, expected: list[tuple[int, int, int, int]]
) -> None:
    text = f"key,value\nreporting_timezone,{zone}\ncalculation_offset_hours,{hours}\n"
    configuration = load_configuration(write("settings.csv", text))
    known = configuration.calendar[week]
    found = [known.starts_at, known.ends_at, known.calculated_at]
    assert found == [datetime(*instant) for instant in expected]


def test_validity_follows_the_local_date_of_the_calculation(write: Write) -> None:
    # A is Sunday 20:00 in UTC, and Monday 2024-09-02 in Vietnam.
    write("settings.csv", "key,value\nreporting_timezone,Asia/Ho_Chi_Minh\n")
    policy = default("ovl_policy").replace("2015-01-01,", "2024-09-02,")
    load_configuration(write("ovl_policy.csv", policy)).check_week(WEEK)


def hashes(configuration: Configuration) -> dict[date, str]:
    return {week: configuration.config_hash(week) for week in (date(2024, 8, 12), date(2024, 8, 19), WEEK)}


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    before = hashes(load_configuration(None))
    assert all(re.fullmatch("[0-9a-f]{16}", value) for value in before.values())
    shuffle = random.Random(1)
    for file in FILES:
        header, *rows = csv.reader(io.StringIO(default(file.stem)))
        order = shuffle.sample(range(len(header)), len(header))
        shuffle.shuffle(rows)
        with (tmp_path / file.name).open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([[f" {row[index]} " for index in order] for row in (header, *rows)])
    assert hashes(load_configuration(tmp_path)) == before


def test_the_hash_follows_another_figure_and_not_its_spelling(write: Write) -> None:
    before = hashes(load_configuration(None))
    assert hashes(load_configuration(write("settings.csv", "key,value\npeak_multiplier,2.50\n"))) == before
    assert hashes(load_configuration(write("grade_tiers.csv", changed("grade_tiers", 2, ",0,", ",-0.0,")))) == before
    operating = "key,value\npublish_within_hours,24\nkeep_runs_days,30\n"
    assert hashes(load_configuration(write("settings.csv", operating))) == before
    after = hashes(load_configuration(write("settings.csv", "key,value\npeak_multiplier,2.51\n")))
    assert all(after[week] != before[week] for week in before)


def test_the_hash_follows_the_limit_policies_that_held_before(write: Write) -> None:
    """A limit follows from all weeks since the first order, each under the policy of its time."""
    policy = default("ovl_policy").splitlines()[1]
    ended = policy.replace("2015-01-01,", "2015-01-01,2024-08-26")
    successor = policy.replace("2015-01-01,", "2024-08-26,")

    def with_policies(*rows: str) -> dict[date, str]:
        text = "\n".join([default("ovl_policy").splitlines()[0], *rows, ""])
        return hashes(load_configuration(write("ovl_policy.csv", text)))

    before, changed_before = with_policies(ended, successor), with_policies(ended.replace(",97,", ",96,"), successor)
    assert all(changed_before[week] != before[week] for week in before)
    later = with_policies(ended.replace("08-26", "08-28"), successor.replace("08-26", "08-28"))
    assert [later[week] != before[week] for week in sorted(before)] == [False, True, True]
    # What ends after the week leaves it as it was.
    assert before[date(2024, 8, 12)] == with_policies(policy)[date(2024, 8, 12)]


def test_the_hash_changes_for_the_weeks_in_which_a_changed_row_is_valid(write: Write) -> None:
    before = hashes(load_configuration(None))
    # From 2024-08-26 on, which is the date of A of the week of 2024-08-19.
    ended = default("grade_weights").replace("2015-01-01,", "2015-01-01,2024-08-26")
    text = ended + HALF.format("2024-08-26,")
    after = hashes(load_configuration(write("grade_weights.csv", text)))
    assert [after[week] != before[week] for week in sorted(before)] == [False, True, True]


# Waivers


WAIVERS = "rule_id,scope,week_start,reason,approved_by,valid_until\n"


def test_a_waiver_concerns_no_week_but_its_own(write: Write) -> None:
    home = write("gate_waivers.csv", WAIVERS + "weights,all,2024-08-26,a trial,jo@example.com,2024-12-31\n")
    plain, waived = load_configuration(None), load_configuration(home)
    weeks = [date(2024, 8, 19), date(2024, 8, 26), date(2024, 9, 2)]
    assert [waived.config_hash(week) != plain.config_hash(week) for week in weeks] == [False, True, False]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "weights,all,2024-08-27,a,b,2024-12-31",
            "2024-08-27 is a Tuesday; a week is named by its Monday, like 2024-08-26",
        ),
        ("weight,all,2024-08-26,a,b,2024-12-31", "did you mean weights?"),
        ("weights,all,2024-08-26,,b,2024-12-31", "reason"),
        ("weights,all,2024-08-26,a,,2024-12-31", "approved_by"),
        ("weights,all,2024-08-26,a,b,", "valid_until"),
    ],
)
def test_a_waiver_needs_a_rule_a_week_a_reason_a_person_and_an_end(write: Write, line: str, message: str) -> None:
    assert message in only_problem(write("gate_waivers.csv", WAIVERS + line + "\n"))


INCIDENTS = "incident_id,oms_client,starts_at,ends_at,title,decided_by,decided_on\n"


def incident(starts_at: str, ends_at: str, incident_id: str = "INC-1", client: str = "unicart") -> str:
    return f"{incident_id},{client},{starts_at},{ends_at},Calls time out,operations,2024-09-01\n"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-08-13T09:00:00.000Z", datetime(2024, 8, 13, 9)),
        ("2024-08-13 09:00", datetime(2024, 8, 13, 9)),
        ("2024-08-21T01:30:00+07:00", datetime(2024, 8, 20, 18, 30)),
        ("2024-08-13T09:00:00.999999999", datetime(2024, 8, 13, 9, 0, 0, 999999)),
    ],
)
def test_instants_of_an_incident_are_utc_unless_an_offset_is_given(write: Write, text: str, instant: datetime) -> None:
    configuration = load_configuration(write("incidents.csv", INCIDENTS + incident(text, "2024-09-03T00:00:00")))
    with duckdb.connect() as db:
        create_config_tables(db, configuration)
        assert db.sql("select starts_at, ends_at from config.incidents").fetchall() == [(instant, datetime(2024, 9, 3))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (incident("2024-08-13T09:00:00Z", "2024-08-13T16:00:00+07:00"), "is not after starts_at 2024-08-13 09:00:00"),
        (incident("2024-08-13", "2024-08-14T00:00:00"), "'2024-08-13' is not an instant"),
        (incident("2024-08-13T25:00:00", "2024-08-14T00:00:00"), "'2024-08-13T25:00:00' is not an instant"),
        (incident("2024-08-13T09:00.5", "2024-08-14T00:00:00"), "is not an instant"),
        (incident("0001-01-01T00:00:00+07:00", "2024-08-14T00:00:00"), "is not an instant from 1970 to 2199"),
        (incident("2024-08-13T09:00:00", ""), "ends_at: is empty"),
        (incident("2024-08-13T09:00:00", "2024-08-14T00:00:00", '"A,B"'), "holds a comma"),
        (incident("2024-08-13T09:00:00", "2024-08-14T00:00:00", client="ALL"), "write all, in small letters"),
        (incident("2024-08-13T09:00:00", "2024-08-14T00:00:00") * 2, "INC-1 is there 2 times"),
    ],
)
def test_a_wrong_incident_is_refused(write: Write, line: str, message: str) -> None:
    assert message in only_problem(write("incidents.csv", INCIDENTS + line))


def test_an_incident_counts_for_the_weeks_that_are_calculated_after_its_start(write: Write) -> None:
    # A of the week is Monday, September 2, 03:00
    plain = load_configuration(None)
    home = write("incidents.csv", INCIDENTS + incident("2024-09-02T02:59:59.999999", "2024-09-05T00:00:00"))
    assert load_configuration(home).config_hash(WEEK) != plain.config_hash(WEEK)
    assert load_configuration(home).config_hash(date(2024, 8, 19)) == plain.config_hash(date(2024, 8, 19))
    home = write("incidents.csv", INCIDENTS + incident("2024-09-02T03:00:00", "2024-09-05T00:00:00"))
    assert load_configuration(home).config_hash(WEEK) == plain.config_hash(WEEK)
    assert load_configuration(home).config_hash(date(2024, 9, 2)) != plain.config_hash(date(2024, 9, 2))
