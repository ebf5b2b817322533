"""Adapters: a user's SQL in place of the plain reader, for the files it names and no others."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from orchestration.ingest import adapters
from orchestration.ingest.adapter_engine import AdapterTask, locked_engine
from orchestration.ingest.adapters import find_adapters
from orchestration.ingest.landing import look
from orchestration.ingest.unreadable import UnreadableFileError
from orchestration.limits import DEFAULT_LIMITS
from orchestration.project import PROJECT_ROOT
from tests.ingest.ingest_kit import Place, as_csv, row

SHOP = b"id,order,vendor,left\nP1,O1,S1,2024-08-07\nP2,O2,S2,2024-08-08T10:00\n"
SQL = """
-- what the shop calls things
select id as package_id, "order" as order_id, vendor as seller_id, "left" as shipped_at, 'x' as more
from read_csv('shop/packages*.csv', header = true, all_varchar = true)
order by all;
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "home")
    place.put("shop/packages-1.csv", SHOP)
    place.adapter("packages/shop.sql", SQL)
    return place


def error(place: Place, sql: str) -> str:
    """Why an adapter fails."""
    place.adapter("packages/shop.sql", sql)
    file = place.only("packages")
    assert (file.status, file.path, file.landed) == ("failed", "adapters/packages/shop.sql", 0)
    return in_our_words(file.error)


def errors(folder: Path, sqls: Sequence[str]) -> list[str | None]:
    """Why each of these adapters fails, None for one that doesn't; FOLDER and SECRET in them are outside the home."""
    place = Place(folder / "home")
    place.put("shop/packages-1.csv", SHOP)
    place.adapter("packages/shop.sql", SQL)
    for number, sql in enumerate(sqls):
        named = sql.replace("SECRET", str(folder / "secret.csv")).replace("FOLDER", str(folder))
        place.adapter(f"packages/{number:02d}.sql", named)
    place.home.inbox.joinpath("packages").mkdir()
    *files, sound = place.ingest("packages")
    assert (sound.path, sound.status) == ("adapters/packages/shop.sql", "landed")
    return [in_our_words(file.error) if file.status == "failed" else None for file in files]


def in_our_words(why: str | None) -> str:
    """One line, without names of ours."""
    assert why
    assert "\n" not in why
    assert ".scratch" not in why
    return why


#: SQL, and why it fails.
REASONS = [
    ("", "one SQL select is wanted"),
    ("select 1", "it reads no file"),
    ("select 1; select 2", "one SQL select is wanted, there are 2"),
    ("drop table x", "not one SQL select"),
    ("copy (select 1) to 'x'", "not one SQL select"),
    ("select * from 'shop/packages-1.csv'", "it reads no file"),
    ("select * from read_csv('shop/' || 'packages-1.csv' || vendor)", ""),
    ("select nothing from read_csv('shop/packages-1.csv')", "its SQL failed"),
    ("select id::int as package_id from read_csv('shop/packages-1.csv')", "its SQL failed"),
    ("select id as package_id from read_csv('shop/packages-1.csv')", "required column missing: order_id"),
    ("select * from read_parquet('shop/packages-1.csv')", "its SQL failed"),
]
#: Relations that would reach another file of the machine.
OTHERS = [
    "read_csv('SECRET')",
    "read_text('SECRET')",
    "read_blob('SECRET')",
    "read_csv('../secret.csv')",
    "read_csv('shop/../../secret.csv')",
    "glob('FOLDER/*')",
    "'SECRET'",
    '"SECRET"',
    "sniff_csv('SECRET')",
    "query('select * from read_text(''SECRET'')')",
    "query_table('SECRET')",
    "parquet_metadata('SECRET')",
    "(select * from read_csv('shop/packages-1.csv') union all by name select * from read_csv('SECRET'))",
    "json_execute_serialized_sql((select json_serialize_sql('select * from read_text(''SECRET'')')))",
    "query('select * from read_text(''file:SECRET'')')",
    "query('select * from read_text(''FOLDER/home/landing/../../secret.csv'')')",
    "query('select * from read_text(''FOLDER/home/inbox/shop/../../../secret.csv'')')",
    "query('select * from read_csv(''/dev/stdin'')')",
    "query('select * from read_text(''/proc/self/environ'')')",
    "query('select * from read_csv(''https://127.0.0.1:1/'')')",
    "query('select * from read_csv(''s3://bucket/secret'')')",
    "query('attach ''SECRET'' as x')",
    "query('install httpfs')",
    "query('load httpfs')",
    "query('set enable_external_access = true')",
    "read_xlsx('SECRET')",
    "enable_logging('QueryLog', storage_path := 'FOLDER/log')",
    "enable_profiling(save_location := 'FOLDER/profile.json')",
    "duckdb_secrets()",
    "(select getenv('HOME'))",
]
#: What would write one.
WRITE_OUT = [
    "with x as (copy (select 1) to 'FOLDER/out.csv') select * from READ",
    "select * from READ; copy (select 1) to 'FOLDER/out.csv'",
    "select * from READ) to 'FOLDER/out.csv'; --",
    "select * from READ, query('copy (select 1) to ''FOLDER/out.csv''')",
    'select id as "a"") to \'FOLDER/out.csv\'; --" from READ',
    "select 'a'') to ''FOLDER/out.csv''; --' as x from READ",
    "copy READ to 'FOLDER/out.csv'",
    "export database 'FOLDER/out.csv'",
    "attach 'FOLDER/out.csv' as x",
    "install httpfs from 'FOLDER/out.csv'",
    "pragma enable_profiling",
    "set enable_external_access = true; select * from READ",
]


class TestLanding:
    def test_lands_and_keeps_what_the_adapter_gave(self, place: Place) -> None:
        place.put("shop/packages-1.csv", SHOP + b"P3,O3,,2024-08-07\nP1,O1,S1,2024-08-07\n")
        file = place.only("packages")
        assert (file.path, file.landed, file.duplicates) == ("adapters/packages/shop.sql", 2, 1)
        assert (file.reasons, file.ignored_columns) == ({"missing_required": 1}, "more")
        bad = place.rejected("packages")[0]
        assert (bad["source_file"], bad["row_number"]) == ("adapters/packages/shop.sql", 4)

    def test_plain_files_come_first(self, place: Place) -> None:
        place.put("packages/z.csv", [row("packages", seller_id="other")])
        files = place.ingest("packages")
        assert [file.path for file in files] == ["z.csv", "adapters/packages/shop.sql"]
        assert files[1].reasons == {"duplicate_key": 1}

    def test_its_files_are_not_read_by_the_plain_reader(self, place: Place) -> None:
        place.put("packages/theirs.csv", SHOP)
        place.put("packages/ours.csv", [row("packages", package_id="P9")])
        place.adapter("packages/shop.sql", SQL.replace("shop/packages*.csv", "packages/the*.csv"))
        assert [file.path for file in place.ingest("packages")] == ["ours.csv", "adapters/packages/shop.sql"]
        assert look(place.home).listing.ignored == ["shop/packages-1.csv"]

    def test_a_linked_file_is_not_read_by_the_plain_reader_either(self, place: Place) -> None:
        (place.home.inbox / "packages").mkdir()
        (place.home.inbox / "packages" / "link.csv").symlink_to(place.home.inbox / "shop/packages-1.csv")
        place.adapter("packages/shop.sql", SQL.replace("shop/packages*.csv", "packages/*.csv"))
        assert [(file.path, file.landed) for file in place.ingest("packages")] == [("adapters/packages/shop.sql", 2)]

    def test_several_adapters_may_share_a_file(self, place: Place) -> None:
        place.adapter("packages/again.sql", SQL.replace("id as", "id || '-2' as"))
        sellers = "select distinct vendor as seller_id, vendor as seller_name, false as is_cross_border, "
        place.adapter("sellers/shop.sql", sellers + "'2024-01-01' as updated_at from read_csv('shop/packages-1.csv')")
        assert [(file.path, file.landed) for file in place.ingest("packages")] == [
            ("adapters/packages/again.sql", 2),
            ("adapters/packages/shop.sql", 2),
        ]
        assert place.only("sellers").landed == 2

    def test_incomplete_files_are_not_read(self, place: Place) -> None:
        for name in (".packages.csv", "_packages.csv", "packages-2.csv.tmp", "up.part/packages.csv", "_x/packages.csv"):
            place.put(f"shop/{name}", b"no,header\n")
        place.adapter("packages/shop.sql", SQL.replace("shop/packages*.csv", "shop/**/*packages*"))
        assert place.only("packages").landed == 2

    def test_any_file_name(self, place: Place) -> None:
        place.put("shop/it's [1]*?.csv", SHOP)
        place.adapter("packages/shop.sql", SQL.replace("shop/packages*.csv", "shop/it''s [[]1]*"))
        assert place.only("packages").landed == 2

    def test_several_files_and_kinds(self, place: Place) -> None:
        place.put("shop/x.jsonl", b'{"vendor": "S1", "name": "One"}\n')
        place.put("shop/packages-2.csv", SHOP.replace(b"P", b"Q"))
        sql = """
            with names as (select * from read_json(['shop/x.jsonl']))
            select id as package_id, "order" as order_id, coalesce(name, vendor) as seller_id, "left" as shipped_at
            from read_csv(['shop/packages-1.csv', 'shop/packages-2*'], all_varchar = true, filename = true) as packages
            left join names using (vendor)
            order by all
        """
        place.adapter("packages/shop.sql", sql)
        assert place.only("packages").landed == 4
        assert place.ids("packages") == ["P1", "P2", "Q1", "Q2"]
        assert place.landed("packages")[0]["seller_id"] == "One"

    @pytest.mark.parametrize(
        "sql", sorted((PROJECT_ROOT / "docs/olist/adapters").glob("*/*.sql")), ids=lambda sql: sql.parent.name
    )
    def test_the_documented_adapters_can_be_used(self, place: Place, sql: Path) -> None:
        for name in ("orders", "order_items", "customers", "sellers"):
            place.put(f"olist/olist_{name}_dataset.csv.gz", b"")
        place.adapter(f"{sql.parent.name}/olist.sql", sql.read_text())
        found, broken = find_adapters(place.home)
        assert broken == []
        assert found[sql.parent.name][-1].files or found[sql.parent.name][0].files


class TestAgain:
    def test_nothing_new(self, place: Place) -> None:
        place.ingest("packages")
        assert place.ingest("packages") == []

    @pytest.mark.parametrize("change", ["file", "new file", "time"])
    def test_a_change_runs_it_again_and_only_what_is_new_lands(self, place: Place, change: str) -> None:
        place.put("shop/packages-1.csv", SHOP + b"bad,,S1,2024-08-07\n")
        place.ingest("packages")
        if change == "file":
            place.put("shop/packages-1.csv", SHOP + b"bad,,S1,2024-08-07\nP3,O3,S3,2024-08-09\n")
        elif change == "new file":
            place.put("shop/packages-2.csv", SHOP.replace(b"P2", b"P3"))
        else:
            os.utime(place.home.inbox / "shop/packages-1.csv", ns=(1, 1))
        file = place.only("packages")
        assert file.landed == (1 if change in ("file", "new file") else 0)
        assert file.quarantined == 0  # the bad record is in quarantine already
        assert place.ids("packages") == (["P1", "P2", "P3"] if file.landed else ["P1", "P2"])

    def test_a_broken_adapter_is_not_tried_again_until_it_changes(self, place: Place) -> None:
        assert "not one SQL select" in error(place, "selec 1")
        assert place.ingest("packages") == []
        place.adapter("packages/shop.sql", SQL)
        assert place.only("packages").landed == 2
        assert place.failures() == {}

    def test_one_that_waits_for_its_file(self, place: Place) -> None:
        sql = SQL.replace("shop/packages*.csv", "shop/later.csv")
        assert error(place, sql) == "there is no file shop/later.csv in the inbox"
        place.put("shop/later.csv", SHOP)
        assert (place.only("packages").landed, place.failures()) == (2, {})

    def test_one_that_is_taken_away_is_forgotten(self, place: Place) -> None:
        error(place, "select 1")
        (place.home.adapters / "packages/shop.sql").unlink()
        assert (place.ingest("packages"), place.failures()) == ([], {})


class TestFailures:
    @pytest.fixture(scope="class")
    def whys(self, tmp_path_factory: pytest.TempPathFactory) -> list[str | None]:
        return errors(tmp_path_factory.mktemp("failures"), [sql for sql, _ in REASONS])

    @pytest.mark.parametrize(("number", "reason"), [(n, reason) for n, (_, reason) in enumerate(REASONS)])
    def test_reasons(self, whys: list[str | None], number: int, reason: str) -> None:
        why = whys[number]
        assert why is not None
        assert reason in why

    def test_sql_that_is_no_text(self, place: Place) -> None:
        (place.home.adapters / "packages/shop.sql").write_bytes(b"select '\xff'")
        assert place.only("packages").status == "failed"

    @pytest.mark.parametrize("sql", ["+".join("1" * 990), "abs(" * 900 + "1" + ")" * 900], ids=["sum", "calls"])
    def test_sql_that_is_nested_too_deeply(self, place: Place, sql: str) -> None:
        assert "nested" in error(place, f"select {sql} as x from read_csv('shop/packages-1.csv')")

    @pytest.mark.parametrize("kind", ["folder", "pipe", "dead link"])
    def test_one_that_is_no_file(self, place: Place, kind: str) -> None:
        adapter = place.home.adapters / "packages/shop.sql"
        adapter.unlink()
        if kind == "folder":
            adapter.mkdir()
        elif kind == "pipe":
            os.mkfifo(adapter)
        else:
            adapter.symlink_to("nowhere")
        file = place.only("packages")
        assert (file.status, file.error) == ("failed", "it is no file, or a link to none")

    def test_what_it_says_is_one_line_without_control_characters(self, place: Place) -> None:
        said = error(place, "select error('\x1b[31mall is well\n\nRun: x') from read_csv('shop/packages-1.csv')")
        assert said == "its SQL failed: [31mall is well Run: x"
        assert error(place, "select error('Đỗ') from read_csv('shop/packages-1.csv')") == "its SQL failed: Đỗ"
        missing = error(place, "select * from read_csv('shop/\x1b[2J\n.csv')")
        assert missing == "there is no file shop/ [2J .csv in the inbox"

    def test_a_name_that_is_no_text(self, place: Place) -> None:
        for folder, sql in ((b"packages", SQL), (b"sh\xffops", "select 1")):
            (place.home.adapters / os.fsdecode(folder)).mkdir(exist_ok=True)
            (place.home.adapters / os.fsdecode(folder) / os.fsdecode(b"\xff.sql")).write_text(sql)
        assert [file.path for file in place.ingest("packages")] == [
            "adapters/packages/shop.sql",
            "adapters/packages/\\xff.sql",
        ]
        [(source, path, why)] = find_adapters(place.home)[1]
        assert (source, path) == ("sh\\xffops", "adapters/sh\\xffops/\\xff.sql")
        assert why.startswith("there is no source sh\\xffops; sources: oms_logs, ")

    def test_a_name_of_its_file_that_is_no_text(self, place: Place) -> None:
        (place.home.inbox / "shop" / os.fsdecode(b"packages-\xff.csv")).write_bytes(SHOP)
        assert place.only("packages").error == "the name of shop/packages-\\xff.csv is no UTF-8: rename it"

    def test_an_unknown_source_and_hidden_names(self, place: Place) -> None:
        place.adapter("parcels/shop.sql", SQL)
        place.adapter("packages/_draft.sql", SQL)
        place.adapter("packages/.old.sql", SQL)
        found, broken = find_adapters(place.home)
        assert [adapter.path for adapter in found["packages"]] == ["adapters/packages/shop.sql"]
        assert [path for _, path, _ in broken] == ["adapters/parcels/shop.sql"]

    def test_other_files_still_land(self, place: Place) -> None:
        place.adapter("packages/a.sql", "select")
        place.put("packages/x.csv", [row("packages", package_id="P7")])
        assert [file.status for file in place.ingest("packages")] == ["landed", "failed", "landed"]


class TestReach:
    """An adapter reads its files under the inbox and nothing else of the machine."""

    READ = "read_csv('shop/packages-1.csv', all_varchar = true)"

    @pytest.fixture(scope="class")
    def reached(self, tmp_path_factory: pytest.TempPathFactory) -> list[str | None]:
        """Why the adapters fail that read another file, too."""
        folder = tmp_path_factory.mktemp("reached")
        (folder / "secret.csv").write_bytes(SHOP)
        columns = 'id as package_id, "order" as order_id, vendor as seller_id, "left" as shipped_at'
        reads = f"select {columns} from {self.READ} join (select count(*) from OTHER) on true"
        return errors(folder, [reads.replace("OTHER", other) for other in OTHERS])

    @pytest.mark.parametrize("number", range(len(OTHERS)), ids=OTHERS)
    def test_another_file_of_the_machine(self, reached: list[str | None], number: int) -> None:
        assert reached[number]

    def test_another_file_of_the_home(self, place: Place) -> None:
        place.ingest("packages")
        reason = error(
            place, f"select * from {self.READ} join (select * from read_parquet('../landing/**/*.parquet')) on true"
        )
        assert "outside the inbox" in reason

    def test_a_file_of_the_working_directory(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "packages-1.csv").write_bytes(
            as_csv([{"id": "X", "order": "X", "vendor": "X", "left": "2024-08-01"}])
        )
        assert place.only("packages").landed == 2
        assert place.ids("packages") == ["P1", "P2"]

    @pytest.fixture(scope="class")
    def wrote(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str | None], set[str]]:
        """Why the adapters that would write fail, and what is new beside the home."""
        folder = tmp_path_factory.mktemp("written")
        whys = errors(folder, [sql.replace("READ", self.READ) for sql in WRITE_OUT])
        return whys, {path.name for path in folder.iterdir()} - {"home"}

    @pytest.mark.parametrize("number", range(len(WRITE_OUT)), ids=WRITE_OUT)
    def test_it_can_write_nothing(self, wrote: tuple[list[str | None], set[str]], number: int) -> None:
        whys, new = wrote
        assert whys[number]
        assert new == set()

    def test_it_sees_no_variable_of_the_program(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapters, "held", pa.table({"x": ["secret"]}), raising=False)
        assert "held" in error(place, f"select * from {self.READ}, held")

    def test_it_sees_nothing_that_other_engines_put_aside(self, place: Place) -> None:
        place.home.spill.mkdir(exist_ok=True)
        (place.home.spill / "other.tmp").write_text("what another engine keeps")
        error(place, f"select * from {self.READ}, query('from read_text(''{place.home.spill}/other.tmp'')')")

    @pytest.mark.parametrize("pattern", ["shop/packages-1.csv", "shop/*.csv", "shop/**", "shop/folder/*.csv"])
    def test_a_link_that_leads_out_is_not_followed(self, place: Place, tmp_path: Path, pattern: str) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/secret.csv").write_bytes(SHOP)
        (place.home.inbox / "shop/packages-1.csv").unlink()
        (place.home.inbox / "shop/packages-1.csv").symlink_to(tmp_path / "out/secret.csv")
        (place.home.inbox / "shop/folder").symlink_to(tmp_path / "out")
        said = error(place, f"select * from read_csv('{pattern}')")
        assert "which leads out of the inbox" in said
        assert str(tmp_path / "out") not in said

    def test_a_link_that_came_after_the_look(self, place: Place, tmp_path: Path) -> None:
        """What a file is is asked again when it is copied."""
        (tmp_path / "secret.csv").write_bytes(SHOP)
        [adapter] = find_adapters(place.home)[0]["packages"]
        (place.home.inbox / "shop/packages-1.csv").unlink()
        (place.home.inbox / "shop/packages-1.csv").symlink_to(tmp_path / "secret.csv")
        with pytest.raises(UnreadableFileError, match="leads out of inbox/"):
            adapters.run_adapter(adapter, place.home, tmp_path / "raw", DEFAULT_LIMITS)

    @pytest.mark.parametrize("link", ["packages/shop.sql", "packages"])
    def test_an_adapter_behind_a_link_that_leads_out(self, place: Place, tmp_path: Path, link: str) -> None:
        place.home.adapters.rename(tmp_path / "out")
        (place.home.adapters / link).parent.mkdir(parents=True, exist_ok=True)
        (place.home.adapters / link).symlink_to(tmp_path / "out" / link)
        file = place.only("packages")
        assert file.error == "it is a link that leads out of adapters/: put the file itself there"

    def test_the_name_of_a_file_is_its_path_under_the_inbox(self, place: Place) -> None:
        place.adapter("packages/shop.sql", SQL.replace("id as", "filename as").replace("true)", "true, filename=true)"))
        place.ingest("packages")
        assert place.ids("packages") == ["shop/packages-1.csv"]


#: What writes, with FILE for a file of the inbox, LINK for one that leads out, OUT for a file that isn't there.
WRITES = [
    "copy (select 1) to 'FILE'",
    "copy (select 1) to 'FILE' (use_tmp_file false)",
    "copy (select 1) to 'FILE' (format parquet, use_tmp_file false)",
    "copy (select 1) to 'FILE' (format json, use_tmp_file false)",
    "copy (select 1 as a) to 'FILE' (format csv, partition_by (a), overwrite true)",
    "copy (select 1 as a) to 'FILE' (format csv, per_thread_output true, overwrite true)",
    "copy (select 1) to 'OUT' (use_tmp_file false)",
    "copy (select 1) to 'OUT' (format blob, use_tmp_file false)",
    "with x as (copy (select 1) to 'FILE' (use_tmp_file false)) from x",
    "with x as (copy (select 1) to 'FILE' (format csv, per_thread_output true, overwrite true)) from x",
    "with x as (copy (select 1) to 'OUT' (use_tmp_file false)) from x",
    "from json_execute_serialized_sql(json_serialize_sql("
    "'with x as (copy (select 1) to ''FILE'' (use_tmp_file false)) from x'))",
    "pragma json_execute_serialized_sql('{}')",
    "export database 'OUT'",
    "import database 'OUT'",
    "attach 'OUT' as x",
    "attach 'FILE' as x",
    "attach ':memory:' as x; create table x.t as select 1; copy from database x to memory",
    "attach 'OUT' as x; copy from database memory to x",
    "create table t as select 1; copy t to 'FILE' (use_tmp_file false)",
    "install httpfs",
    "install 'OUT'",
    "load 'FILE'",
    "load httpfs",
    "force install httpfs from 'OUT'",
    "update extensions",
    "set enable_external_access = true",
    "set allowed_paths = ['OUT']",
    "set allowed_directories = ['/']",
    "set temp_directory = 'OUT'",
    "set log_query_path = 'OUT'",
    "set profile_output = 'OUT'",
    "set extension_directory = 'OUT'",
    "set secret_directory = 'OUT'",
    "set home_directory = 'OUT'",
    "reset enable_external_access",
    "pragma enable_profiling = 'json'; pragma profile_output = 'OUT'; select 1",
    "pragma enable_logging",
    "call enable_logging('QueryLog', storage := 'file', storage_path := 'OUT')",
    "call enable_profiling(save_location := 'OUT')",
    "create persistent secret s (type s3, key_id 'a', secret 'b')",
    "create secret s (type s3, key_id 'a', secret 'b')",
    "checkpoint",
    "force checkpoint",
    "vacuum",
]


class TestWrites:
    """Whatever its SQL is, and whatever of it gets through to the engine, an adapter writes nothing that stays."""

    @pytest.fixture
    def paths(self, place: Place, tmp_path: Path) -> dict[str, str]:
        (tmp_path / "beside.csv").write_bytes(SHOP)
        return {"FILE": str(place.home.inbox / "shop/packages-1.csv"), "OUT": str(tmp_path / "home/new")}

    @pytest.mark.parametrize("sql", WRITES)
    def test_every_statement_in_its_engine(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: dict[str, str], sql: str
    ) -> None:
        copies = tmp_path / "site/inbox"
        (copies / "shop").mkdir(parents=True)
        (copies / "shop/packages-1.csv").write_bytes(SHOP)
        monkeypatch.chdir(copies)  # the engine changes it
        before = _content(tmp_path)
        task = AdapterTask(
            *("packages", "", ["shop/packages-1.csv"], str(copies), str(tmp_path / "site/raw")),
            {"temp_directory": str(tmp_path / "site/spill")},
            seconds=60,
            megabytes=1000,
        )
        for file in (paths["FILE"], "shop/packages-1.csv"):
            with suppress(duckdb.Error), locked_engine(task) as engine:
                engine.execute(sql.replace("FILE", file).replace("OUT", paths["OUT"])).fetchall()
        assert _content(tmp_path) == before

    @pytest.mark.parametrize(
        "sql", [sql for sql in WRITES if sql.startswith(("with", "from"))], ids=["file", "overwrite", "new", "json"]
    )
    def test_every_select_that_writes(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: dict[str, str], sql: str
    ) -> None:
        """With the list of what is refused, and without it."""
        reads = f"select * from read_csv('shop/packages-1.csv') join ({sql.replace('OUT', paths['OUT'])}) on true"
        for attack in sorted({reads.replace("FILE", file) for file in (paths["FILE"], "shop/packages-1.csv")}):
            assert re.match(r"it (holds COPY|calls json_execute_serialized_sql)", error(place, attack))
            before = _content(tmp_path)
            with monkeypatch.context() as patched:
                patched.setattr(adapters, "_require_select", lambda node: None)
                [adapter] = find_adapters(place.home)[0]["packages"]
                (tmp_path / "site").mkdir()
                with suppress(UnreadableFileError):
                    adapters.run_adapter(adapter, place.home, tmp_path / "site/raw", DEFAULT_LIMITS)
            assert _content(tmp_path) == before
            shutil.rmtree(tmp_path / "site")

    def test_what_it_writes_hits_the_copy(self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The attacks above are real: the engine lets them write what it lets them read."""
        monkeypatch.setattr(adapters, "_require_select", lambda node: None)
        write = "with x as (copy (select ''gone'' as a) to ''shop/packages-1.csv'' (use_tmp_file false)) from x"
        run = f"json_execute_serialized_sql(json_serialize_sql('{write}'))"
        place.adapter("packages/shop.sql", f"select * from read_csv('shop/packages-1.csv'), {run}")
        [adapter] = find_adapters(place.home)[0]["packages"]
        (tmp_path / "site").mkdir()
        with suppress(UnreadableFileError):
            adapters.run_adapter(adapter, place.home, tmp_path / "site/raw", DEFAULT_LIMITS)
        assert (tmp_path / "site/inbox/shop/packages-1.csv").read_bytes() == b"a\ngone\n"
        assert (place.home.inbox / "shop/packages-1.csv").read_bytes() == SHOP

    @pytest.mark.parametrize("body", ["insert into x values (1)", "update x set a = 1", "delete from x"])
    def test_other_bodies_of_a_cte(self, place: Place, body: str) -> None:
        said = error(place, f"with y as ({body}) select * from read_csv('shop/packages-1.csv')")
        assert said == f"it holds {body.split()[0].upper()}: an adapter only selects"


def _content(folder: Path) -> dict[str, bytes]:
    """Every file below, but those of the folder that an adapter works in."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {name: f.read_bytes() for f in files if not (name := str(f.relative_to(folder))).startswith("site/")}
