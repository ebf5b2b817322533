"""What the pages say, read from the published store. Selects, counts rows and puts weeks side by side; no figure is
computed here: those are dbt's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dbt_project.registry import registry
from metric_store.reading import withholding_results
from orchestration.report.changes import CHANGE_COLUMNS, with_changes
from orchestration.report.tables import (
    CLIENT_TABLES,
    COLUMNS,
    VERDICTS_IN_ORDER,
    WEEK_TABLES,
    Column,
    Store,
    Table,
    read_tables,
)
from orchestration.whatif.rehearsal import COLUMNS as REHEARSED
from orchestration.whatif.rehearsal import rehearse

#: The figures of the first screen.
HEADLINES = registry().headlines
#: The published table of waivers; a store of an earlier release has none.
WAIVERS = "fct_gate_waiver_week"
#: Weeks of a sparkline, and of a rule's chart.
HISTORY, JUDGED_WEEKS = 12, 26
_MOST_RESTATEMENTS = 1000
#: The restatements of a week, and those of earlier weeks since the week before was first published.
RESTATED = (
    "(week_start = $week or (week_start < $week and restated_at <= $published_at and restated_at > "
    "(select min(published_at) from marts.publication where week_start = $before)))"
)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """A week that the store knows of. `state`: published, waived (published in spite of a failure) or withheld.

    `failed` are the failures for which it is withheld, `waived` those that were waived. A published week with `failed`
    rules keeps its figures: what was withheld is its restatement.
    """

    week_start: date
    state: str
    build_id: str | None
    published_at: datetime | None
    calculated_at: datetime | None
    code_version: str | None
    failed: tuple[Mapping[str, Any], ...]
    waived: tuple[Mapping[str, Any], ...]
    fingerprint: str

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def known_at(self) -> datetime:
        """When its pages' figures were published, for comparison: before all others where none are."""
        return self.published_at or datetime.min


def read_weeks(store: Store) -> list[Week]:
    """Every week that is published or was judged, in order.

    The fingerprint follows everything that the week's pages show, weeks before it included.
    """
    published = {row["week_start"]: row for row in store.records("select * from marts.publication where is_current")}
    failed: dict[date, list[Mapping[str, Any]]] = {}
    waived: dict[date, list[Mapping[str, Any]]] = {}
    judged: dict[date, str] = {}
    for row in withholding_results(store.connection):
        failed.setdefault(row["week_start"], []).append(row)
    for row in store.records(
        # The verdict may be a later one, which withholds a restatement: it says nothing of the waiver.
        "select week_start, rule_id, scope, observed, lower, upper, concat(coalesce(message, rule_id), "
        "case when not contains(coalesce(message, ''), reason) "
        "then concat('; waived until ', valid_until, ' by ', approved_by, ': ', reason) end) as message, reason, "
        "approved_by, valid_until "
        "from marts.fct_gate_waiver_week left join marts.fct_data_quality_week using (week_start, rule_id, scope) "
        "order by week_start, rule_id, scope"
        if store.has(WAIVERS)
        else "select null where false"
    ):
        waived.setdefault(row["week_start"], []).append(row)
    for week, digest in store.rows(
        "select week_start, md5(string_agg(concat_ws('|', rule_id, scope, severity, passed, observed, lower, upper), "
        "';' order by rule_id, scope)) from marts.fct_data_quality_week group by week_start"
    ):
        judged[week] = digest
    looked_back = [_looked_back(store, table) for table in ("fct_metric_change_week", "fct_o2d_settling_week")]
    weeks = []
    for week in sorted(published.keys() | judged.keys()):
        build = published.get(week)
        shown = [week - back * _WEEK for back in (*range(HISTORY), 52)]
        fingerprint = _digest(
            [judged.get(week - back * _WEEK) for back in range(JUDGED_WEEKS)],
            waived.get(week),
            [other in judged or other in published for other in (week - _WEEK, week + _WEEK)],  # where the page leads
            [digests.get(week) for digests in looked_back],
            *(published[other]["build_id"] if other in published else other in judged for other in shown),
        )
        weeks.append(
            Week(
                week,
                "withheld" if build is None else "waived" if week in waived else "published",
                build["build_id"] if build else None,
                build["published_at"] if build else None,
                build["calculated_at"] if build else None,
                build["code_version"] if build else None,
                tuple(failed.get(week, ())),
                tuple(waived.get(week, ())),
                fingerprint,
            )
        )
    return weeks


@dataclass(frozen=True)
class Headline:
    """A figure of the first screen: the row of fct_metric_week, those of its members, those of its last weeks (the
    oldest first), and that of 52 weeks before; None for a week without one.

    The rows have the columns of fct_metric_change_week, too.
    """

    figure: Mapping[str, Any]
    members: tuple[Mapping[str, Any], ...]
    dimension: str
    history: tuple[Mapping[str, Any] | None, ...]
    year_before: Mapping[str, Any] | None


def read_headlines(
    store: Store, week: date, metrics: Iterable[str] = HEADLINES, client: str | None = None
) -> list[Headline]:
    """The figures of a week, of all or of one client, each with its members and with twelve weeks of its values."""
    weeks = [week - back * _WEEK for back in reversed(range(HISTORY))]
    year_before = week - 52 * _WEEK
    asked: dict[str, object] = {
        "first": weeks[0],
        "week": week,
        "year_before": year_before,
        "metrics": list(metrics),
    }
    of_client = ""
    if client is not None:
        of_client = "and dimension = 'oms_client' and member = $client"
        asked["client"] = client
    rows = store.records(
        "select week_start, metric_id, dimension, member, numerator, denominator, value, display_value, "
        f"previous_value, change, is_small_sample, interval_low, interval_high, {', '.join(CHANGE_COLUMNS)} "
        f"from {with_changes(store)} "
        "where (week_start between $first and $week or week_start = $year_before) "
        f"and list_contains($metrics, metric_id) {of_client} order by metric_id, dimension, member",
        asked,
    )
    headlines = []
    for metric in metrics:
        own = [row for row in rows if row["metric_id"] == metric]
        line = [row for row in own if client is not None or row["dimension"] == "overall"]
        current = next((row for row in line if row["week_start"] == week), None)
        if current is None:
            continue
        dimension = next(
            (name for name in ("mall_segment", "oms_client") if any(row["dimension"] == name for row in own)), ""
        )
        members = [row for row in own if row["dimension"] == dimension and row["week_start"] == week]
        history = {row["week_start"]: row for row in line}
        headlines.append(
            Headline(
                current,
                tuple(members) if client is None else (),
                dimension,
                tuple(history.get(day) for day in weeks),
                history.get(year_before),
            )
        )
    return headlines


def read_clients(store: Store, week: date) -> list[str]:
    """The OMS clients of which a page says something."""
    parts = [
        f"select oms_client from marts.{table} where week_start = $week"
        for table in (
            *("fct_request_latency_day", "fct_manifest_call_day", "fct_failure_contribution_week"),
            *("fct_null_request_id_week", "fct_inventory_sync_week", "fct_oms_readiness_week"),
        )
        if store.has(table)
    ]
    parts.append("select member from marts.fct_metric_week where week_start = $week and dimension = 'oms_client'")
    found = store.rows(" union ".join(parts) + " order by 1", {"week": week})
    return [client for (client,) in found if client != "all"]


#: What the page shows of a rehearsal, and what it means.
_REHEARSED = {
    "oms_client": "OMS client.",
    "hop": "Part of the flow.",
    "saturates_at_factor": "Capacity / calls in the busiest hour; empty where latency doesn't grow with the load.",
    "busiest_hour": "The hour with the most calls.",
    "busiest_hour_calls": "Calls whose lag of the hop is known.",
    "hourly_capacity": "Calls an hour at which the fitted queue has no end.",
    "utilisation": "Calls in the busiest hour / capacity, in percent.",
    "mean_seconds": "Mean time that a call takes, queue included.",
    "service_seconds": "Mean time that a call would take if it were the only one.",
    "fit": "The share of the differences in latency that the load explains; below 0.5 nothing is forecast.",
}


@dataclass(frozen=True)
class Outlook:
    """How much more load the hops of the OMS clients bear, and what was said of the clients in the weeks before.

    `first` is the hop that saturates first, named as in `orchestration.whatif.rehearsal`; None where none does.
    `verdicts` are those of each client in `season`, the weeks that have any.
    """

    table: Table
    first: Mapping[str, Any] | None
    weeks: tuple[date, ...]
    season: tuple[date, ...]
    verdicts: Mapping[str, tuple[str | None, ...]]

    def of(self, client: str) -> Table:
        """The hops of one client."""
        place = list(_REHEARSED).index("oms_client")
        return replace(
            self.table,
            columns=self.table.columns[:place] + self.table.columns[place + 1 :],
            rows=[row[:place] + row[place + 1 :] for row in self.table.rows if row[place] == client],
        )


def read_outlook(store: Store, week: date) -> Outlook:
    """The rehearsal and the verdicts of the published ones of the twelve weeks that end with this one."""
    weeks = tuple(
        day
        for (day,) in store.rows(
            "select distinct week_start from marts.publication "
            "where is_current and week_start between $first and $week order by 1",
            {"first": week - (HISTORY - 1) * _WEEK, "week": week},
        )
    )
    is_missing = not store.has("fct_hop_load_hour")
    columns = tuple(Column(name, *COLUMNS[name], text) for name, text in _REHEARSED.items())
    found = None if is_missing else rehearse(store.connection, weeks, 1)
    places = [REHEARSED.index(name) for name in _REHEARSED]
    rows = [tuple(row[place] for place in places) for row in (found.rows if found else ())]
    title = "How much more load each hop bears"
    said = (
        store.records(
            "select week_start, oms_client, verdict from marts.fct_oms_readiness_week "
            "where list_contains($weeks, week_start) "
            f"order by min({VERDICTS_IN_ORDER}) over (partition by oms_client), oms_client, week_start",
            {"weeks": list(weeks)},
        )
        if store.has("fct_oms_readiness_week")
        else []
    )
    season = tuple(sorted({row["week_start"] for row in said}))
    verdicts = {(row["oms_client"], row["week_start"]): row["verdict"] for row in said}
    clients = dict.fromkeys(row["oms_client"] for row in said)
    return Outlook(
        Table("rehearsal", title, "fct_hop_load_hour", columns, rows, is_missing=is_missing),
        found.first_to_saturate if found else None,
        weeks,
        season,
        {client: tuple(verdicts.get((client, day)) for day in season) for client in clients},
    )


def read_restatements(store: Store, week: Week) -> Table:
    """Published figures that changed: of this week, and of earlier weeks since the week before was first published."""
    listed = ("week_start", "table_name", "key", "column_name", "old_value", "new_value", "restated_at", "cause")
    # a store of an earlier release may lack one
    columns = tuple(name for name in listed if ("fct_restatement", name) in store.descriptions)
    rows = store.rows(
        f"select {', '.join(columns)}, count(*) over () from marts.fct_restatement where {RESTATED} "
        f"order by restated_at desc, week_start desc, table_name, key, column_name limit {_MOST_RESTATEMENTS}",
        {
            "week": week.week_start,
            "before": week.week_start - _WEEK,
            "published_at": week.known_at,
        },
    )
    described = store.descriptions
    return Table(
        "restatements",
        "Figures that changed after they were published",
        "fct_restatement",
        tuple(Column(name, *COLUMNS[name], described.get(("fct_restatement", name), "")) for name in columns),
        [row[:-1] for row in rows],
        rows[0][-1] - len(rows) if rows else 0,
    )


def read_week_tables(store: Store, week: date) -> dict[str, Table]:
    """The tables of a week's page."""
    return read_tables(store, WEEK_TABLES, week)


def read_client_tables(store: Store, week: date, client: str) -> dict[str, Table]:
    """The tables of a client's page."""
    return read_tables(store, CLIENT_TABLES, week, client)


def _looked_back(store: Store, table: str) -> dict[date, str]:
    """A digest of each week's rows of a published table that follows from weeks further back than a page shows."""
    if not store.has(table):
        return {}
    return dict(
        store.rows(
            f"select week_start, md5(string_agg(cast(found as varchar), ';' order by cast(found as varchar))) "
            f"from marts.{table} as found group by week_start"
        )
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
