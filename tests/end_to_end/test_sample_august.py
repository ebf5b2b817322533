"""The scenario `august`: exact counts, the same bytes with any number of threads, records that agree."""

from __future__ import annotations

import csv
import pickle
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

import orchestration.sample.august.month as month
from orchestration.ingest.contracts import SOURCES
from orchestration.project import DEFAULT_CONFIG_DIR, PROJECT_ROOT
from orchestration.sample import SampleSummary, write_august, write_sample
from orchestration.sample.august import DAYS, LEAST_SCALE, MONTH, WEEKS, Counts
from tests.unit.sample_kit import column_of, contents, load, values

SCALE = LEAST_SCALE
COUNTS = Counts.at(SCALE)
DEFAULT_RULES = PROJECT_ROOT / "expectations" / "gate_rules.csv"
ALL_WEEKS = (date(2025, 7, 28), *WEEKS)


@pytest.fixture(scope="module")
def home(august_sample: Path) -> Path:
    return august_sample / "home"


@pytest.fixture(scope="module")
def summary(august_sample: Path) -> SampleSummary:
    summary = pickle.loads((august_sample / "summary.pickle").read_bytes())
    assert isinstance(summary, SampleSummary)
    return summary


@pytest.fixture(scope="module")
def store(home: Path, summary: SampleSummary) -> duckdb.DuckDBPyConnection:
    """The sources as tables; `logs` and `sub_orders` as they land: without damaged copies, each key once."""
    connection = duckdb.connect(config={"threads": 1})
    for source in SOURCES:
        load(connection, home, source)
    connection.execute(
        "create table logs as select distinct on (log_id) * from oms_logs "
        "where seller_id is not null and attempt >= 1 and call_status in ('success', 'failed')"
    )
    connection.execute(
        "create table sub_orders as select * from seller_orders where sku_id is not null and quantity >= 1 "
        "and shipment_type <> 'pickup' "
        "qualify row_number() over (partition by sub_order_id order by updated_at desc) = 1"
    )
    return connection


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Spilled(Exception):
    """Ends the sample of a test that has seen enough."""


def test_what_memory_does_not_hold_goes_to_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spill(self: month.Month, _: object) -> None:
        self._engine.execute("create table wide as select range as a, md5(range::varchar) as b from range(6000000)")
        assert list((tmp_path / "home" / ".scratch" / "sample").iterdir())
        raise Spilled

    monkeypatch.setattr(month, "_MEMORY", "200MB")
    monkeypatch.setattr(month.Month, "write", spill)
    with pytest.raises(Spilled):
        write_august(tmp_path / "home", scale=SCALE)
    assert list((tmp_path / "home").iterdir()) == []


class TestCounts:
    def test_scale_1_is_the_month_of_the_source(self) -> None:
        assert Counts.at(1) == Counts(
            scale=1,
            records=237_642_097,
            null_records=65_459_064,
            parallel_requests=4_342_981,
            non_parallel_requests=2_553_636,
            sub_orders=25_000_000,
            sellers=4_000,
        )

    @pytest.mark.parametrize("scale", [1, 0.0333, SCALE])
    @pytest.mark.parametrize("seed", [0, 7])
    def test_days_add_up_to_the_month(self, scale: float, seed: int) -> None:
        counts = Counts.at(scale)
        days = counts.by_day(seed)
        assert [day.day for day in days] == [*DAYS, date(2025, 9, 1)]
        assert sum(day.sub_orders for day in days) == counts.sub_orders
        assert sum(day.requests for day in days) == counts.parallel_requests + counts.non_parallel_requests
        assert sum(day.parallel_requests for day in days) == counts.parallel_requests
        assert sum(day.null_records for day in days) == counts.null_records
        assert sum(day.named_records + day.null_records for day in days) == counts.records

    @pytest.mark.parametrize("scale", [0, -1, 0.0019, 1.01, float("nan")])
    def test_other_scales_are_refused(self, scale: float) -> None:
        with pytest.raises(ValueError, match=r"scale must be from 0\.002 to 1"):
            Counts.at(scale)

    def test_a_negative_seed_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="seed must be at least 0"):
            write_august(tmp_path, scale=SCALE, seed=-1)

    def test_the_generator_of_weeks_refuses_the_month(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="write_august"):
            write_sample(tmp_path, scenario="august")

    def test_no_month_has_more_complete_weeks(self) -> None:
        mondays = {day - timedelta(days=day.weekday()) for day in DAYS}
        assert sorted(mondays) == list(ALL_WEEKS)
        assert all(monday + timedelta(days=n) in DAYS for monday in WEEKS for n in range(7))
        assert (DAYS[0], len(DAYS), len(WEEKS)) == (MONTH, 31, 31 // 7)


class TestChance:
    """The draws from keys: even, and independent of each other."""

    @pytest.fixture(scope="class")
    def engine(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("set variable seed = 7; set variable first_day = 0; set variable day_names = ['']")
        connection.execute((Path(month.__file__).with_name("sql") / "macros.sql").read_text(encoding="utf-8"))
        connection.execute("create table keys as select 203000000000 + i as key from range(100000) as t(i)")
        return connection

    def test_even(self, engine: duckdb.DuckDBPyConnection) -> None:
        sql = "select count(*) from keys group by cast(floor(10 * chance(key, 'one')) as bigint)"
        parts = column_of(engine, sql)
        assert len(parts) == 10
        assert all(9_600 < part < 10_400 for part in parts), parts

    @pytest.mark.parametrize(
        "other", ["chance(key, 'two')", "chance(key + 1, 'one')", "chance(bits(key, 'one'), 'two')"]
    )
    def test_independent(self, engine: duckdb.DuckDBPyConnection, other: str) -> None:
        cells = column_of(
            engine,
            "select count(*) from keys "
            f"group by cast(floor(10 * chance(key, 'one')) as bigint), cast(floor(10 * {other}) as bigint)",
        )
        assert len(cells) == 100
        assert all(850 < cell < 1_150 for cell in cells), sorted(cells)

    def test_normal(self, engine: duckdb.DuckDBPyConnection) -> None:
        sql = "select avg(x), stddev(x), 100 * avg((abs(x) > 1.96)::int) from (select normal(key, 'x') as x from keys)"
        [(mean, deviation, outside)] = values(engine, sql)
        assert (mean, deviation, outside) == pytest.approx((0, 1, 5), abs=0.3)
        assert abs(float(str(mean))) < 0.02

    def test_another_seed_draws_anew(self, engine: duckdb.DuckDBPyConnection) -> None:
        before = values(engine, "select chance(1, 'one')")
        with engine.cursor() as other:
            other.execute("set variable seed = 8")
            assert values(other, "select chance(1, 'one')") != before

    def test_shares_of_a_total_are_even_and_exact(self, engine: duckdb.DuckDBPyConnection) -> None:
        sql = "select sum(n), min(n), max(n) from (select share_of(1000, i, 300) as n from range(300) as t(i))"
        assert values(engine, sql) == [(1000, 3, 4)]

    def test_attempts(self, engine: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select avg((misses = 0)::int), avg((misses <= patience)::int), max(1 + least(misses, patience)), min(misses)
            from (select misses(0.1, key, 'f') as misses, patience(key, 'f') as patience from keys)
        """
        [(first, in_the_end, most, least)] = values(engine, sql)
        assert first == pytest.approx(0.9, abs=0.005)
        # after a miss: 0.85 (1 - 0.45) / (1 - 0.85 x 0.45) of them, less what five calls don't reach
        assert in_the_end == pytest.approx(0.9 + 0.1 * 0.74, abs=0.005)
        assert (most, least) == (5, 0)


class TestBytes:
    @pytest.fixture(scope="class")
    def ours(self, home: Path, summary: SampleSummary) -> dict[str, bytes]:
        return contents(home)

    @pytest.mark.soak
    def test_same_arguments_give_the_same_bytes_with_any_number_of_threads(
        self, ours: dict[str, bytes], tmp_path: Path
    ) -> None:
        write_august(tmp_path, scale=SCALE, threads=3)
        others = contents(tmp_path)
        assert others.keys() == ours.keys()
        assert [name for name in ours if ours[name] != others[name]] == []

    @pytest.mark.soak
    def test_another_seed_gives_other_bytes_in_every_large_file(self, ours: dict[str, bytes], tmp_path: Path) -> None:
        write_august(tmp_path, scale=SCALE, seed=8)
        others = contents(tmp_path)
        assert [name for name in ours if ours[name] == others.get(name)] == []

    def test_summary_says_what_there_is(
        self, home: Path, summary: SampleSummary, store: duckdb.DuckDBPyConnection
    ) -> None:
        assert sorted(summary.files) == sorted(file for file in home.rglob("*") if file.is_file())
        counted = {source.name: values(store, f"select count(*) from {source.name}")[0][0] for source in SOURCES}
        assert counted == summary.rows

    def test_heavy_sources_are_files_of_a_day(self, home: Path, summary: SampleSummary) -> None:
        for folder in ("oms_logs/2025-08", "seller_orders", "packages"):
            names = {file.name for file in (home / "inbox" / folder).iterdir()}
            assert {f"{day}.parquet" for day in DAYS} <= names

    def test_nothing_else_stays(self, home: Path, summary: SampleSummary) -> None:
        assert list((home / ".scratch").glob("*")) == []


class TestLogs:
    def test_counts_are_exact(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select count(*), count(*) - count(request_id), count(distinct request_id) from logs"
        requests = COUNTS.parallel_requests + COUNTS.non_parallel_requests
        assert values(store, sql) == [(COUNTS.records, COUNTS.null_records, requests)]
        assert values(store, "select count(distinct log_id) from oms_logs") == [(COUNTS.records,)]
        assert values(store, "select count(distinct oms_client) from logs") == [(14,)]

    def test_all_of_them_were_logged_in_august(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select count(distinct logged_at::date), min(logged_at::date), max(logged_at::date) from logs"
        assert values(store, sql) == [(31, DAYS[0], DAYS[-1])]

    def test_requests_belong_to_users_of_the_intended_types(self, store: duckdb.DuckDBPyConnection) -> None:
        """As the pipeline sees the types: by week, from the channels of the calls of the two flows."""
        sql = """
            with users as (
                select
                    week, seller_id,
                    case
                        when count(distinct channel) filter (flow is not null) = 2 then 'non_parallel'
                        when min(channel) filter (flow is not null) = 'oms' then 'parallel'
                        else 'others'
                    end as user_type
                from logs group by all
            )
            select user_type, count(distinct request_id), count(distinct case when t2_sos_notified_at >= t1_received_at
                and flow = 'manifestation' then request_id end)
            from logs join users using (week, seller_id) group by user_type order by user_type
        """
        assert values(store, sql) == [
            ("non_parallel", COUNTS.non_parallel_requests, COUNTS.non_parallel_requests),
            ("others", 0, 0),
            ("parallel", COUNTS.parallel_requests, COUNTS.parallel_requests),
        ]

    def test_a_seller_has_one_type_in_all_weeks(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select seller_id from (
                select seller_id, week, list_sort(list(distinct channel)) as channels
                from logs where flow is not null group by all
            ) group by seller_id having count(distinct channels) > 1
        """
        assert values(store, sql) == []

    def test_a_request_belongs_to_one_seller_and_one_day(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select request_id from logs where request_id is not null group by request_id
            having count(distinct seller_id) > 1 or count(distinct logged_at::date) > 1
        """
        assert values(store, sql) == []

    def test_up_to_200_sub_orders_a_request(self, store: duckdb.DuckDBPyConnection) -> None:
        sizes = column_of(
            store, "select count(distinct sub_order_id) from logs where request_id is not null group by request_id"
        )
        assert max(sizes) == 200
        assert sorted(sizes)[len(sizes) // 2] == 1
        assert 2 < sum(sizes) / len(sizes) < 4

    def test_null_request_ids_stay_within_the_gate_s_bounds(self, store: duckdb.DuckDBPyConnection) -> None:
        share = "select 100 * avg((request_id is null)::int) from logs group by week"
        assert all(26 < rate < 29 for rate in column_of(store, share))
        clients = column_of(store, f"{share}, oms_client")
        rules = {row["rule_id"]: row for row in csv_rows(DEFAULT_RULES)}
        assert max(clients) < float(rules["null_request_id_rate_client"]["upper"])
        assert max(clients) - min(clients) > 10

    def test_ids_sort_in_time_and_look_like_version_7(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = (
            "select log_id, logged_at < lag(logged_at) over (order by log_id) as runs_back from logs qualify runs_back"
        )
        assert values(store, sql) == []
        version = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
        assert values(store, f"select log_id from logs where not regexp_full_match(log_id, '{version}')") == []

    def test_a_day_s_file_is_in_order_and_holds_nothing_twice(self, home: Path, summary: SampleSummary) -> None:
        files = str(home / "inbox/oms_logs/2025-08/????-??-??.parquet")
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(
                f"create view days as select * from read_parquet('{files}', filename = 'file', file_row_number = true)"
            )
            assert values(connection, "select log_id from days group by log_id having count(*) > 1") == []
            sql = (
                "select log_id, logged_at < lag(logged_at) over (partition by file order by file_row_number) "
                "as runs_back from days qualify runs_back"
            )
            assert values(connection, sql) == []

    def test_few_records_are_late_copied_or_damaged(self, store: duckdb.DuckDBPyConnection) -> None:
        [(late, copied, damaged)] = values(
            store,
            f"""
            select
                100.0 * count(*) filter (file like '%-late%') / {COUNTS.records},
                100.0 * (select count(*) - count(distinct log_id) from oms_logs) / {COUNTS.records},
                100.0 * count(*) filter (
                    seller_id is null or attempt < 1 or call_status not in ('success', 'failed')
                ) / {COUNTS.records}
            from oms_logs
            """,
        )
        assert 0.2 < float(str(late)) < 0.5
        assert 0.005 < float(str(damaged)) < float(str(copied)) < 0.05

    def test_late_records_come_a_day_later(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select * from logs where file like '%-late%' and not contains(file, (logged_at::date + 1)::varchar)"
        assert values(store, sql) == []

    def test_hops_take_seconds_and_their_slowest_minutes(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select quantile_disc(lag, 0.5), quantile_disc(lag, 0.99),
                   100 * avg((lag < 0)::int), 100 * avg((lag is null)::int)
            from (
                select epoch_ms(t3_label_created_at) - epoch_ms(t2_sos_notified_at) as lag
                from logs where flow = 'manifestation' and call_status = 'success'
            )
        """
        [(median, slow, negative, missing)] = store.execute(sql).fetchall()
        assert 2_000 < median < 8_000
        assert 5 * median < slow < 60_000
        assert 0 < negative < 1
        assert 0 < missing < 5

    def test_attempts_and_reasons_belong_together(self, store: duckdb.DuckDBPyConnection) -> None:
        assert values(store, "select * from logs where attempt = 1 and retry_reason is not null") == []
        assert values(store, "select * from logs where call_status = 'success' and failure_reason is not null") == []
        assert values(store, "select max(attempt) from logs") == [(5,)]
        # a call is made again only when the one before failed
        sql = """
            select * from logs as again semi join logs as done
            on again.sub_order_id = done.sub_order_id and again.flow = done.flow
            and done.call_status = 'success' and again.attempt > done.attempt
        """
        assert values(store, sql) == []

    def test_most_failures_have_a_reason_of_the_default_configuration(self, store: duckdb.DuckDBPyConnection) -> None:
        known = {(row["flow"], row["failure_reason"]) for row in csv_rows(DEFAULT_CONFIG_DIR / "failure_reasons.csv")}
        sql = "select flow, failure_reason from logs where flow is not null and call_status = 'failed'"
        failures = values(store, sql)
        assert known <= set(failures)
        assert 0.8 < sum(failure in known for failure in failures) / len(failures) < 1


class TestOrders:
    def test_counts_are_exact(self, store: duckdb.DuckDBPyConnection) -> None:
        assert values(store, "select count(*), count(distinct sub_order_id) from sub_orders") == [
            (COUNTS.sub_orders, COUNTS.sub_orders)
        ]
        of_days = "select count(*), count(distinct sub_order_id) from seller_orders where file not like '%-updates%'"
        assert values(store, of_days) == [(COUNTS.sub_orders, COUNTS.sub_orders)]
        assert values(store, "select count(distinct seller_id) from sellers") == [(COUNTS.sellers,)]

    def test_all_of_them_were_placed_in_august(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = "select count(distinct ordered_at::date), min(ordered_at::date), max(ordered_at::date) from sub_orders"
        assert values(store, sql) == [(31, DAYS[0], DAYS[-1])]

    def test_evenings_are_busy_and_nights_are_not(self, store: duckdb.DuckDBPyConnection) -> None:
        hours = dict(values(store, "select hour(ordered_at), count(*) from sub_orders group by 1"))
        assert max(hours, key=lambda hour: hours[hour]) in (12, 13)
        assert min(hours.values()) * 5 < max(hours.values())

    def test_an_export_knows_nothing_of_its_future(self, store: duckdb.DuckDBPyConnection) -> None:
        steps = (
            "pending_at, confirmed_at, ready_to_ship_at, shipped_at, delivered_at, cancelled_at, returned_at, "
            "failed_delivery_at"
        )
        sql = f"""
            select count(*) filter (greatest({steps}, updated_at) > '2025-09-01 02:00:00'),
                   count(*) filter (updated_at < greatest({steps}, ordered_at))
            from seller_orders
        """
        assert values(store, sql) == [(0, 0)]

    def test_updates_bring_newer_versions(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select count(*) > 100, min(newer.updated_at >= older.updated_at), max(newer.updated_at > older.updated_at)
            from sub_orders newer join seller_orders older using (sub_order_id)
            where newer.file like '%-updates%' and older.file not like '%-updates%'
        """
        assert values(store, sql) == [(True, True, True)]

    def test_steps_follow_each_other(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select * from sub_orders
            where pending_at < ordered_at or ready_to_ship_at < confirmed_at or shipped_at < ready_to_ship_at
               or delivered_at < shipped_at or returned_at < delivered_at or failed_delivery_at < shipped_at
               or (shipped_at is not null and ready_to_ship_at is null)
               or (cancelled_at is not null and shipped_at is not null)
               or (cancellation_reason is not null and cancelled_at is null)
        """
        assert values(store, sql) == []
        backwards = column_of(store, "select 100 * avg((confirmed_at < ordered_at)::int) from sub_orders")[0]
        assert 0 < backwards < 1

    def test_shares_of_outcomes(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select 100 * avg((cancelled_at is not null)::int), 100 * avg((shipped_at is not null)::int),
                   100.0 * count(returned_at) / count(delivered_at),
                   100.0 * count(failed_delivery_at) / count(shipped_at)
            from sub_orders where ordered_at < '2025-08-15'
        """
        cancelled, shipped, returned, refused = map(float, map(str, values(store, sql)[0]))
        assert 3 < cancelled < 8
        assert shipped > 90
        assert 4 < returned < 7
        assert 2 < refused < 4

    def test_each_reason_to_cancel_occurs(self, store: duckdb.DuckDBPyConnection) -> None:
        known = {
            row["reason"]
            for row in csv_rows(DEFAULT_CONFIG_DIR / "reason_classes.csv")
            if row["kind"] == "cancellation"
        }
        found = {row[0] for row in values(store, "select distinct cancellation_reason from sub_orders")}
        assert known <= found

    def test_calls_agree_with_the_life_of_their_sub_order(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            select count(*) filter (orders.sub_order_id is null),
                   count(*) filter (logs.seller_id <> orders.seller_id),
                   count(*) filter (logged_at < ordered_at),
                   count(*) filter (
                       flow is not null and coalesce(t1_received_at, logged_at) > cancelled_at + interval 3 seconds
                   )
            from logs left join sub_orders as orders using (sub_order_id) where logs.sub_order_id is not null
        """
        assert values(store, sql) == [(0, 0, 0, 0)]

    def test_outcomes_of_calls_are_those_of_the_sub_orders(self, store: duckdb.DuckDBPyConnection) -> None:
        sql = """
            with outcomes as (
                select sub_order_id, bool_or(call_status = 'success') filter (flow = 'acceptance') as is_accepted,
                       bool_or(call_status = 'success') filter (flow = 'manifestation') as is_manifested
                from logs group by sub_order_id
            )
            select
                count(*) filter (is_accepted and confirmed_at is null and cancelled_at is null),
                count(*) filter (is_manifested and ready_to_ship_at is null and cancelled_at is null),
                count(*) filter (not is_accepted and confirmed_at is null) > 0,
                count(*) filter (not is_manifested and ready_to_ship_at is null) > 0,
                count(*) filter (is_manifested is not null and is_accepted is null)
            from sub_orders join outcomes using (sub_order_id) where ordered_at < '2025-08-30'
        """
        assert values(store, sql) == [(0, 0, True, True, 0)]

    def test_packages_are_of_shipped_orders(self, store: duckdb.DuckDBPyConnection) -> None:
        both = "semi join sub_orders using (order_id, seller_id, shipped_at)"
        assert values(store, f"select count(*) > 0 from packages {both}") == [(True,)]
        assert (
            values(store, "select * from packages anti join sub_orders using (order_id, seller_id, shipped_at)") == []
        )
        assert (
            values(store, "select * from sub_orders anti join packages using (order_id) where shipped_at is not null")
            == []
        )

    def test_everyone_named_is_known(self, store: duckdb.DuckDBPyConnection) -> None:
        for table in ("logs", "sub_orders", "packages", "products", "tickets", "settlements"):
            assert values(store, f"select * from {table} anti join sellers using (seller_id)") == [], table
        assert values(store, "select * from sub_orders anti join products using (sku_id)") == []
        assert values(store, "select * from claims anti join sub_orders using (sub_order_id)") == []


class TestOthers:
    def test_every_source_has_records_in_every_week(self, store: duckdb.DuckDBPyConnection) -> None:
        for source in SOURCES:
            weeks = {row[0] for row in values(store, f"select distinct week from {source.name}")}
            assert set(ALL_WEEKS) <= weeks, source.name
