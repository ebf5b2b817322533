"""What a simulation finds: sellers who have a row on one side only, or no tier on one, differ, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from orchestration.cli.simulate import _print_changes
from orchestration.whatif.simulation import Crossing, _compared

WEEK = date(2024, 8, 5)
GRADES, LIMITS = "fct_seller_grade_week", "fct_seller_ovl_week"


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    """Grades without and with a tier, before and after; S9 is of another week."""
    with duckdb.connect() as connection:
        for schema in ("published_figures", "marts"):
            connection.execute(f"create schema {schema}")
            connection.execute(
                f"create table {schema}.{GRADES} (week_start date, seller_id text, final_grade double, tier text)"
            )
            connection.execute(
                f"create table {schema}.{LIMITS} (week_start date, seller_id text, daily_order_limit bigint)"
            )
        connection.execute(
            f"insert into published_figures.{GRADES} values ('2024-08-05', 'enters', 2, null), "
            "('2024-08-05', 'leaves', 4, 'gold'), ('2024-08-05', 'never', 2, null), "
            "('2024-08-05', 'stays', 4, 'gold'), ('2024-08-05', 'falls', 4, 'gold'), "
            "('2024-08-05', 'goes', 4, 'gold'), ('2024-08-12', 'S9', 4, 'gold')"
        )
        connection.execute(
            f"insert into marts.{GRADES} values ('2024-08-05', 'enters', 2, 'silver'), "
            "('2024-08-05', 'leaves', 4, null), ('2024-08-05', 'never', 2, null), ('2024-08-05', 'stays', 4, 'gold'), "
            "('2024-08-05', 'falls', 3, 'silver'), ('2024-08-05', 'comes', 4, 'gold'), ('2024-08-12', 'S9', 3, null)"
        )
        connection.execute(f"insert into published_figures.{LIMITS} values ('2024-08-05', 'never', null)")
        connection.execute(f"insert into marts.{LIMITS} values ('2024-08-05', 'never', 5)")
        yield connection


def test_who_enters_or_leaves_a_tier_crosses_one(db: duckdb.DuckDBPyConnection) -> None:
    found = _compared(db, [GRADES, LIMITS], [WEEK], [])
    assert found.rows == 7
    assert found.changed == {"grade": 3, "tier": 5, "daily_order_limit": 1}
    assert found.crossings == [
        Crossing(WEEK, "gold", "silver", ["falls"]),
        Crossing(WEEK, "gold", None, ["goes", "leaves"]),
        Crossing(WEEK, None, "gold", ["comes"]),
        Crossing(WEEK, None, "silver", ["enters"]),
    ]


def test_what_appears_or_goes_is_shown_as_a_change(
    db: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    _print_changes(_compared(db, [GRADES, LIMITS], [WEEK], []))
    shown = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith(str(WEEK))]
    assert shown == ["comes", "enters", "falls", "goes", "leaves", "never"]
