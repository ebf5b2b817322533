"""Which files are read, in which order, and when again: names, places and times, without content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration.ingest import intake, landing
from orchestration.ingest.contracts import OMS_LOGS, SOURCES
from orchestration.ingest.landing import look, new_files
from orchestration.ingest.ledger import Ledger
from tests.ingest.ingest_kit import Place, as_csv, logs, row


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened."""
    names: list[str] = []
    read = intake.read_raw

    def watched(connection, source, location, *rest):  # type: ignore[no-untyped-def]
        names.append(location.resolve().name)
        return read(connection, source, location, *rest)

    monkeypatch.setattr(intake, "read_raw", watched)
    return names


def paths(place: Place, source: str = "oms_logs") -> list[str]:
    return [file.path for file in look(place.home).candidates(source)]


class TestNames:
    @pytest.mark.parametrize(
        "path",
        [".a.csv", "_a.csv", "a.csv.tmp", "a.csv.part", ".git/a.csv", "_tmp/a.csv", "up.part/a.csv", "up.tmp/x/a.csv"],
    )
    def test_incomplete_files_are_as_if_they_were_not_there(self, place: Place, path: str) -> None:
        place.put("oms_logs/b.csv", logs("L1"))
        place.put(f"oms_logs/{path}", as_csv(logs("L2")))
        assert paths(place) == ["b.csv"]
        assert look(place.home).listing.ignored == []

    def test_files_of_other_kinds_and_places_are_ignored_and_listed(self, place: Place) -> None:
        others = [
            "README.md",
            "oms_logs/a.txt",
            "oms_logs/a.CSV",
            "oms_logs/a.xlsx",
            "oms_logs/a.csv.zip",
            "other/a.csv",
            "a.csv",
        ]
        for path in others:
            place.put(path, b"x")
        inbox = look(place.home)
        assert not any(inbox.candidates(source.name) for source in SOURCES)
        assert sorted(inbox.listing.ignored) == sorted(others)

    def test_any_depth_and_byte_order(self, place: Place) -> None:
        names = [
            "b.csv",
            "B.csv",
            "a/z/y/x.jsonl",
            "a/b.csv",
            "a.csv",
            "a-b/c.csv",
            "é.csv",
            "~.csv",
            "2024/08/07/1.csv",
        ]
        for name in names:
            place.put(f"oms_logs/{name}", as_csv(logs("L1")))
        assert paths(place) == sorted(names, key=str.encode)

    @pytest.mark.parametrize(
        "name",
        [
            "it's.csv",
            'a "quoted".csv',
            "glob*?[a-z]{x,y}.csv",
            "line\nfeed.csv",
            "x" * 240 + ".csv",
            "%20 $HOME `x`;--.csv",
            "week=2024-01-01/part=1/a.csv",
            "ünï 🚚.csv",
            "data.parquet/a.csv",
            "-.csv",
        ],
    )
    def test_any_name(self, place: Place, name: str) -> None:
        place.put(f"oms_logs/{name}", as_csv([*logs("L1"), *logs("L2", attempt="0")]))
        file = place.only("oms_logs")
        assert (file.path, file.landed, file.quarantined) == (name, 1, 1)
        assert place.rejected("oms_logs")[0]["source_file"] == name
        assert place.ingest("oms_logs") == []

    def test_a_name_that_is_no_text(self, place: Place) -> None:
        folder = place.put("oms_logs/b.csv", logs("L2")).parent
        file = folder / os.fsdecode(b"a\xff.csv")
        file.write_bytes(as_csv([*logs("L1"), *logs("L1", attempt="0")]))
        files = place.ingest("oms_logs")
        assert [(file.path, file.landed) for file in files] == [("a\\xff.csv", 1), ("b.csv", 1)]
        assert place.ingest("oms_logs") == []

    def test_a_name_is_not_read_as_a_glob(self, place: Place) -> None:
        place.put("oms_logs/[ab].csv", logs("L1"))
        place.put("oms_logs/a.csv", logs("L2"))
        place.put("oms_logs/*.csv", logs("L3"))
        assert [file.landed for file in place.ingest("oms_logs")] == [1, 1, 1]

    def test_any_home(self, tmp_path: Path) -> None:
        other = Place(tmp_path / "it's a home {a,b} x ü")  # which the name of ours would find as a pattern
        other.put("oms_logs/a.parquet", [*logs("X1"), *logs("X2", attempt="0")])
        other.put("packages/a.csv", [row("packages", package_id="X")])
        other.ingest("oms_logs")
        place = Place(tmp_path / "it's a [h]ome {a,b} * ü")
        place.put("oms_logs/a.parquet", [*logs("L1", "L1"), *logs("L2", attempt="0")])
        place.put("oms_logs/b.csv", [*logs("L1", "L3"), *logs("L2", attempt="0")])
        place.put("oms_logs/c.jsonl", b'{"log')
        place.put("packages/a.csv", [row("packages")])
        place.adapter("packages/a.sql", "select * from read_csv('packages/*.csv', all_varchar = true)")
        assert [(file.landed, file.quarantined, file.duplicates) for file in place.ingest("oms_logs")] == [
            (1, 1, 1),
            (1, 0, 2),
            (0, 0, 0),
        ]
        assert place.failures()["c.jsonl"].startswith("line 1 is no JSON record: ")
        assert place.ids("oms_logs") == ["L1", "L3"]
        assert place.only("packages").landed == 1

    def test_no_inbox(self, place: Place) -> None:
        place.home.inbox.rmdir()
        assert place.ingest("oms_logs") == []


class TestLinks:
    def test_links_within_the_inbox_are_followed(self, place: Place) -> None:
        place.put("elsewhere/a.csv", logs("L1"))
        place.put("elsewhere/b.csv", logs("L2"))
        place.put("oms_logs/x.csv", logs("L3"))
        (place.home.inbox / "oms_logs" / "folder").symlink_to("../elsewhere")
        (place.home.inbox / "oms_logs" / "link.csv").symlink_to("x.csv")
        found = [("link.csv", 1), ("x.csv", 0)]
        assert [(f.path, f.landed) for f in place.ingest("oms_logs")] == found
        (place.home.inbox / "elsewhere").rename(place.home.inbox / "zz")
        (place.home.inbox / "oms_logs" / "folder").unlink()
        (place.home.inbox / "oms_logs" / "folder").symlink_to("../zz")
        assert [(f.path, f.landed) for f in place.ingest("oms_logs")] == [("folder/a.csv", 1), ("folder/b.csv", 1)]

    def test_links_out_of_the_inbox_fail_and_nobody_looks_behind_them(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "secret.csv").write_bytes(as_csv(logs("L2")))
        place.put("oms_logs/x.csv", logs("L3"))
        (place.home.inbox / "oms_logs" / "folder").symlink_to(tmp_path / "out")
        (place.home.inbox / "oms_logs" / "link.csv").symlink_to(tmp_path / "out" / "secret.csv")
        (place.home.inbox / "oms_logs" / "passwords.csv").symlink_to(tmp_path / "nothing")
        (place.home.inbox / "packages").symlink_to(tmp_path / "out")
        files = place.ingest("oms_logs")
        assert [(f.path, f.status) for f in files] == [
            ("folder", "failed"),
            ("link.csv", "failed"),
            ("passwords.csv", "failed"),
            ("x.csv", "landed"),
        ]
        assert {f.error for f in files} == {"it is a link that leads out of inbox/: put the file itself there", None}
        assert [(f.path, f.status) for f in place.ingest("packages")] == [(".", "failed")]
        assert place.ingest("oms_logs") == []

    def test_a_link_that_came_after_the_look(self, place: Place, tmp_path: Path) -> None:
        """A file that became a link since the inbox was listed is none of it."""
        (tmp_path / "secret.csv").write_bytes(as_csv(logs("L2")))
        file = place.put("oms_logs/a.csv", logs("L1"))
        listed = look(place.home)
        file.unlink()
        file.symlink_to(tmp_path / "secret.csv")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(landing, "look", lambda home: listed)
            assert "leads out" in str(place.only("oms_logs").error)

    def test_a_linked_inbox(self, tmp_path: Path) -> None:
        place = Place(tmp_path / "home")
        place.home.inbox.rmdir()
        (tmp_path / "in" / "oms_logs").mkdir(parents=True)
        (tmp_path / "in" / "oms_logs" / "a.csv").write_bytes(as_csv(logs("L1")))
        place.home.inbox.symlink_to(tmp_path / "in")
        assert place.only("oms_logs").landed == 1

    def test_circles_and_dead_ends(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        (place.home.inbox / "oms_logs" / "again").symlink_to(place.home.inbox / "oms_logs")
        (place.home.inbox / "oms_logs" / "up").symlink_to(place.home.inbox)
        (place.home.inbox / "oms_logs" / "gone.csv").symlink_to("nowhere.csv")
        assert paths(place) == ["a.csv"]

    def test_a_pipe_is_not_waited_for(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        os.mkfifo(place.home.inbox / "oms_logs" / "pipe.csv")
        assert place.only("oms_logs").landed == 1


class TestOnce:
    def test_nothing_new_opens_no_file_and_changes_nothing(self, place: Place, opened: list[str]) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/bad.csv", b"x\n1\n")
        place.put("sellers/a.csv", [row("sellers")])
        for source in SOURCES:
            place.ingest(source.name)
        assert opened == ["a.csv", "bad.csv", "a.csv"]
        before = {file: file.stat().st_mtime_ns for file in place.home.landing.rglob("*.parquet")}
        opened.clear()
        for source in SOURCES:
            assert place.ingest(source.name) == []
        assert opened == []
        assert {file: file.stat().st_mtime_ns for file in place.home.landing.rglob("*.parquet")} == before

    def test_content_is_not_looked_at_while_size_and_time_stay(self, place: Place) -> None:
        good = place.put("oms_logs/a.csv", logs("L1"))
        bad = place.put("oms_logs/b.csv", b"x" * len(as_csv(logs("L2"))))
        place.ingest("oms_logs")
        for file, content in ((good, logs("L9")), (bad, logs("L2"))):
            found = file.stat()
            file.write_bytes(as_csv(content))
            os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
        assert place.ingest("oms_logs") == []
        assert list(place.failures()) == ["b.csv"]

    def test_a_file_that_changes_is_read_again_and_only_what_is_new_lands(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1", "L2"))
        place.ingest("oms_logs")
        place.put("oms_logs/a.csv", logs("L1", "L2", "L3"))
        file = place.only("oms_logs")
        assert (file.landed, file.duplicates, place.ids("oms_logs")) == (1, 2, ["L1", "L2", "L3"])

    def test_a_moved_file_adds_nothing(self, place: Place) -> None:
        file = place.put("oms_logs/a.csv", logs("L1"))
        place.ingest("oms_logs")
        file.rename(file.with_name("b.csv"))
        assert (place.only("oms_logs").landed, place.ids("oms_logs")) == (0, ["L1"])

    def test_a_file_taken_away_stays_landed(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1")).unlink()
        file = place.put("oms_logs/b.csv", logs("L2"))
        place.ingest("oms_logs")
        file.unlink()
        assert (place.ingest("oms_logs"), place.ids("oms_logs")) == ([], ["L2"])

    def test_new_files(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.ingest("oms_logs")
        place.put("oms_logs/b.csv", logs("L2"))
        with Ledger(place.home.ledger, read_only=True) as ledger:
            assert [file.path for file in new_files(look(place.home), ledger, OMS_LOGS.name)] == ["b.csv"]

    def test_each_file_is_told_of_as_it_is_done(self, place: Place) -> None:
        from orchestration.ingest.landing import IngestContext, ingest_source
        from tests.ingest.ingest_kit import NOW

        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/b.csv", b"")
        said: list[tuple[str, str]] = []
        ingest_source(
            place.home, OMS_LOGS, IngestContext("r", NOW, "UTC", 3), lambda file: said.append((file.path, file.status))
        )
        assert said == [("a.csv", "landed"), ("b.csv", "failed")]
