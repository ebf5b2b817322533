"""Copies: cell by cell what the store has, whenever a copy ends, and nothing of it ends a run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster
import duckdb
import psycopg
import pytest
from dagster import AssetKey, DagsterInstance

from metric_store.errors import MetricStoreError
from metric_store.words import WEEK
from orchestration.assets import copy as copy_step
from orchestration.assets.copy import COPY
from orchestration.cli.status import _lines, read_status
from orchestration.copies.copying import COPY_VARIABLE, copy_store, failed_copy, keep_copy, name_of
from orchestration.copies.plan import original
from orchestration.definitions import build_definitions
from orchestration.home.layout import HOME_VARIABLE, Home
from orchestration.notices.digest import read_digest
from orchestration.notices.telling import NOTIFY_VARIABLE
from orchestration.resources import MetricStoreResource
from tests.conftest import METRIC_STORE, metric_store
from tests.unit.store_kit import publish_again, store_of_weeks

FIRST = date(2026, 1, 5)
WEEKS = [FIRST, FIRST + WEEK, FIRST + 3 * WEEK]
SECRET = "s3cr3t"
HOSTILE = [
    "",
    " ",
    "a,b",
    'say "x"',
    "line\nbreak\r\n",
    "\\.",
    "a\n\\.\nb",
    "\\N",
    "NULL",
    "'",
    "日本",
    "\x00x",
    "\t",
    "=1+1",
]

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = store_of_weeks(tmp_path_factory.mktemp("copies") / "home", WEEKS)
    with duckdb.connect(str(home.published_store)) as db:
        for number, text in enumerate(HOSTILE):
            db.execute(
                "insert into marts.fct_data_quality_week "
                "(week_start, rule_id, scope, observed, message, is_withholding) values (?, ?, ?, ?, ?, false)",
                [FIRST, f"rule {number}", text, [0.1, float("nan"), float("inf"), -1e300, None][number % 5], text],
            )
        db.execute(
            "insert into marts.fct_restatement (week_start, table_name, key, column_name, build_id, new_value) "
            f"values ('{FIRST}', 't', 'k', 'c', 'b1', '1')"
        )
    return home


@pytest.fixture
def home(published: Home, tmp_path: Path) -> Home:
    return Home(shutil.copytree(published.root, tmp_path / "home"))


def rows_of_store(home: Home) -> Rows:
    """Every published table, the evidence too, as sorted rows."""
    with original(home) as store:
        found = {}
        for table in store.tables:
            weeks = sorted(store.builds) if table.is_beside_store else [None]
            found[table.name] = [row for week in weeks for row in store.db.execute(store.rows(table, week)).fetchall()]
    return {name: ordered(rows) for name, rows in found.items()}


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """NUL as PostgreSQL has it, and NaN as something that equals itself."""

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("\x00", "�")
        return "NaN" if value != value else value

    return sorted((tuple(map(shown, row)) for row in rows), key=repr)


class TestPostgres:
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[str]:
        """A server of its own, on a socket; the folder of the socket."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
        if initdb is None:
            pytest.skip("PostgreSQL's server isn't installed (Debian: postgresql)")
        user = "postgres" if os.getuid() == 0 else None  # it runs as anybody but root
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if user:
            shutil.chown(folder, user, user)

        def command(name: str, *words: str) -> None:
            subprocess.run([str(Path(initdb).with_name(name)), *words], user=user, check=True, capture_output=True)

        data = str(folder / "data")
        command("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses='' -c fsync=off -k {folder}"
        command("pg_ctl", "-D", data, "-o", options, "-w", "-l", str(folder / "log"), "start")
        yield str(folder)
        command("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)

    @pytest.fixture(scope="class")
    def copied(self, server: str, published: Home) -> str:
        """A database with a copy of the store, which the others begin with."""
        address = self.database(server, "copied", "template1")
        assert copy_store(published, address).weeks == WEEKS
        return "copied"

    @pytest.fixture
    def url(self, server: str, copied: str) -> str:
        """A database of a test's own, with a copy of the store."""
        return self.database(server, "metrics", copied)

    @staticmethod
    def database(server: str, name: str, template: str) -> str:
        with psycopg.connect(host=server, user="owner", dbname="postgres", autocommit=True) as admin:
            admin.execute(f"drop database if exists {name} with (force)".encode())
            admin.execute(f"create database {name} template {template}".encode())
        return f"postgresql://owner:{SECRET}@/{name}?host={server}"

    @staticmethod
    def connect(url: str) -> psycopg.Connection:
        return psycopg.connect(url)

    def rows(self, url: str) -> Rows:
        with self.connect(url) as db:
            names = [name for (name,) in db.execute("select tablename from pg_tables where schemaname = 'marts'")]
            return {name: ordered(db.execute(f"select * from marts.{name}".encode()).fetchall()) for name in names}

    def test_it_is_the_store_cell_by_cell(self, home: Home, url: str) -> None:
        assert self.rows(url) == rows_of_store(home)
        assert len(self.rows(url)["fct_metric_evidence_week"]) == 9

    def test_it_has_keys_types_and_comments(self, home: Home, url: str) -> None:
        with original(home) as store, self.connect(url) as db:
            for table in store.tables:
                found = db.execute(
                    "select column_name, data_type, numeric_precision, numeric_scale, "
                    "col_description(%(t)s::regclass, ordinal_position::int) from information_schema.columns "
                    "where table_schema = 'marts' and table_name = %(n)s order by ordinal_position",
                    {"t": f"marts.{table.name}", "n": table.name},
                ).fetchall()
                names = {
                    "numeric": "decimal",
                    "text": "varchar",
                    "double precision": "double",
                    "timestamp without time zone": "timestamp",
                }
                kinds = [
                    f"decimal({precision},{scale})" if kind == "numeric" else names.get(kind, kind)
                    for _, kind, precision, scale, _ in found
                ]
                said = [(name, kind, row[-1]) for (name, *_), kind, row in zip(found, kinds, found, strict=True)]
                assert said == [(name, kind, text) for name, (kind, text) in table.columns.items()]
                key = db.execute(
                    "select array_agg(attname::text order by array_position(conkey, attnum)) from pg_constraint "
                    "join pg_attribute on attrelid = conrelid and attnum = any(conkey) "
                    "where contype = 'p' and conrelid = %s::regclass",
                    [f"marts.{table.name}"],
                ).fetchone()
                assert key == (list(table.key),)
                comment = db.execute("select obj_description(%s::regclass)", [f"marts.{table.name}"]).fetchone()
                assert comment == (table.description,)

    def test_a_restated_week_and_what_follows_it_are_replaced(self, home: Home, url: str) -> None:
        publish_again(home, [FIRST], build="b2", sellers=5)
        with duckdb.connect(str(home.published_store)) as db:
            # What the week after says of the week before, and a verdict on a week that isn't published.
            db.execute(f"update marts.fct_metric_week set previous_value = 7 where week_start = '{WEEKS[1]}'")
            db.execute(
                "insert into marts.fct_data_quality_week (week_start, rule_id, scope) "
                f"values ('{FIRST + 2 * WEEK}', 'days_present', 'claims')"
            )
        with self.connect(url) as db:
            db.execute(f"update marts.fct_metric_week set numerator = -1 where week_start = '{WEEKS[2]}'")
        assert copy_store(home, url).weeks == WEEKS[:2]
        expected, found = rows_of_store(home), self.rows(url)
        untouched = found.pop("fct_metric_week")
        assert {row[4] for row in untouched if row[0] == WEEKS[2]} == {-1}, "a week that stays isn't copied again"
        assert [row for row in untouched if row[0] != WEEKS[2]] == [
            row for row in expected.pop("fct_metric_week") if row[0] != WEEKS[2]
        ]
        assert found == expected

    def test_weeks_that_are_no_longer_published_go(self, home: Home, url: str) -> None:
        names = list(rows_of_store(home))
        with duckdb.connect(str(home.published_store)) as db:
            for name in names:
                if name not in ("dim_metric", "dim_seller", "fct_metric_evidence_week"):
                    db.execute(f"delete from marts.{name} where week_start = '{FIRST}'")
        assert copy_store(home, url).weeks == WEEKS[:2]
        assert self.rows(url) == rows_of_store(home)

    def test_a_copy_that_is_killed_leaves_what_was_there(self, home: Home, url: str) -> None:
        before = self.rows(url)
        publish_again(home, WEEKS, build="b2")
        with self.connect(url) as holder:
            holder.execute("lock table marts.fct_seller_rating_week in share mode")  # the copy waits in its middle
            process = subprocess.Popen([str(METRIC_STORE), "copy", "--home", str(home.root), "--to", url])
            waiting = "select count(*) from pg_locks where not granted"
            until(lambda: holder.execute(waiting).fetchone() == (1,))
            process.send_signal(signal.SIGKILL)
            process.wait()
        until(lambda: self.rows(url) == before)
        assert copy_store(home, url).weeks == WEEKS
        assert self.rows(url) == rows_of_store(home)

    def test_two_at_once_come_out_as_one(self, home: Home, server: str) -> None:
        url = self.database(server, "metrics", "template1")
        weeks: list[list[date]] = []
        both = [threading.Thread(target=lambda: weeks.append(copy_store(home, url).weeks)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join(60)
        assert sorted(weeks) == [[], WEEKS]
        assert self.rows(url) == rows_of_store(home)

    def test_readers_have_all_of_a_publication_or_none(self, home: Home, url: str) -> None:
        publish_again(home, [FIRST], build="b2")
        with self.connect(url) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            before = reader.execute("select * from marts.fct_metric_week order by 1, 2, 3, 4").fetchall()
            copy_store(home, url)
            assert reader.execute("select * from marts.fct_metric_week order by 1, 2, 3, 4").fetchall() == before

    def test_a_table_of_another_release_is_made_anew_with_every_week(self, home: Home, url: str) -> None:
        with self.connect(url) as db:
            db.execute("alter table marts.fct_metric_week drop column change")
            db.execute("alter table marts.fct_seller_ovl_week drop constraint fct_seller_ovl_week_pkey")
            db.execute("comment on table marts.dim_seller is 'shops'")
            db.execute("comment on column marts.dim_seller.seller_id is null")
        assert copy_store(home, url).weeks == []
        assert self.rows(url) == rows_of_store(home)
        self.test_it_has_keys_types_and_comments(home, url)

    def test_the_reader_may_read_and_no_more(self, home: Home, url: str) -> None:
        with self.connect(url) as db:
            db.execute("drop role if exists metric_store_reader")
            db.execute("create role metric_store_reader")
        copy_store(home, url)
        with self.connect(url) as db:
            db.execute("set role metric_store_reader")
            assert db.execute("select count(*) from marts.publication").fetchone() == (3,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("delete from marts.publication")
        with self.connect(url) as db:
            db.execute("drop owned by metric_store_reader")
            db.execute("drop role metric_store_reader")

    def test_the_command(self, home: Home, server: str) -> None:
        url = self.database(server, "metrics", "template1")
        ended = metric_store("copy", "--home", home.root, env={COPY_VARIABLE: url})
        assert (ended.status, ended.err) == (0, "")
        assert ended.out == "Copied to postgresql:///metrics: 2026-01-05..2026-01-12, 2026-01-26\n"
        again = metric_store("copy", "--home", home.root, "--to", url)
        assert again.out == "Copied to postgresql:///metrics: no week has changed\n"
        other = metric_store("copy", "--home", home.root, "--to", f"postgresql://nobody:{SECRET}@/none?host={server}")
        assert (other.status, len(other.err.splitlines()), SECRET in other.text) == (1, 2, False)
        assert "The copy postgresql:///none isn't up to date: " in other.err

    def test_a_view_of_somebody_elses_is_named(self, home: Home, url: str) -> None:
        with self.connect(url) as db:
            db.execute("create view mine as select * from marts.fct_metric_week")
            db.execute("alter table marts.fct_metric_week add column x int")
        with pytest.raises(MetricStoreError, match=r"cannot drop table marts[.]fct_metric_week because other objects"):
            copy_store(home, url)
        before = self.rows(url)
        assert before["publication"] == rows_of_store(home)["publication"]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def rows_of_folder(folder: Path) -> Rows:
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return {name: ordered(duckdb.sql(f"from read_parquet('{folder}/{name}/*.parquet')").fetchall()) for name in names}


def test_a_folder_has_a_file_for_each_table_and_week(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "lake" / "marts"
    assert copy_store(home, str(folder)).weeks == WEEKS
    assert rows_of_folder(folder) == rows_of_store(home)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")}
    assert {f"fct_metric_week/{week}.parquet" for week in WEEKS} | {"dim_metric/all.parquet"} <= names
    publish_again(home, [FIRST], build="b2", sellers=5)
    kept = (folder / "fct_metric_week" / f"{WEEKS[2]}.parquet").stat().st_ino
    assert copy_store(home, str(folder)).weeks == WEEKS[:2]
    assert rows_of_folder(folder) == rows_of_store(home)
    assert (folder / "fct_metric_week" / f"{WEEKS[2]}.parquet").stat().st_ino == kept


def test_a_folder_that_was_left_half_way_is_caught_up(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lake"
    copy_store(home, str(folder))
    publish_again(home, [FIRST], build="b2")
    real = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.parent.name == "fct_seller_grade_week":
            raise OSError(28, "No space left on device")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(MetricStoreError, match=r"isn't up to date: .*No space left"):
            copy_store(home, str(folder))
    assert copy_store(home, str(folder)).weeks == WEEKS[:2]
    assert rows_of_folder(folder) == rows_of_store(home)


def test_files_of_another_release_and_weeks_that_are_gone(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    copy_store(home, str(folder))
    for week in WEEKS:
        file = folder / "fct_metric_week" / f"{week}.parquet"
        duckdb.execute(f"copy (select 1 as other) to '{file}' (format parquet)")
    assert copy_store(home, str(folder)).weeks == []
    assert rows_of_folder(folder) == rows_of_store(home)
    with duckdb.connect(str(home.published_store)) as db:
        db.execute(f"delete from marts.publication where week_start = '{FIRST}'")
        db.execute(f"delete from marts.fct_metric_week where week_start = '{FIRST}'")
    assert copy_store(home, str(folder)).weeks == WEEKS[:2]
    assert rows_of_folder(folder)["fct_metric_week"] == rows_of_store(home)["fct_metric_week"]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("mysql://host/db", "not to mysql://..."),
        ("", "A copy goes to postgresql://... or to a folder; neither is named."),
        (f"postgresql://user:{SECRET}@host:{SECRET}/db", "The URL of the copy can't be read: write postgresql://"),
        (f"postgresql://user:{SECRET}@127.0.0.1:1/db", "The copy postgresql://127.0.0.1:1/db isn't up to date: "),
        ("/dev/null/x", "The copy /dev/null/x isn't up to date: "),
    ],
)
def test_a_place_that_cannot_be_copied_to(home: Home, to: str, said: str) -> None:
    ended = metric_store("copy", "--home", home.root, "--to", to)
    assert (ended.status, ended.out, said in ended.err) == (2 if "mysql" in to or not to else 1, "", True), ended.err
    assert SECRET not in ended.err
    assert SECRET not in name_of(to)


def test_the_home_itself_is_no_place_for_a_copy(home: Home) -> None:
    for folder in (home.root, home.published, home.published / "evidence"):
        ended = metric_store("copy", "--home", home.root, "--to", str(folder))
        assert (ended.status, ended.out) == (2, "")
        assert f"{folder} is the home's own: copy to another folder." in ended.err
    assert {path.name for path in home.published.iterdir()} == {home.published_store.name, "evidence"}


def test_evidence_that_goes_while_it_is_copied_is_no_evidence_that_there_is_none(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with original(home) as store:
        publish_again(Home(shutil.copytree(home.root, tmp_path / "other")), [FIRST], build="b2")
        shutil.rmtree(home.published)
        shutil.copytree(tmp_path / "other" / "published", home.published)
        shutil.rmtree(home.evidence / f"week_start={FIRST}" / "build_id=b1")
        [evidence] = [table for table in store.tables if table.is_beside_store]
        with pytest.raises(MetricStoreError, match="published anew while it was copied"):
            store.rows(evidence, FIRST)


def test_a_copy_that_fails_is_told_until_one_succeeds(home: Home, tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    to = str(tmp_path / "lake")
    assert isinstance(keep_copy(home, to, datetime(2026, 2, 3, 4, 5)), MetricStoreError)
    state = read_status(home)
    said = f"The copy {to} isn't up to date: "
    assert state["failed_copy"]["failed_at"] == "2026-02-03 04:05:00"
    assert state["failed_copy"]["error"].startswith(said)
    assert any(said in line for line in _lines(home, state, verbose=False))
    digest = read_digest(home, None, "b1", "", datetime(2026, 2, 3))
    assert "copy failed" in digest.title
    assert said in digest.body
    copy_store(home, str(tmp_path / "elsewhere"))
    assert failed_copy(home), "that was another copy"
    (tmp_path / "lake").unlink()
    copy_store(home, to)
    assert read_status(home)["failed_copy"] is None


def test_the_step_never_fails_a_run(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(home.root))

    def step(to: str) -> dagster.ExecuteInProcessResult:
        monkeypatch.setenv(COPY_VARIABLE, to)
        with DagsterInstance.ephemeral() as instance:
            return dagster.materialize([copy_step.copy], instance=instance, resources={"store": MetricStoreResource()})

    done = step(str(tmp_path / "lake"))
    assert done.get_asset_check_evaluations()[0].passed
    assert rows_of_folder(tmp_path / "lake") == rows_of_store(home)
    for to in ("/dev/null/x", f"postgresql://user:{SECRET}@127.0.0.1:1/db", "mysql://host"):
        done = step(to)
        assert done.success
        [check] = done.get_asset_check_evaluations()
        assert (check.passed, check.severity.value) == (False, "WARN")
        assert SECRET not in str(done.all_events) + (home.copy_note).read_text()


def test_the_step_is_there_where_a_copy_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COPY_VARIABLE, "/somewhere")
    monkeypatch.setenv(NOTIFY_VARIABLE, "json://127.0.0.1")
    graph = build_definitions().resolve_asset_graph()
    assert graph.get(COPY).parent_keys == {AssetKey("publication")}
    assert COPY in graph.get(AssetKey("notice")).parent_keys, "a digest tells of the copy"
    monkeypatch.delenv(COPY_VARIABLE)
    assert COPY not in build_definitions().resolve_asset_graph().get_all_asset_keys()
