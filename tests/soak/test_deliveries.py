"""Deliveries and moments that nobody planned: broken, renamed, repeated and half-written files, files that come while a
run works, a clock that is set back, several runs at once. The home ends as the one that nothing disturbed.

Bytes are turned over only where the format can tell: in compressed text, which has checksums, and in the footer of
Parquet. Text that is cut is cut at a line, as a writer leaves it that is at work: the rest comes later.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import metric_store, run
from tests.running import Running, is_free
from tests.soak.campaign import (
    REPORT,
    WEEKS,
    Case,
    State,
    check_between,
    differing,
    make_case,
    numbers,
    reading,
    recover,
    runs_at_work,
)

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("cases") / "restated", "restated", [])


def new_files(case: Case) -> list[Path]:
    """The files of the second week, relative to a home."""
    files = [path.relative_to(case.ready) for path in (case.ready / "inbox").rglob("*") if path.is_file()]
    return sorted(path for path in files if path.name >= WEEKS[1])


def check_figures(case: Case, home: Path) -> None:
    """The figures are those of the undisturbed home. What the files were called is no matter, and in the marks."""
    found = State.of(home)
    history = {"publication", "fct_restatement"}
    assert set(differing(found.figures, case.after.figures)) <= history
    assert found.evidence == case.after.evidence
    assert is_free(home)
    assert runs_at_work(home) == 0
    assert not [name for name in (".scratch", ".spill", ".writer.json") if (home / name).exists()]


def cut(path: Path, draw: random.Random) -> None:
    """Half of a file: of text so many lines, of other formats so many bytes."""
    content = path.read_bytes()
    if path.suffix in (".csv", ".jsonl"):
        lines = content.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: draw.randint(1, len(lines) - 1)]))
    else:
        path.write_bytes(content[: draw.randint(0, len(content) - 1)])


def garble(path: Path, draw: random.Random) -> None:
    """Bytes turned over, where the format can tell; else the file of another kind."""
    content = bytearray(path.read_bytes())
    if path.suffix in (".gz", ".zst"):
        at = draw.randrange(len(content) // 3, len(content) - 8)
        content[at : at + 8] = bytes(byte ^ 0xFF for byte in content[at : at + 8])
    elif path.suffix == ".parquet":
        content[-12:-8] = b"\xff\xff\xff\x7f"
    else:
        content[:] = gzip.compress(bytes(content))
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("harm", [cut, garble], ids=["cut", "garbled"])
def test_broken_files_that_are_mended(
    harm: Callable[[Path, random.Random], None], number: int, case: Case, tmp_path: Path
) -> None:
    """One to four at once. While they are there, readers have what they had, or good restatements."""
    draw = numbers(f"{harm.__name__}-{number}")
    home = case.new_home(tmp_path / "home")
    broken = draw.sample(new_files(case), draw.randint(1, 4))
    for path in broken:
        harm(home / path, draw)
    ended = run(home)
    assert ended.status in (0, 3), ended.text
    assert "Traceback" not in ended.text
    between = State.of(home)
    for path in broken:
        shutil.copy2(case.ready / path, home / path)
    mended = run(home)
    assert mended.status == 0, mended.text
    check_figures(case, home)
    REPORT.append(
        f"{harm.__name__}-{number}: {', '.join(map(str, broken))}; status {ended.status}, then 0; "
        f"meanwhile {len(between.evidence)} weeks published"
    )
    shutil.rmtree(home)


def test_files_under_other_names_twice_and_unfinished(case: Case, tmp_path: Path) -> None:
    """Renamed, again under another name, and half-written beside the whole under a name of the unfinished."""
    draw = numbers("names")
    home = case.new_home(tmp_path / "home")
    for path in new_files(case):
        file = home / path
        match draw.choice(["as it is", "renamed", "again", "unfinished"]):
            case "renamed":
                file.rename(file.with_name(f"{draw.choice('0x~')}-{file.name}"))
            case "again":
                (file.parent / "again").mkdir(exist_ok=True)
                shutil.copyfile(file, file.parent / "again" / file.name)
            case "unfinished":
                half = file.with_name(draw.choice([f".{file.name}", f"_{file.name}", f"{file.name}.part"]))
                half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    ended = run(home)
    assert ended.status == case.status, ended.text
    check_figures(case, home)
    for path in new_files(case):  # and all of it once more, after it was published
        target = home / path.parent / "replayed" / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(case.ready / path, target)
    replayed = run(home)
    assert (replayed.status, replayed.out.split(":")[0]) == (0, "No week is new or due"), replayed.text
    check_figures(case, home)
    REPORT.append("renamed, repeated and unfinished files: as undisturbed, and a replay of all adds nothing")


def deliver_slowly(away: Path, home: Path, files: list[Path], draw: random.Random) -> None:
    """Bring files into the inbox one after the other: half of them at once, the others growing under their name."""
    for path in draw.sample(files, len(files)):
        target = home / path
        content = (away / path).read_bytes()
        if draw.random() < 0.5:
            unfinished = target.with_name(f".{target.name}")
            unfinished.write_bytes(content)
            unfinished.rename(target)
        else:
            is_text = path.suffix in (".csv", ".jsonl")
            parts = content.splitlines(keepends=True) if is_text else [content[:99], content[99:]]
            with target.open("wb") as file:
                for part in parts:
                    file.write(part)
                    file.flush()
                    time.sleep(draw.random() * (0.05 if is_text else 1.5))
        time.sleep(draw.random())


def test_files_that_come_while_runs_are_at_work(case: Case, tmp_path: Path) -> None:
    draw = numbers("meanwhile")
    home = case.new_home(tmp_path / "home")
    for path in new_files(case):
        (home / path).unlink()
    upstream = threading.Thread(target=deliver_slowly, args=(case.ready, home, new_files(case), draw))
    upstream.start()
    statuses = []
    while upstream.is_alive():
        ended = run(home)
        assert ended.status in (0, 3), ended.text
        assert "Traceback" not in ended.text
        State.of(home)
        statuses.append(ended.status)
    last = run(home)
    assert last.status == 0, last.text
    check_figures(case, home)
    REPORT.append(f"files that came while {len(statuses)} runs worked: statuses {statuses}, then 0; as undisturbed")


def test_a_clock_that_is_set_back_and_files_of_other_times(case: Case, tmp_path: Path) -> None:
    """Set back to before the second week is over, though later builds are there; files are of 1980 and of 2099."""
    home = case.new_home(tmp_path / "home")
    for number, path in enumerate(new_files(case)):
        os.utime(home / path, (year := [315532800, 4070908800][number % 2], year))
    early = metric_store("run", "--home", home, "--now", "2026-01-19T02:00:00")
    assert early.status == 0, early.text
    assert list(State.of(home).evidence) == [week for week in case.after.evidence if str(week) == WEEKS[0]]
    ended = run(home)
    assert ended.status == case.status, ended.text
    check_figures(case, home)
    REPORT.append("a clock that is set back, files of 1980 and 2099: as undisturbed")


@pytest.mark.parametrize("number", range(2))
def test_several_runs_at_once(number: int, case: Case, tmp_path: Path) -> None:
    """One works, the others are refused; whatever the order, the home ends as one run leaves it."""
    draw = numbers(f"at-once-{number}")
    home = case.new_home(tmp_path / "home")
    with reading(case, home):
        runs = []
        for _ in range(draw.randint(2, 3)):
            runs.append(Running(home))
            time.sleep(draw.choice([0, draw.random() * 20]))
        ended = [run.end(600) for run in runs]
        for one in ended:
            refused = one.status == 1 and f"Error: Another run is writing {home}" in one.err
            assert refused or one.status == 0, one.text
            assert "Traceback" not in one.text
        assert 0 in [one.status for one in ended]
        check_between(case, home)
        recover(case, home, [])
    REPORT.append(f"{len(runs)} runs at once: statuses {[one.status for one in ended]}; as undisturbed")
