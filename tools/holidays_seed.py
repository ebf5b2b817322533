"""Writes the default holiday calendar, `dbt_project/seeds/holidays.csv`, from the maintained `holidays` package.

Run it again to pick up newly announced days or another range of years; the same package version gives the same bytes.
"""

from __future__ import annotations

import csv
import sys
from importlib.metadata import version
from pathlib import Path

import holidays

SEED = Path(__file__).resolve().parents[1] / "dbt_project" / "seeds" / "holidays.csv"
YEARS = range(2015, 2031)


def rows(calendar: str) -> list[tuple[str, str, str]]:
    """(calendar, date, name) of the public holidays of a country, by date. Days in lieu are among them."""
    days = holidays.country_holidays(calendar, years=YEARS, language="en_US")
    return sorted((calendar, day.isoformat(), name) for day, name in days.items())


def main() -> None:
    """Writes the seed, and says where."""
    with SEED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("calendar", "date", "name"))
        writer.writerows(rows("VN"))
    sys.stdout.write(f"{SEED}: holidays of {YEARS[0]} to {YEARS[-1]}, from holidays {version('holidays')}\n")


if __name__ == "__main__":
    main()
