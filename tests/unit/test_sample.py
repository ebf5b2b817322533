"""The sample generator: same arguments, same bytes; realistic shares; nothing the default gate would object to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.configuration import load_configuration
from orchestration.ingest.contracts import SOURCES
from orchestration.sample import SampleSummary, write_sample
from tests.unit.sample_kit import column_of, contents, load, values

SMALL: dict[str, Any] = {"weeks": 3, "sellers": 20, "orders_per_week": 400}
NORMAL_WEEKS = 3
FORMATS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".jsonl.zst")
LIFECYCLE = (
    "pending_at, confirmed_at, ready_to_ship_at, shipped_at, delivered_at, cancelled_at, returned_at, "
    "failed_delivery_at"
)


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small")
    write_sample(home, **SMALL)
    return home


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    home = tmp_path_factory.mktemp("normal")
    return home, write_sample(home, weeks=NORMAL_WEEKS)


@pytest.fixture(scope="module")
def store(normal: tuple[Path, SampleSummary]) -> duckdb.DuckDBPyConnection:
    """The sources of the normal size as tables; `logs` and `sub_orders` without bad and replayed records."""
    connection = duckdb.connect(config={"threads": 1})
    for source in SOURCES:
        load(connection, normal[0], source)
    connection.execute(
        "create table logs as select distinct * exclude file from oms_logs "
        "where seller_id is not null and attempt >= 1 and call_status in ('success', 'failed')"
    )
    connection.execute(
        "create table sub_orders as select * from seller_orders where sku_id is not null and quantity >= 1 "
        "and shipment_type <> 'pickup' "
        "qualify row_number() over (partition by sub_order_id order by updated_at desc) = 1"
    )
    return connection


class TestBytes:
    def test_same_arguments_give_the_same_bytes(self, small_home: Path, tmp_path: Path) -> None:
        write_sample(tmp_path, **SMALL)
        assert contents(tmp_path) == contents(small_home)

    def test_another_seed_gives_other_bytes_in_every_source(self, small_home: Path, tmp_path: Path) -> None:
        write_sample(tmp_path, **SMALL, seed=8)
        ours, others = contents(small_home), contents(tmp_path)
        assert ours.keys() == others.keys()
        assert not [name for name in ours if ours[name] == others[name]]

    def test_a_further_week_leaves_the_earlier_weeks_as_they_are(self, small_home: Path, tmp_path: Path) -> None:
        write_sample(tmp_path, **SMALL | {"weeks": 4})
        earlier, later = contents(small_home), contents(tmp_path)
        assert {name: later[name] for name in earlier} == earlier
        assert all(Path(name).name >= "2026-01-26" for name in later.keys() - earlier.keys())

    def test_writing_again_leaves_the_files_untouched(self, tmp_path: Path) -> None:
        first = write_sample(tmp_path, weeks=1, sellers=3, orders_per_week=30)
        before = [(file.stat().st_ino, file.stat().st_mtime_ns) for file in first.files]
        again = write_sample(tmp_path, weeks=1, sellers=3, orders_per_week=30)
        assert [(file.stat().st_ino, file.stat().st_mtime_ns) for file in again.files] == before

    def test_no_partial_file_stays(self, small_home: Path) -> None:
        assert not list(small_home.rglob("*.tmp"))


class TestFiles:
    def test_every_source_and_every_format_occurs(self, normal: tuple[Path, SampleSummary]) -> None:
        home, summary = normal
        assert set(summary.rows) == {source.name for source in SOURCES}
        assert {file.name[file.name.index(".") :] for file in summary.files} == set(FORMATS)
        assert sorted(summary.files) == sorted(file for file in (home / "inbox").rglob("*") if file.is_file())

    def test_summary_counts_the_rows(
        self, normal: tuple[Path, SampleSummary], store: duckdb.DuckDBPyConnection
    ) -> None:
        counted = {source.name: values(store, f"select count(*) from {source.name}")[0][0] for source in SOURCES}
        assert counted == normal[1].rows

    def test_every_column_is_filled(self, store: duckdb.DuckDBPyConnection) -> None:
        for source in SOURCES:
            for column in source.columns:
                assert values(store, f"select count({column.name}) > 0 from {source.name}") == [(True,)], column

    def test_only_a_handful_of_bad_records(self, store: duckdb.DuckDBPyConnection) -> None:
        bad_weeks = 0
        for source in SOURCES:
            broken = " or ".join(
                [f"{column.name} is null" for column in source.columns if column.required]
                + [f"{column.name} not in {column.one_of}" for column in source.columns if column.one_of]
                + [f"{c.name} not between {c.within[0]} and {c.within[1]}" for c in source.columns if c.within]
            )
            sql = f"select 100.0 * count(*) filter ({broken}) / count(*) from {source.name} group by week"
            shares = column_of(store, sql)
            assert max(shares) < 0.3, source.name
            bad_weeks += sum(share > 0 for share in shares)
        assert bad_weeks >= NORMAL_WEEKS

    def test_keys_are_unique_after_exact_duplicates_are_dropped(self, store: duckdb.DuckDBPyConnection) -> None:
        replayed = values(store, "select count(*) - count(distinct log_id) from oms_logs")[0][0]
        assert isinstance(replayed, int)
        assert replayed > 0
        for source in SOURCES:
            key = ", ".join(source.key)
            different = f"(select distinct * exclude file from {source.name})"
            assert values(store, f"select {key} from {different} group by all having count(*) > 1") == [], source.name

    def test_records_lie_in_the_sample_weeks(self, store: duckdb.DuckDBPyConnection) -> None:
        weeks = [(date(2026, 1, 5),), (date(2026, 1, 12),), (date(2026, 1, 19),)]
        for source in SOURCES:
            assert values(store, f"select distinct week from {source.name} order by 1") == weeks, source.name

    @pytest.mark.parametrize("size", [{"sellers": 3, "orders_per_week": 30}, {"sellers": 1, "orders_per_week": 7}])
    def test_tiny_samples_have_logs_and_orders_every_day(self, tmp_path: Path, size: dict[str, Any]) -> None:
        write_sample(tmp_path, weeks=1, **size)
        with duckdb.connect() as connection:
            for source in SOURCES[:2]:
                load(connection, tmp_path, source)
            assert values(connection, "select count(distinct logged_at::date) from oms_logs") == [(7,)]
            assert values(connection, "select count(distinct ordered_at::date) from seller_orders") == [(7,)]
            assert values(connection, "select count(distinct order_id) from seller_orders") == [
                (size["orders_per_week"],)
            ]


class TestLogs:
    def test_every_day_has_logs(self, store: duckdb.DuckDBPyConnection) -> None:
        per_week = values(store, "select count(distinct logged_at::date) from logs group by week")
        assert per_week == [(7,)] * NORMAL_WEEKS

    def test_ids_sort_in_time(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = (
            "select log_id, logged_at < lag(logged_at) over (order by log_id) as runs_back from logs qualify runs_back"
        )
        assert values(store, sql) == []

    def test_late_records_come_with_the_week_after(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select 100 * avg((file like '%-late%')::int) from oms_logs where week < '2026-01-19'"
        assert 0.1 < column_of(store, sql)[0] < 0.6
        stray = "select * from oms_logs where file like '%-late%' and not contains(file, (week + 7)::date::varchar)"
        assert values(store, stray) == []

    def test_null_request_ids_have_the_source_month_s_share(self, store: duckdb.DuckDBPyConnection) -> None:
        share = "select 100 * avg((request_id is null)::int) from logs"
        assert 26 < column_of(store, share)[0] < 29
        weekly = column_of(store, f"{share} group by week")
        assert max(weekly) - min(weekly) < 2
        clients = column_of(store, f"{share} group by week, oms_client")
        assert len(clients) == 14 * NORMAL_WEEKS
        assert max(clients) < 55
        assert min(clients) < 20

    def test_parallel_users_send_most_requests(self, store: duckdb.DuckDBPyConnection) -> None:
        shares = column_of(
            store,
            """
            with users as (
                select week, seller_id, count(distinct channel) = 1 and min(channel) = 'oms' as is_parallel
                from logs where flow is not null group by all
            )
            select 100.0 * count(distinct request_id) filter (is_parallel) / count(distinct request_id)
            from logs left join users using (week, seller_id) group by week
            """,
        )
        assert all(58 < share < 68 for share in shares), shares

    def test_all_four_user_types_occur(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select distinct count(distinct channel) filter (flow is not null), min(channel) filter (flow is not null)
            from logs where week = '2026-01-12' group by seller_id
        """
        kinds = set(values(store, sql))
        assert kinds == {(0, None), (1, "oms"), (1, "supplier_panel"), (2, "oms")}

    def test_a_request_has_up_to_200_sub_orders(self, store: duckdb.DuckDBPyConnection) -> None:
        sizes = column_of(
            store, "select count(distinct sub_order_id) from logs where request_id is not null group by request_id"
        )
        assert 150 < max(sizes) <= 200
        assert sorted(sizes)[len(sizes) // 2] == 1

    def test_attempts_and_retry_reasons_belong_together(self, store: duckdb.DuckDBPyConnection) -> None:
        assert values(store, "select * from logs where attempt = 1 and retry_reason is not null") == []
        assert values(store, "select * from logs where call_status = 'success' and failure_reason is not null") == []
        assert values(store, "select max(attempt) from logs") == [(5,)]

    def test_hops_are_mostly_there_and_rarely_negative(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select 100 * avg((t3_label_created_at < t2_sos_notified_at)::int),
                   100 * avg((t2_sos_notified_at is null)::int),
                   count(*) filter (t5_label_sent_at < t4_label_shared_at)
            from logs where flow = 'manifestation'
        """
        [(negative, missing, last_negative)] = store.execute(sql).fetchall()
        assert 0 < negative < 1
        assert 0 < missing < 3
        assert last_negative == 0


class TestOrders:
    def test_every_day_has_orders(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select count(distinct ordered_at::date), count(distinct order_id) > 4990 from sub_orders group by week"
        assert values(store, sql) == [(7, True)] * NORMAL_WEEKS

    def test_an_order_has_up_to_four_sub_orders_of_up_to_two_sellers(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select max(lines), max(sellers) from (
                select count(*) as lines, count(distinct seller_id) as sellers from sub_orders group by order_id
            )
        """
        assert values(store, sql) == [(4, 2)]

    def test_an_export_knows_nothing_of_its_future(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = f"""
            with exports as (
                select *, strptime(regexp_extract(file, '(\\d{{4}}-\\d\\d-\\d\\d)-', 1), '%Y-%m-%d')
                    + interval '7 days 2 hours' as taken_at
                from seller_orders
            )
            select count(*) filter (greatest({LIFECYCLE}, updated_at) > taken_at),
                   count(*) filter (updated_at < greatest({LIFECYCLE}, ordered_at))
            from exports
        """
        assert values(store, sql) == [(0, 0)]

    def test_updates_bring_newer_versions_of_older_orders(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select count(*) > 1000, min(newer.updated_at > older.updated_at), min(newer.week < '2026-01-12')
            from seller_orders newer join seller_orders older using (sub_order_id)
            where newer.file like '%2026-01-12-updates%' and older.file like '%2026-01-05-placed%'
        """
        assert values(store, sql) == [(True, True, True)]

    def test_few_lifecycles_run_backwards(self, store: duckdb.DuckDBPyConnection) -> None:
        share = column_of(store, f"select 100 * avg((least({LIFECYCLE}) < ordered_at)::int) from sub_orders")[0]
        assert 0 < share < 1

    def test_what_is_cancelled_is_not_shipped(self, store: duckdb.DuckDBPyConnection) -> None:
        assert values(store, "select * from sub_orders where cancelled_at is not null and shipped_at is not null") == []
        named = values(store, "select distinct cancelled_by from sub_orders where cancelled_by is not null")
        assert len(named) == 4

    def test_everyone_named_is_known(self, store: duckdb.DuckDBPyConnection) -> None:
        for table in ("logs", "sub_orders", "products", "tickets", "settlements"):
            assert values(store, f"select * from {table} anti join sellers using (seller_id)") == [], table
        assert values(store, "select * from claims anti join seller_orders using (sub_order_id)") == []
        assert values(store, "select * from inventory_snapshots anti join products using (sku_id, seller_id)") == []

    def test_packages_follow_shipped_parcels(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select count(*) from packages
            where order_id is not null and seller_id is not null and (order_id, seller_id) not in
                (select (order_id, seller_id) from seller_orders where shipped_at is not null)
        """
        assert values(store, sql) == [(0,)]

    def test_volume_is_steady_enough_for_the_gate(self, store: duckdb.DuckDBPyConnection) -> None:
        for source in SOURCES:
            counts = column_of(store, f"select count(*) from {source.name} group by week order by week")
            for number in range(1, len(counts)):
                assert 0.55 < counts[number] * number / sum(counts[:number]) < 1.8, (source.name, counts)


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"scenario": "storm"}, "unknown sample scenario 'storm'; available: august, holiday, normal, poison"),
            ({"start": date(2026, 1, 7)}, "start must be a Monday; 2026-01-07 is a Wednesday"),
            ({"weeks": 0}, "weeks must be at least 1, not 0"),
            ({"sellers": 0}, "sellers must be at least 1, not 0"),
            ({"orders_per_week": 0}, "orders_per_week must be at least 7, one for each day, not 0"),
            ({"seed": -1}, "seed must be at least 0, not -1"),
            ({"poison": "weights"}, "a rule to trip is for the scenario poison, not for normal"),
            (
                {"scenario": "poison", "poison": "weight"},
                "no rule 'weight' to poison a sample for; rules to choose from: ",
            ),
            ({"scenario": "poison", "poison": "weights"}, "no input can trip weights: grade_weights.csv is checked"),
            ({"scenario": "poison", "poison": "keys_unique"}, "no input can trip keys_unique: every published table"),
            ({"scenario": "poison", "poison": "volume_shift", "weeks": 1}, "give at least 2 weeks"),
            ({"scenario": "poison", "sellers": 11}, "at least 12 sellers and 300 orders per week"),
        ],
    )
    def test_wrong_arguments_are_named(self, tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            write_sample(tmp_path, **arguments)
        assert not list(tmp_path.iterdir())

    def test_start_moves_the_sample(self, tmp_path: Path) -> None:
        summary = write_sample(tmp_path, weeks=1, start=date(2025, 11, 3), sellers=3, orders_per_week=30)
        assert "2025-11/2025-11-03.parquet" in str(summary.files[0])


# A season


def test_the_weeks_of_a_season_have_its_loads(tmp_path: Path) -> None:
    def orders(scenario: str) -> list[int]:
        home = tmp_path / scenario
        write_sample(home, weeks=5, sellers=15, orders_per_week=200, seed=3, scenario=scenario)
        [source] = [source for source in SOURCES if source.name == "seller_orders"]
        with duckdb.connect() as store:
            load(store, home, source)
            found = values(store, "select week, count(distinct order_id) from seller_orders group by 1 order by 1")
        return [int(str(count)) for _, count in found]

    assert orders("normal") == [200] * 5
    assert orders("holiday") == [200, 250, 320, 460, 700]


def test_claimed_capacities_are_configuration_and_replace_none(tmp_path: Path) -> None:
    written = tmp_path / "config" / "oms_capacity.csv"
    write_sample(tmp_path, weeks=1, sellers=15, orders_per_week=200, scenario="holiday")
    claimed = {row.oms_client for row in load_configuration(tmp_path / "config").rows["oms_capacity"]}
    assert len(claimed) > 3
    written.write_text("oms_client,tested_hourly_calls\nmine,5\n")
    write_sample(tmp_path, weeks=1, sellers=15, orders_per_week=200, scenario="holiday")
    assert written.read_text() == "oms_client,tested_hourly_calls\nmine,5\n"


# Poison

TINY: dict[str, Any] = {"sellers": 12, "orders_per_week": 300, "seed": 3}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two weeks of which nothing is poisoned."""
    home = tmp_path_factory.mktemp("sound")
    write_sample(home, **TINY, weeks=2)
    return contents(home)


def test_a_poisoned_sample_differs_in_the_poisoned_records_alone(tmp_path: Path) -> None:
    """Late and replayed records and newer versions are poisoned like the first, or they would be other faults."""
    write_sample(tmp_path / "sound", **TINY, weeks=5)
    write_sample(tmp_path / "poisoned", **TINY, weeks=5, scenario="poison")
    write_sample(tmp_path / "again", **TINY, weeks=5, scenario="poison")
    assert contents(tmp_path / "poisoned") == contents(tmp_path / "again")
    changed: dict[str, list[tuple[object, ...]]] = {}
    homes = ("poisoned", "sound")
    with duckdb.connect() as store:
        for home in homes:
            store.execute(f"create schema {home}; use {home}")
            for source in SOURCES:
                load(store, tmp_path / home, source)
        for source in SOURCES:
            name, record = source.name, "* exclude (file)"
            rows = f"(select {record} from poisoned.{name} except select {record} from sound.{name})"
            # the first week loses a day, and nothing of it is changed
            later = "where week > '2026-01-05'"
            changed[name] = values(store, f"select week::varchar, count(*) > 1 from {rows} group by 1 order by 1")
            counts = [
                values(
                    store,
                    f"select count(*), (select count(*) from (select distinct {record} from {rows} {later})) "
                    f"from {rows} {later}",
                )
                for rows in (f"poisoned.{name}", f"sound.{name}")
            ]
            assert counts[0] == counts[1], "a record that comes twice is the same twice"
    assert {name: rows for name, rows in changed.items() if rows} == {
        "oms_logs": [(f"2026-{day}", True) for day in ("01-12", "01-19", "01-26")],
        "packages": [("2026-02-02", True)],
    }


@pytest.mark.parametrize(
    ("rule", "days"), [("days_present", ["2026-01-08", "2026-01-15"]), ("day_volume", ["2026-01-15"])]
)
def test_a_day_is_lost_in_the_last_week_or_in_all(
    sound: dict[str, bytes], tmp_path: Path, rule: str, days: list[str]
) -> None:
    """A week without a day is poisoned alone only after no sound one; of a day that nearly vanished a tenth is left."""
    write_sample(tmp_path, **TINY, weeks=2, scenario="poison", poison=rule)
    poisoned = contents(tmp_path)
    changed = {name for name in sound if name.endswith(".parquet") and poisoned.get(name) != sound[name]}
    assert {f"oms_logs/2026-01/{day}.parquet" for day in days} == changed
    assert (sound.keys() == poisoned.keys()) == (rule == "day_volume")


def test_an_unreadable_file_is_the_last_week_s_export_of_products(sound: dict[str, bytes], tmp_path: Path) -> None:
    write_sample(tmp_path, **TINY, weeks=2, scenario="poison", poison="files_readable")
    poisoned = contents(tmp_path)
    assert [name for name in sound if poisoned[name] != sound[name]] == ["products/2026-01-12.parquet"]
    [broken] = [poisoned[name] for name in sound if poisoned[name] != sound[name]]
    assert sound["products/2026-01-12.parquet"].startswith(broken)


def test_a_bound_that_is_too_low_replaces_no_other_configuration(tmp_path: Path) -> None:
    options = {**TINY, "weeks": 1, "scenario": "poison", "poison": "rates_in_bounds"}
    write_sample(tmp_path, **options)
    write_sample(tmp_path, **options)
    catalog = {row.metric_id: row for row in load_configuration(tmp_path / "config").rows["metric_catalog"]}
    assert catalog["null_request_id_rate"].maximum == 10
    mine = tmp_path / "config" / "metric_catalog.csv"
    mine.write_text("mine\n")
    with pytest.raises(ValueError, match="is there already: move it away"):
        write_sample(tmp_path, **options)
    assert mine.read_text() == "mine\n"
