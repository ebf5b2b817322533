"""Which weeks a record that lands makes due: those whose A it precedes, and whose windows reach it; no others.

A is three hours after the week's end. W1 is the week of 2024-08-05, its A is 2024-08-12 03:00.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from dbt_project.registry import registry
from orchestration.ingest.contracts import SOURCES_BY_NAME
from orchestration.ingest.touches import touched_weeks
from tests.ingest.ingest_kit import Place, logs, row

WEEKS = [date(2024, 7, 22) + timedelta(weeks=n) for n in range(30)]
BEFORE, W0, W1, W2, W3, W4, W5, *_ = WEEKS
NOTHING: set[date] = set()


def since(week: date) -> set[date]:
    return {known for known in WEEKS if known >= week}


def between(first: date, last: date) -> set[date]:
    return {known for known in WEEKS if first <= known <= last}


class TestEvents:
    @pytest.mark.parametrize(
        ("logged_at", "first"),
        [
            ("2024-08-05 00:00", BEFORE + timedelta(weeks=1)),  # within the three hours before A of W0
            ("2024-08-05 03:00", W0),  # exactly at A counts
            ("2024-08-05 03:00:00.000001", W1),
            ("2024-08-11 23:59", W1),
            ("2024-08-12 03:00", W1),
            ("2024-08-12 03:01", W2),
        ],
    )
    def test_a_record_counts_from_the_first_a_that_it_precedes(self, place: Place, logged_at: str, first: date) -> None:
        place.put("oms_logs/a.csv", logs("L1", logged_at=logged_at))
        assert min(place.touched("oms_logs", WEEKS)) == first

    @pytest.mark.parametrize(
        ("source", "time", "weeks_after"),
        [("oms_logs", "logged_at", 12), ("claims", "raised_at", 4), ("inventory_snapshots", "snapshot_at", 4)],
    )
    def test_until_windows_no_longer_reach_it(self, place: Place, source: str, time: str, weeks_after: int) -> None:
        place.put(f"{source}/a.csv", [row(source, **{time: "2024-08-07"})])
        assert place.touched(source, WEEKS) == between(W1, W1 + timedelta(weeks=weeks_after))

    @pytest.mark.parametrize("zone", ["America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Tehran"])
    @pytest.mark.parametrize("source", ["oms_logs", "inventory_snapshots"])
    def test_windows_reach_by_weeks_and_by_hours_across_a_change_of_clocks(self, zone: str, source: str) -> None:
        """The sustained load looks back by weeks, a first manifestation by hours: at a week's edge these differ."""
        contract = SOURCES_BY_NAME[source]
        days = timedelta(days=registry().looks_back(contract.name) or 0)
        starts = [datetime(2020, 1, 6, tzinfo=ZoneInfo(zone)) + timedelta(weeks=n) for n in range(60)]
        arrived, reached = [], set()
        for start, end in pairwise(starts[:45]):
            for at in (start.astimezone(UTC) + timedelta(seconds=1), end.astimezone(UTC) - timedelta(seconds=1)):
                # Of two instants of one time zone Python subtracts what the clocks show.
                read = [week for week in starts if week - start <= days or week.astimezone(UTC) - at <= days]
                arrived.append(at)
                reached.add((start.date(), read[-1].date()))
        with duckdb.connect() as engine:
            instants = ", ".join(f"(timestamp '{at:%F %T}')" for at in arrived)
            values = f"(values {instants}) as instants({contract.event_time})"
            engine.execute(f"create view arrived as select *, 0 as file_id from {values}")
            found = touched_weeks(engine, contract, zone, 0)[0]
        assert {(t.first_week, t.last_week) for t in found} == reached

    def test_a_window_that_is_configured_may_reach_it_for_ever(self, place: Place) -> None:
        place.put("packages/a.csv", [row("packages", shipped_at="2024-08-07")])
        assert place.touched("packages", WEEKS) == between(W1, WEEKS[-1])

    def test_duplicates_and_bad_records_touch_nothing(self, place: Place) -> None:
        place.put("oms_logs/a.csv", logs("L1"))
        place.ingest("oms_logs")
        place.put("oms_logs/b.csv", logs("L1", "L1") + logs("L2", attempt="0"))
        assert place.touched("oms_logs", WEEKS) == NOTHING

    def test_another_time_zone(self, tmp_path: Path) -> None:
        """A of W1 is 03:00 in Kolkata: Sunday 21:30 UTC; in Los Angeles it is Monday 10:00 UTC."""
        for zone, at, after in (
            ("Asia/Kolkata", "2024-08-11 21:30", "2024-08-11 21:31"),
            ("America/Los_Angeles", "2024-08-12 10:00", "2024-08-12 10:01"),
        ):
            place = Place(tmp_path / zone.replace("/", "-"), zone=zone)
            place.put("packages/a.csv", [row("packages", package_id="P1", shipped_at=at)])
            assert min(place.touched("packages", WEEKS)) == W1
            place.put("packages/b.csv", [row("packages", package_id="P2", shipped_at=after)])
            assert min(place.touched("packages", WEEKS)) == W2

    def test_another_hour(self, tmp_path: Path) -> None:
        place = Place(tmp_path / "home", offset_hours=0)
        place.put("packages/a.csv", [row("packages", package_id="P1", shipped_at="2024-08-12 00:00")])
        assert min(place.touched("packages", WEEKS)) == W1
        place.put("packages/b.csv", [row("packages", package_id="P2", shipped_at="2024-08-12 00:01")])
        assert min(place.touched("packages", WEEKS)) == W2


class TestOrders:
    """Only the newest version counts, its timestamps after A cut away."""

    def change(self, place: Place, first: dict[str, str], then: dict[str, str]) -> set[date]:
        """What a newer version touches."""
        place.put("seller_orders/1.jsonl", [row("seller_orders", **first)])
        place.ingest("seller_orders")
        place.put("seller_orders/2.jsonl", [row("seller_orders", **{**first, **then})])
        return place.touched("seller_orders", WEEKS)

    def test_a_first_record_touches_from_its_first_fact(self, place: Place) -> None:
        place.put("seller_orders/a.jsonl", [row("seller_orders", shipped_at="2024-08-20", ordered_at="2024-08-07")])
        assert place.touched("seller_orders", WEEKS) == since(W1)

    def test_shipped_after_a_leaves_the_week_alone(self, place: Place) -> None:
        later = {"shipped_at": "2024-08-13", "updated_at": "2024-08-13"}
        assert self.change(place, {}, later) == since(W2)

    def test_shipped_exactly_at_a_counts(self, place: Place) -> None:
        later = {"shipped_at": "2024-08-12 03:00", "updated_at": "2024-08-13"}
        assert self.change(place, {}, later) == since(W1)

    def test_a_step_that_is_taken_back_counts_where_it_was(self, place: Place) -> None:
        first = {"shipped_at": "2024-08-08"}
        assert self.change(place, first, {"shipped_at": "2024-08-20", "updated_at": "2024-08-20"}) == since(W1)

    @pytest.mark.parametrize("name", ["seller_id", "sku_id", "quantity", "promised_ship_at", "user_id"])
    def test_what_has_no_time_of_its_own_counts_from_the_order_on(self, place: Place, name: str) -> None:
        value = {"quantity": "2", "promised_ship_at": "2024-08-20"}.get(name, "other")
        assert self.change(place, {}, {name: value, "updated_at": "2024-09-01"}) == since(W1)

    def test_a_reason_goes_with_its_timestamp(self, place: Place) -> None:
        first = {"cancelled_at": "2024-08-20", "cancelled_by": "seller"}
        assert self.change(place, first, {"cancellation_reason": "X", "updated_at": "2024-09-01"}) == since(W3)

    def test_a_reason_without_its_timestamp_counts_nowhere(self, place: Place) -> None:
        assert self.change(place, {}, {"cancellation_reason": "X", "updated_at": "2024-09-01"}) == NOTHING

    def test_a_newer_version_with_nothing_new(self, place: Place) -> None:
        assert self.change(place, {}, {"updated_at": "2024-09-01"}) == NOTHING

    def test_a_stale_version(self, place: Place) -> None:
        stale = {"seller_id": "S9", "shipped_at": "2024-08-06", "updated_at": "2024-08-01"}
        assert self.change(place, {"updated_at": "2024-08-09"}, stale) == NOTHING

    def test_a_stale_version_next_to_another_record_of_the_same_time(self, place: Place) -> None:
        newest = row("seller_orders", sub_order_id="SO1", updated_at="2024-08-09")
        place.put("seller_orders/1.jsonl", [newest])
        place.ingest("seller_orders")
        stale = row("seller_orders", sub_order_id="SO1", seller_id="S9", updated_at="2024-08-01")
        other = row("seller_orders", sub_order_id="SO2", ordered_at="2024-08-28", updated_at="2024-08-09")
        place.put("seller_orders/2.jsonl", [stale, other])
        assert place.touched("seller_orders", WEEKS) == since(date(2024, 8, 26))

    def test_several_versions_at_once_count_by_the_newest(self, place: Place) -> None:
        place.put("seller_orders/1.jsonl", [row("seller_orders")])
        place.ingest("seller_orders")
        between_them = row("seller_orders", seller_id="S9", shipped_at="2024-08-13", updated_at="2024-08-13")
        newest = row("seller_orders", shipped_at="2024-08-20", updated_at="2024-08-20")
        place.put("seller_orders/2.jsonl", [newest, between_them])
        assert place.touched("seller_orders", WEEKS) == since(W3)

    def test_a_ticket(self, place: Place) -> None:
        place.put("tickets/1.jsonl", [row("tickets")])
        assert place.touched("tickets", WEEKS) == between(W1, W5)
        place.put("tickets/2.jsonl", [row("tickets", resolved_at="2024-08-21", updated_at="2024-08-21")])
        assert place.touched("tickets", WEEKS) == between(W3, W3 + timedelta(weeks=4))


class TestVersions:
    """The version with the greatest `updated_at` <= A counts; where all are later, the earliest one."""

    def put(self, place: Place, source: str, **values: str) -> set[date]:
        place.put(f"{source}/{place.runs}.jsonl", [row(source, **values)])
        return place.touched(source, WEEKS)

    def test_a_new_seller_counts_from_its_first_timestamp_on(self, place: Place) -> None:
        assert self.put(place, "sellers", onboarded_at="2024-08-07", updated_at="2024-08-20") == since(W1)

    def test_a_new_version_counts_from_its_own_time_on(self, place: Place) -> None:
        self.put(place, "sellers")
        assert self.put(place, "sellers", mall_segment="focus", updated_at="2024-08-14") == since(W2)
        assert self.put(
            place, "sellers", mall_segment="focus", updated_at="2024-08-19 03:00:01", oms_client="x"
        ) == since(W3)

    def test_equal_content_touches_nothing(self, place: Place) -> None:
        self.put(place, "sellers")
        assert self.put(place, "sellers", updated_at="2024-08-14") == NOTHING
        assert self.put(place, "sellers", updated_at="2024-08-01") == NOTHING

    def test_it_is_compared_with_the_version_before_not_with_the_first(self, place: Place) -> None:
        self.put(place, "sellers")
        self.put(place, "sellers", mall_segment="focus", updated_at="2024-08-14")
        assert self.put(place, "sellers", mall_segment="focus", updated_at="2024-08-21") == NOTHING
        assert self.put(place, "sellers", updated_at="2024-08-28") == since(W4)

    def test_a_version_between_two_counts_until_the_next(self, place: Place) -> None:
        self.put(place, "sellers")
        self.put(place, "sellers", mall_segment="focus", updated_at="2024-08-28")
        assert self.put(place, "sellers", seller_name="X", updated_at="2024-08-14") == {W2, W3}
        assert self.put(place, "sellers", seller_name="Y", updated_at="2024-08-14 01:00") == {W2, W3}
        assert self.put(place, "sellers", seller_name="Z", updated_at="2024-08-14 00:30") == NOTHING

    def test_an_earlier_first_version_counts_before_the_other(self, place: Place) -> None:
        self.put(place, "sellers", onboarded_at="2024-08-01", updated_at="2024-08-20")
        touched = self.put(place, "sellers", onboarded_at="2024-08-01", updated_at="2024-08-14", seller_name="X")
        assert touched == {W0, W1, W2}

    def test_versions_that_come_together_are_compared_with_what_counted(self, place: Place) -> None:
        self.put(place, "sellers")
        changed = {"mall_segment": "focus"}
        rows = [row("sellers", **changed, updated_at="2024-08-14"), row("sellers", **changed, updated_at="2024-08-21")]
        place.put("sellers/x.jsonl", rows)
        assert place.touched("sellers", WEEKS) == since(W2)

    def test_and_the_other_way_round(self, place: Place) -> None:
        self.put(place, "sellers")
        rows = [row("sellers", mall_segment="focus", updated_at="2024-08-14"), row("sellers", updated_at="2024-08-21")]
        place.put("sellers/x.jsonl", rows)
        assert place.touched("sellers", WEEKS) == {W2}

    def test_a_new_product_counts_from_its_listing_on(self, place: Place) -> None:
        assert self.put(place, "products", listed_at="2024-08-14", updated_at="2024-08-20") == since(W2)

    def test_a_product_that_is_listed_later(self, place: Place) -> None:
        listed = {"listed_at": "2024-08-28"}
        assert self.put(place, "products", **listed, updated_at="2024-08-01") == since(date(2024, 8, 26))
        changed = {"logo_image_status": "missing", "updated_at": "2024-08-07"}
        assert self.put(place, "products", **listed, **changed) == since(date(2024, 8, 26))

    def test_a_claim_concerns_the_week_in_which_it_was_raised_and_those_that_compare_with_it(
        self, place: Place
    ) -> None:
        assert self.put(place, "claims") == between(W1, W5)
        assert self.put(place, "claims", verdict="x", updated_at="2024-08-08") == between(W1, W5)
        assert self.put(place, "claims", verdict="y", updated_at="2024-08-30") == {W4, W5}
        assert self.put(place, "claims", verdict="z", updated_at="2024-09-10") == NOTHING

    def test_a_first_version_that_is_later_than_a(self, place: Place) -> None:
        assert self.put(place, "claims", updated_at="2024-08-30") == between(W1, W5)

    def test_dates_at_the_ends_of_time(self, place: Place) -> None:
        far = {"onboarded_at": "1970-01-01", "oms_enabled_at": "2199-12-31T23:59:59", "updated_at": "2199-12-31"}
        assert self.put(place, "sellers", **far) == set(WEEKS)
        place.put(
            "seller_orders/a.jsonl", [row("seller_orders", promised_ship_at="2199-12-31", shipped_at="1970-01-01")]
        )
        assert place.touched("seller_orders", WEEKS) == set(WEEKS)
