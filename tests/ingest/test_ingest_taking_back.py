"""A home in which a file or an adapter's earlier SQL was taken back equals one that never had it."""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from metric_store.errors import MetricStoreError
from orchestration.cli.forget import forget_files
from orchestration.configuration import load_configuration
from orchestration.home.lock import HomeIsBusyError, writer_lock
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.ledger import Ledger
from orchestration.weeks import planning
from orchestration.weeks.planning import plan_weeks, state_of
from orchestration.weeks.work import Work, work_of
from tests.ingest.ingest_kit import NOW, Place, Row, logs, row

WEEKS = {date(2024, 7, 22) + timedelta(weeks=n) for n in range(16)}
_TABLES = ("partitions", "event_weeks", "quarantined", "quarantine_weeks", "touches")


def state(place: Place, source: str) -> dict[str, Any]:
    """All that is known of a source, without the ids of files and what they were called on disk."""
    with Ledger(place.home.ledger, read_only=True) as ledger:
        fingerprints = planning._fingerprints(ledger, WEEKS)
        present = bool(ledger.known(source))
    with sqlite3.connect(place.home.ledger) as db:
        files = db.execute("select * from files where source = ? order by read_order", [source])
        names = [column[0] for column in files.description]
        rows = [dict(zip(names, values, strict=True)) for values in files]
        told = []
        for found in rows:
            children = {}
            for table in _TABLES:
                query = f"select * from {table} where file_id = ?"
                cursor = db.execute(query, [found["file_id"]])
                dropped = {"file_id", "path"}
                kept = [place for place, column in enumerate(cursor.description) if column[0] not in dropped]
                children[table] = sorted(tuple(values[place] for place in kept) for values in cursor)
            told.append(({k: v for k, v in found.items() if k not in ("file_id", "read_order")}, children))
    order = {found["file_id"]: number for number, found in enumerate(rows)}
    return {
        "files": told,
        "present": present,
        "fingerprints": fingerprints,
        "landed": sorted(map(repr, place.landed(source))),
        "rejected": sorted(repr({**bad, "_file_id": order[bad["_file_id"]]}) for bad in place.rejected(source)),
        "orphans": place.orphans(source),
    }


def some_rows(source: str, draw: random.Random) -> list[Row]:
    """Records that meet one another: few keys and few times, and some that are bad."""
    rows = []
    for _ in range(draw.randint(1, 6)):
        values: dict[str, Any] = {SOURCES_BY_NAME[source].key[0]: f"K{draw.randint(1, 4)}"}
        day = f"2024-08-{draw.randint(1, 30):02d}"
        columns = [column.name for column in SOURCES_BY_NAME[source].columns]
        if "updated_at" in columns:
            values["updated_at"] = f"2024-08-{draw.choice(['05', '12', '19'])}"
        if source == "seller_orders":
            values |= {"shipped_at": draw.choice([None, day]), "ordered_at": f"2024-08-0{draw.randint(1, 3)}"}
            values |= {"quantity": draw.choice(["1", "1", "1", "2", "0"])}
        elif source == "sellers":
            values |= {"mall_segment": draw.choice(["anchor", "focus", "none"]), "seller_name": "One"}
        elif source == "oms_logs":
            values |= {"logged_at": draw.choice(["2024-08-07", "2024-08-14", "2024-09-20"]), "attempt": "1"}
            values |= {"attempt": draw.choice(["1", "1", "2", "0"])}
        else:
            values |= {"shipped_at": draw.choice(["2024-08-07", "2024-08-14", "soon"])}
        rows.append(row(source, **values))
    return rows


SEEDS = range(int(os.environ.get("TAKING_BACK_SEEDS", "2")))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("source", ["seller_orders", "sellers", "oms_logs", "packages"])
def test_a_home_equals_one_that_never_had_the_files(source: str, seed: int, tmp_path: Path) -> None:
    draw = random.Random(f"{source} {seed}")
    had, never = Place(tmp_path / "had"), Place(tmp_path / "never")
    names = [f"{draw.choice('abcxyz')}{number}.csv" for number in range(6)]
    contents = {name: some_rows(source, draw) for name in names}
    for name in draw.sample(names, 2):  # a file repeats another one
        contents[name] = contents[draw.choice(names)]
    gone = draw.sample(names, draw.choice([1, 1, 2]))
    runs = [names[:2], names[2:4], names[4:]]
    for number, run in enumerate(runs):
        for name in run:
            for place in [had] if name in gone else [had, never]:
                file = place.put(f"{source}/{name}", contents[name])
                os.utime(file, ns=(number, number))
        for place in (had, never):
            place.runs = number
            place.ingest(source, NOW + timedelta(days=10 * number))
    forget_files(had.home, [f"{source}/{name}" for name in gone])
    assert state(had, source) == state(never, source)
    assert had.ingest(source) == []
    for place in (had, never):  # what comes later meets the same
        file = place.put(f"{source}/later.csv", [record for name in names for record in contents[name]])
        os.utime(file, ns=(9, 9))
        place.runs = 9
        place.ingest(source, NOW + timedelta(days=40))
    assert state(had, source) == state(never, source)


ORDER = {"sub_order_id": "K1", "ordered_at": "2024-08-01", "updated_at": "2024-08-01"}
SHIPPED = {**ORDER, "shipped_at": "2024-08-20", "updated_at": "2024-08-20"}
MEETINGS = {
    "another content": ("oms_logs", logs("L1"), logs("L1", attempt="2") + logs("L2")),
    "another version": ("seller_orders", [row("seller_orders", **ORDER)], [row("seller_orders", **SHIPPED)]),
    "the same": ("packages", [row("packages")], [row("packages")]),
    "the same, bad": ("packages", [row("packages", seller_id=None)], [row("packages", seller_id=None)]),
}


@pytest.mark.parametrize("meeting", MEETINGS)
def test_a_file_that_met_records_of_one_that_is_gone(meeting: str, tmp_path: Path) -> None:
    source, gone, stays = MEETINGS[meeting]
    had, never = Place(tmp_path / "had"), Place(tmp_path / "never")
    os.utime(had.put(f"{source}/a.csv", gone), ns=(1, 1))
    for place in (had, never):
        os.utime(place.put(f"{source}/b.csv", stays), ns=(1, 1))
        place.ingest(source)
    assert state(had, source) != state(never, source)
    forget_files(had.home, [f"{source}/a.csv"])
    assert state(had, source) == state(never, source)


class TestForget:
    def test_what_others_had_dropped_comes_back(self, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
        place.put("oms_logs/a.csv", logs("L1", "L2"))
        place.put("oms_logs/b.csv", logs("L1") + logs("L2", attempt="2") + logs("L3"))
        place.ingest("oms_logs")
        forget_files(place.home, ["oms_logs/a.csv"])
        assert place.ids("oms_logs") == ["L1", "L2", "L3"]
        assert place.rejected("oms_logs") == []
        assert capsys.readouterr().out.splitlines() == [
            "Taken back: oms_logs/a.csv (2 landed, 0 rejected)",
            "Read again: oms_logs/b.csv (3 landed, 0 rejected; before 1 landed, 1 rejected)",
            "oms_logs/a.csv is still there, and is not read again as it is: correct it, which brings it back, or move "
            "it away.",
        ]

    def test_it_lands_again_when_it_is_mended(self, place: Place) -> None:
        file = place.put("oms_logs/a.csv", logs("L1"))
        place.ingest("oms_logs")
        forget_files(place.home, [str(file)])
        assert place.ingest("oms_logs") == []
        place.put("oms_logs/a.csv", logs("L1", "L2"))
        assert place.only("oms_logs").landed == 2

    def test_all_that_a_path_ever_brought(self, place: Place) -> None:
        for log_id in ("L1", "L2"):
            place.put("oms_logs/a.csv", logs(log_id, seller_id=f"S{log_id}"))
            place.ingest("oms_logs")
            (place.home.inbox / "oms_logs/a.csv").unlink()
        forget_files(place.home, ["oms_logs/a.csv"])
        assert place.landed("oms_logs") == []
        with Ledger(place.home.ledger, read_only=True) as ledger:
            assert not ledger.known("oms_logs"), "the source is absent"

    def test_what_can_not_be_read_again_stays_and_is_named(
        self, place: Place, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first = {"sub_order_id": "K1", "ordered_at": "2024-08-01", "updated_at": "2024-08-01"}
        place.put("seller_orders/a.csv", [row("seller_orders", **first)])
        place.put(
            "seller_orders/b.csv",
            [
                row("seller_orders", **first),
                row("seller_orders", **{**first, "shipped_at": "2024-08-20", "updated_at": "2024-08-20"}),
            ],
        )
        _, later = place.ingest("seller_orders")
        assert min(touch.first_week for touch in later.touches) == date(2024, 8, 19)
        (place.home.inbox / "seller_orders/b.csv").unlink()
        forget_files(place.home, ["seller_orders/a.csv"])
        assert len(place.landed("seller_orders")) == 1
        assert "seller_orders/b.csv isn't there as it was" in capsys.readouterr().out
        with Ledger(place.home.ledger, read_only=True) as ledger:
            assert min(first for first, _, _ in ledger.touches()) == date(2024, 7, 29), "now it is the first version"

    def test_a_kill_on_the_way_changes_nothing(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/b.csv", logs("L1", "L2"))
        place.ingest("oms_logs")
        before = state(place, "oms_logs")

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "forget", killed)
            with pytest.raises(KeyboardInterrupt):
                forget_files(place.home, ["oms_logs/a.csv"])
        after = state(place, "oms_logs")
        assert after.pop("orphans")
        assert after == {name: value for name, value in before.items() if name != "orphans"}
        forget_files(place.home, ["oms_logs/a.csv"])
        assert (place.ids("oms_logs"), place.orphans("oms_logs")) == (["L1", "L2"], set())

    def test_names_that_name_nothing_to_take_back(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.put("oms_logs/bad.csv", b"x\n1\n")
        place.ingest("oms_logs")
        for name, said in (
            ("oms_logs/b.csv", "oms_logs/b.csv is no file that landed here.\nDid you mean oms_logs/a.csv?"),
            ("a.csv", "a.csv is no file that landed here.\nDid you mean oms_logs/a.csv?"),
            ("oms_logs/bad.csv", "oms_logs/bad.csv brought nothing: it can't be read (required column missing"),
        ):
            with pytest.raises(MetricStoreError) as error:
                forget_files(place.home, ["oms_logs/a.csv", name])
            assert str(error.value).startswith(said)
        assert place.ids("oms_logs") == ["L1"]

    def test_while_a_run_writes(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.ingest("oms_logs")
        with writer_lock(place.home, "1234", 0), pytest.raises(HomeIsBusyError, match="process"):
            forget_files(place.home, ["oms_logs/a.csv"])


def test_what_is_to_do_again_is_not_taken_for_what_was_done(place: Place) -> None:
    """A home that is again as it was before has to be computed all the same."""

    def work() -> Work:
        return work_of(place.home, load_configuration(place.home.config), NOW)

    sql = place.adapter("oms_logs/shop.sql", "select * from read_csv('shop/a.csv', all_varchar = true)")
    place.put("shop/a.csv", logs("L1"))
    first = sql.read_text()
    for text in (first, first + " -- changed"):
        sql.write_text(text)
        place.ingest("oms_logs")
        assert work().new_files == ""
    sql.write_text(first)
    assert work().new_files != ""

    place.ingest("oms_logs")
    (week,) = work().weeks
    with Ledger(place.home.ledger) as ledger:
        mark = plan_weeks(state_of(ledger, {}), load_configuration(place.home.config), NOW, None)[0].mark
        ledger.record_attempts([(week, mark, "run-1", NOW, "quarantine_rate")])
    assert work().weeks == []
    with Ledger(place.home.ledger) as ledger:
        ledger.void_attempts([week])
    assert work().weeks == [week]


class TestAdapter:
    """An adapter whose SQL changed replaces what it brought before."""

    @staticmethod
    def sql(at: str) -> str:
        read = "read_csv('shop/*.csv', header = true, all_varchar = true, delim = ',')"
        return f"select id as package_id, o as order_id, s as seller_id, {at} as shipped_at from {read} order by all"

    @staticmethod
    def export(place: Place, name: str, *ids: str) -> None:
        lines = [f"{package},O1,S1,2024-08-07" for package in ids]
        os.utime(place.put(f"shop/{name}", "\n".join(["id,o,s,t", *lines, ""]).encode()), ns=(1, 1))

    @pytest.mark.parametrize("wrong", ["replace(t, '-', '/')", "t || ' 10:00'"], ids=["rejected", "landed"])
    @pytest.mark.parametrize("has_others", [False, True], ids=["alone", "repeated"])
    def test_a_home_equals_one_that_never_had_the_earlier_sql(
        self, wrong: str, has_others: bool, tmp_path: Path
    ) -> None:
        had, never = Place(tmp_path / "had"), Place(tmp_path / "never")
        for place in (had, never):
            self.export(place, "1.csv", "P1", "P2", "bad")
            for number in (1, 2):
                if place is had:
                    place.adapter("packages/shop.sql", self.sql(wrong))
                if has_others:
                    record = row("packages", package_id=f"P{number}", shipped_at="2024-08-07 10:00")
                    os.utime(place.put(f"packages/{number}.csv", [record]), ns=(1, 1))
                place.runs = number
                place.ingest("packages")
                self.export(place, "2.csv", "P1", "P3")
            place.adapter("packages/shop.sql", self.sql("t"))
            place.runs = 9
            file = place.ingest("packages")[-1]
        assert "its SQL has changed" in (note := had_note(had))
        assert "stays" not in note
        first, second = state(had, "packages"), state(never, "packages")
        for home in (first, second):
            for record, _ in home["files"]:
                record["note"] = ""
        assert first == second
        assert file.landed == 3 + 1 - 2 * has_others

    def test_what_can_not_be_made_again_stays_and_is_named(self, place: Place) -> None:
        self.export(place, "1.csv", "P1")
        place.adapter("packages/shop.sql", self.sql("t || ' 10:00'"))
        place.ingest("packages")
        (place.home.inbox / "shop/1.csv").unlink()
        self.export(place, "2.csv", "P2")
        place.ingest("packages")
        place.adapter("packages/shop.sql", self.sql("t"))
        assert place.only("packages").note == (
            "its SQL has changed: what it brought before is replaced (1 landed, 0 rejected); what earlier SQL brought "
            "from files that aren't there as they were (shop/1.csv) stays: 1 landed, 0 rejected; metric-store forget "
            "adapters/packages/shop.sql takes it back"
        )
        assert [record["shipped_at"].hour for record in place.landed("packages")] == [10, 0]

    def test_sql_that_fails_replaces_nothing(self, place: Place) -> None:
        self.export(place, "1.csv", "P1")
        place.adapter("packages/shop.sql", self.sql("t"))
        place.ingest("packages")
        place.adapter("packages/shop.sql", self.sql("nonsense"))
        assert place.only("packages").status == "failed"
        assert place.ids("packages") == ["P1"]
        assert place.orphans("packages") == set()

    def test_a_changed_file_adds_to_what_it_brought(self, place: Place) -> None:
        place.adapter("packages/shop.sql", self.sql("t"))
        for number, ids in enumerate([("P1",), ("P2",)]):
            self.export(place, "1.csv", *ids)
            os.utime(place.home.inbox / "shop/1.csv", ns=(number, number))
            assert place.only("packages").note == ""
        assert place.ids("packages") == ["P1", "P2"]

    def test_it_can_be_forgotten(self, place: Place) -> None:
        self.export(place, "1.csv", "P1")
        file = place.adapter("packages/shop.sql", self.sql("t"))
        place.ingest("packages")
        forget_files(place.home, ["adapters/packages/shop.sql"])
        assert (place.ids("packages"), place.ingest("packages")) == ([], [])
        file.write_text(file.read_text() + "\n-- mended")
        assert place.only("packages").landed == 1


def had_note(place: Place) -> str:
    with Ledger(place.home.ledger, read_only=True) as ledger:
        return "".join(row["note"] for row in ledger.files())
