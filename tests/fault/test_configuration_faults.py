"""A wrong configuration file in a home stops a run before anything is built, and says which file and row to correct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli.app import main
from orchestration.configuration import load_configuration
from tests.conftest import SAMPLE_WEEKS, metric_store


def default(name: str) -> str:
    return load_configuration(None).paths[name.removesuffix(".csv")].read_text(encoding="utf-8")


def replaced(name: str, old: str, new: str) -> str:
    text = default(name)
    assert old in text
    return text.replace(old, new, 1)


def without_line(name: str, start: str) -> str:
    lines = default(name).splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(start)]
    assert len(kept) == len(lines) - 1
    return "".join(kept)


FAULTS: dict[str, tuple[str, Callable[[], str | bytes], list[str]]] = {
    "weights of 99": (
        "grade_weights.csv",
        lambda: replaced(
            "grade_weights.csv", "seller_related_delivery_problems,10,", "seller_related_delivery_problems,9,"
        ),
        ["grade_weights.csv, rows 2-5", "99"],
    ),
    "a gap between bands": (
        "grade_bands.csv",
        lambda: without_line("grade_bands.csv", "shipment_in_target_duration,61,80,"),
        ["grade_bands.csv, rows 3-4", "shipment_in_target_duration", "gap between 26-60 (row 3) and 81-94 (row 4)"],
    ),
    "bands that overlap": (
        "grade_bands.csv",
        lambda: replaced("grade_bands.csv", "seller_cancel_rate,3,10,", "seller_cancel_rate,1,10,"),
        ["grade_bands.csv, rows 7-8", "seller_cancel_rate"],
    ),
    "bands that don't start at 0": (
        "grade_bands.csv",
        lambda: replaced("grade_bands.csv", "seller_cancel_rate,0,2,", "seller_cancel_rate,1,2,"),
        ["grade_bands.csv, row 7", "seller_cancel_rate", "start at 1"],
    ),
    "bands that don't end at 100": (
        "grade_bands.csv",
        lambda: replaced("grade_bands.csv", "seller_cancel_rate,61,100,", "seller_cancel_rate,61,99,"),
        ["grade_bands.csv, row 11", "seller_cancel_rate", "end at 99"],
    ),
    "an inverted band": (
        "grade_bands.csv",
        lambda: replaced("grade_bands.csv", "seller_cancel_rate,3,10,", "seller_cancel_rate,10,3,"),
        ["grade_bands.csv, row 8", "seller_cancel_rate", "inverted"],
    ),
    "a band outside 0 to 100": (
        "grade_bands.csv",
        lambda: replaced("grade_bands.csv", "seller_cancel_rate,61,100,", "seller_cancel_rate,61,101,"),
        ["grade_bands.csv, row 11", "seller_cancel_rate", "outside 0 to 100"],
    ),
    "a metric without bands": (
        "grade_weights.csv",
        lambda: "metric_id,weight,valid_from,valid_to\ncustomer_cancel_rate,100,2014-01-01,\n",
        ["grade_weights.csv, row 2", "customer_cancel_rate has a weight, but no bands valid on 2014-01-01"],
    ),
    "a misspelt file": (
        "grade_weight.csv",
        lambda: default("grade_weights.csv"),
        ["grade_weight.csv", "grade_weights.csv"],
    ),
    "a misspelt column": (
        "oms_capacity.csv",
        lambda: "oms_client,hourly_calls\n",
        ["oms_capacity.csv", "hourly_calls"],
    ),
    "an unknown metric": (
        "metric_catalog.csv",
        lambda: replaced("metric_catalog.csv", "\no2d_ratio,", "\no2d_ration,"),
        ["metric_catalog.csv, row 2", "o2d_ration"],
    ),
    "an unknown rule": (
        "gate_rules.csv",
        lambda: replaced("gate_rules.csv", "\nweights,", "\nweight,"),
        ["gate_rules.csv", "weight"],
    ),
    "a metric that is missing": (
        "metric_catalog.csv",
        lambda: without_line("metric_catalog.csv", "claims_rate,"),
        ["metric_catalog.csv", "claims_rate"],
    ),
    "a time zone of nowhere": (
        "settings.csv",
        lambda: "key,value\nreporting_timezone,Mars/Base\n",
        ["settings.csv, row 2", "Mars/Base"],
    ),
    "a file that is no text": ("settings.csv", lambda: b"\xff\xfe\x00key", ["settings.csv"]),
}

#: Of these the message says the row in the words of the metric that is missing.
_OF_THE_WHOLE_FILE = {"a misspelt file", "a metric that is missing", "a file that is no text", "a misspelt column"}


def state_of(home: Path) -> dict[str, tuple[int, int]]:
    """Every file of a home that a run could touch."""
    return {
        str(path.relative_to(home)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in home.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published home with a file that would land; runs that are refused leave it as it is."""
    home = tmp_path_factory.mktemp("configuration") / "home"
    (home / "landing").mkdir(parents=True)
    (home / "published").mkdir()
    (home / "inbox" / "oms_logs").mkdir(parents=True)
    (home / "inbox" / "oms_logs" / "new.jsonl").write_text("{}\n")
    (home / "landing" / "ledger.sqlite").write_bytes((sample_home / "landing" / "ledger.sqlite").read_bytes())
    (home / "published" / "metric_store.duckdb").write_bytes(
        (sample_home / "published" / "metric_store.duckdb").read_bytes()
    )
    return home


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("weeks", [None, f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[2]}"], ids=["new or due", "asked for"])
def test_a_wrong_file_stops_the_run(fault: str, weeks: str | None, home: Path) -> None:
    name, text, said = FAULTS[fault]
    (home / "config").mkdir(exist_ok=True)
    file = home / "config" / name
    content = text()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        before = state_of(home)
        ended = CliRunner().invoke(main, ["run", "--home", str(home), *(["--weeks", weeks] if weeks else [])])
        assert state_of(home) == before
    finally:
        file.unlink()
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: {name}")
    assert "unexpected" not in ended.stderr
    assert "Traceback" not in ended.stderr
    for part in said:
        assert part in ended.stderr, ended.stderr
    if fault not in _OF_THE_WHOLE_FILE:
        assert ", row" in ended.stderr, ended.stderr


def test_every_file_with_a_fault_is_named(home: Path) -> None:
    (home / "config").mkdir(exist_ok=True)
    files = [home / "config" / name for name in ("grade_weights.csv", "settings.csv")]
    files[0].write_text(FAULTS["weights of 99"][1]())
    files[1].write_text(FAULTS["a time zone of nowhere"][1]())
    try:
        ended = CliRunner().invoke(main, ["run", "--home", str(home)])
    finally:
        for file in files:
            file.unlink()
    assert ended.exit_code == 1
    assert len(ended.stderr.splitlines()) == 2
    assert all(file.name in ended.stderr for file in files)


def test_what_is_published_can_be_read_meanwhile(home: Path) -> None:
    (home / "config").mkdir(exist_ok=True)
    file = home / "config" / "grade_weights.csv"
    file.write_text(FAULTS["weights of 99"][1]())
    try:
        shown = CliRunner().invoke(main, ["metric", "o2d_ratio", "--home", str(home)])
        status = CliRunner().invoke(main, ["status", "--home", str(home)])
    finally:
        file.unlink()
    assert shown.exit_code == 0, shown.output
    assert status.exit_code == 0, "it tells what else it knows"
    assert status.stdout.splitlines()[2].startswith("Problem: grade_weights.csv")


@pytest.mark.parametrize("name", ["ovl_policy.csv", "grade_weights.csv"])
def test_no_policy_or_weights_for_a_week_of_the_run_stop_it_before_anything_is_built(
    name: str, home_copy: Path
) -> None:
    """The files are sound, but not for the week that is asked for: only the run knows its weeks."""
    (home_copy / "config").mkdir()
    (home_copy / "config" / name).write_text(default(name).replace("2015-01-01", "2026-01-20"))
    warehouse, store = home_copy / "warehouse.duckdb", home_copy / "published" / "metric_store.duckdb"
    before = [(file.stat().st_mtime_ns, file.stat().st_ino) for file in (warehouse, store)]
    ended = metric_store("run", "--home", home_copy, "--weeks", f"{SAMPLE_WEEKS[0]}..{SAMPLE_WEEKS[1]}")
    assert (ended.status, ended.out) == (1, "")
    said = ended.err[ended.err.index("Error: ") :]
    assert said.startswith(
        f"Error: {name}, valid_from: no row is valid on 2026-01-12, when week 2026-01-05 is calculated"
    )
    assert len(said.splitlines()) == 1
    assert [(file.stat().st_mtime_ns, file.stat().st_ino) for file in (warehouse, store)] == before
