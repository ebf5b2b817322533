"""What holds or takes too much fails by a limit that has a name, and other files land."""

from __future__ import annotations

import gzip
import io
import json
import resource
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest import adapter_engine
from orchestration.ingest.adapter_engine import AdapterTask
from orchestration.ingest.intake import Intake
from orchestration.limits import EngineLimits, InputLimits
from tests.ingest.ingest_kit import Place, as_csv, as_parquet, row

SOUND = row("packages", package_id="sound")


def why(place: Place, name: str, content: bytes) -> str:
    """Why the file fails; a sound one lands beside it."""
    place.put(f"packages/{name}", content)
    place.put("packages/z.csv", [SOUND])
    files = {file.path: file for file in place.ingest("packages")}
    assert files["z.csv"].landed == 1
    assert (files[name].status, files[name].landed) == ("failed", 0)
    return str(files[name].error)


def advice(name: str) -> str:
    return f": if that is right, raise {name} in config/settings.csv and touch the file"


class TestColumns:
    def test_csv(self, place: Place) -> None:
        names = ",".join(f"c{number}" for number in range(100_000))
        said = why(place, "a.csv", f"{names}\n".encode())
        assert said == "it has 100,000 columns, and may have 2,000" + advice("max_file_columns")

    def test_keys_of_json(self, place: Place) -> None:
        lines = [json.dumps({f"key {number}": 1}) for number in range(2_001)]
        assert why(place, "a.jsonl", "\n".join(lines).encode()).startswith("it has 2,001 columns, and may have 2,000:")

    def test_parquet(self, place: Place) -> None:
        wide = {f"c{number}": "x" for number in range(2_001)}
        assert why(place, "a.parquet", as_parquet([wide])).startswith("it has 2,001 columns, and may have 2,000:")

    def test_as_many_as_may_be(self, place: Place) -> None:
        place.input_limits = InputLimits(max_file_columns=5)
        place.put("packages/a.csv", [row("packages", more="x")])
        assert place.only("packages").landed == 1


class TestRecords:
    def test_csv(self, place: Place) -> None:
        content = as_csv([SOUND, row("packages", package_id="x" * 2_100_000)])
        assert why(place, "a.csv", content) == "row 3 is longer than 2 MB" + advice("max_record_mb")

    @pytest.mark.parametrize("length", [2_100_000, 40_000_000])
    def test_json(self, place: Place, length: int) -> None:
        lines = [json.dumps(SOUND), json.dumps(row("packages", package_id="x" * length))]
        assert why(place, "a.jsonl", "\n".join(lines).encode()).endswith(
            " is longer than 2 MB" + advice("max_record_mb")
        )

    @pytest.mark.parametrize("ending", ["csv", "jsonl"])
    def test_as_long_as_may_be(self, place: Place, ending: str) -> None:
        place.put(f"packages/a.{ending}", [row("packages", package_id="x" * 1_900_000)])
        assert place.only("packages").landed == 1
        place.input_limits = InputLimits(max_record_mb=1)
        place.put(f"packages/b.{ending}", [row("packages", package_id="y" * 1_900_000)])
        assert "longer than 1 MB" in str(place.only("packages").error)


class TestWeeks:
    def test_more_than_may_be(self, place: Place) -> None:
        weeks = [datetime(1990, 1, 1) + timedelta(weeks=number) for number in range(521)]
        rows = [row("packages", package_id=f"P{week:%Y%m%d}", shipped_at=str(week)) for week in weeks]
        said = why(place, "a.csv", as_csv(rows))
        assert said == "it has records of 521 weeks, and may have 520" + advice("max_file_weeks")


class TestUnpacked:
    CONTENT = as_csv([row("packages")]) + b"P2,O1,S1,2024-08-07\n" * 3_500_000

    def test_ratio(self, place: Place) -> None:
        said = why(place, "a.csv.gz", gzip.compress(self.CONTENT))
        assert said == "unpacked it has more than 64 MB, and more than 200 times its size" + advice(
            "max_unpacked_ratio"
        )

    def test_size(self, place: Place) -> None:
        place.input_limits = InputLimits(max_unpacked_mb=1)
        said = why(place, "a.csv.gz", gzip.compress(self.CONTENT))
        assert said == "unpacked it has more than 1 MB" + advice("max_unpacked_mb")

    def test_parquet_of_a_value_said_often(self, place: Place, tmp_path: Path) -> None:
        """A few hundred bytes stand for any number of equal rows."""
        query = "select 'P' as package_id, 'O' as order_id, 'S' as seller_id, '2024-08-07' as shipped_at"
        file = tmp_path / "a.parquet"
        duckdb.execute(f"copy ({query} from range(1_000_000)) to '{file}' (row_group_size 1_000_000)")
        assert file.stat().st_size < 5_000
        place.input_limits = InputLimits(max_unpacked_mb=3)
        assert advice("max_unpacked_mb") in why(place, "a.parquet", file.read_bytes())


class TestMemory:
    def test_a_file_that_takes_all(self, place: Place) -> None:
        place.limits = EngineLimits("60MB", 1)
        lines = [json.dumps(row("packages", package_id=f"{number}" + "x" * 1_900_000)) for number in range(60)]
        said = why(place, "a.jsonl", "\n".join(lines).encode())
        assert said == "it takes more memory than the engine has (60MB): part it, or raise --memory-limit"

    def test_one_that_has_enough_alone(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        tries: list[str] = []

        def take(intake: Intake, origin: Any) -> None:
            tries.append(str(origin))
            if len(tries) == 1:
                raise duckdb.OutOfMemoryException("what lay in the engine before took it")
            really_take(intake, origin)

        really_take = Intake.take
        monkeypatch.setattr(Intake, "take", take)
        place.put("packages/a.csv", [SOUND])
        assert (place.only("packages").landed, len(tries)) == (1, 2)


class TestAdapters:
    SELECT = "select * from read_csv('shop/a.csv', all_varchar = true)"

    def error(self, place: Place, sql: str) -> str:
        place.put("shop/a.csv", as_csv([SOUND]))
        place.adapter("packages/shop.sql", sql)
        return str(place.only("packages").error)

    def test_seconds(self, place: Place) -> None:
        """A function that doesn't ask whether it is interrupted."""
        place.input_limits = InputLimits(max_adapter_seconds=2)
        said = self.error(place, f"{self.SELECT} where levenshtein(repeat('a', 1000000), repeat('b', 1000000)) > 0")
        assert said == "its SQL takes more than 2 seconds" + advice("max_adapter_seconds")

    @pytest.mark.parametrize(
        "sql",
        [
            "where strlen(repeat('x', 3000000000 + strlen(package_id))) > 0",
            "where (select strlen(string_agg(repeat('x', 1000), '')) from range(1000000)) > 0",
            "where len(range(0, 300000000 + strlen(package_id))) > 0",
        ],
        ids=["beside the engine's limit", "within it", "list"],
    )
    def test_memory(self, place: Place, sql: str) -> None:
        place.input_limits = InputLimits(max_adapter_memory_mb=200)
        said = self.error(place, f"{self.SELECT} {sql}")
        assert said == "its SQL takes more than 200 MB of memory" + advice("max_adapter_memory_mb")

    def test_memory_of_the_run(self, place: Place) -> None:
        place.limits = EngineLimits("100MB", 1)
        said = self.error(
            place, f"{self.SELECT} where (select strlen(string_agg(repeat('x', 999), '')) from range(999999)) > 0"
        )
        assert said == "its SQL takes more memory than the engine has (100MB): see --memory-limit"

    def test_a_fault_of_the_engine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(task: AdapterTask) -> None:
            raise duckdb.InternalException("INTERNAL Error: it broke\nThis error signals ...")

        task = AdapterTask(
            "packages", "", [], str(tmp_path), str(tmp_path / "raw"), {"threads": 1}, seconds=1, megabytes=1
        )
        monkeypatch.setattr(adapter_engine, "run", fail)
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(asdict(task))))
        monkeypatch.setattr(resource, "setrlimit", lambda *limits: None)
        assert adapter_engine.main() == adapter_engine.FAILED
        assert capsys.readouterr().out == "its SQL meets a fault of the engine: INTERNAL Error: it broke\n"

    def test_sql_that_is_too_long(self, place: Place) -> None:
        assert self.error(place, "-" * 1_100_000).startswith("it has more than 1,048,576 bytes")
